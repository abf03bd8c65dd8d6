"""Several results of one job: what fails, what is kept, what is made again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.engine.file_records import ChangedFileError
from her2radiomics.engine.jobs.pieces import STORE, Piece, PiecesError, make_pieces


class Job:
    """Pieces ``a`` and ``b``, each made from a file of its name and a setting; what was made is counted."""

    def __init__(self) -> None:
        self.settings = {"a": 1, "b": 1}
        self.made: list[str] = []
        for name in self.settings:
            Path(name).write_text(name)
        self.meanwhile = lambda name: None
        self.handed = SimpleNamespace(log="logs/run/job.log")

    def piece(self, name: str) -> Piece:
        def make(folder: Path) -> None:
            self.made.append(name)
            print(f"drawing {name}")
            self.meanwhile(name)
            text = pd.Series([self.settings[name], Path(name).read_text()]).to_csv()
            (folder / f"{name}.csv").write_text(text)

        outputs = [f"out/{name}.csv", f"software/{name}.json"]
        return Piece(name, outputs, [name], self.settings[name], make)

    def run(self) -> list[str]:
        """Run the job as the engine does, which deletes its outputs first; the names of what was made."""
        for path in [*Path("out").glob("*.csv"), *Path("software").glob("*.json")]:
            path.unlink()
        self.made.clear()
        make_pieces([self.piece(name) for name in self.settings], "figures", self.handed)
        return self.made


@pytest.fixture
def job(tmp_path, monkeypatch) -> Job:
    monkeypatch.chdir(tmp_path)
    return Job()


def fail_at(name, error):
    def meanwhile(now):
        if now == name:
            raise error

    return meanwhile


def test_a_piece_has_its_files_its_record_and_its_log(job):
    assert job.run() == ["a", "b"]
    assert Path("out/a.csv").read_text() == ",0\n0,1\n1,a\n"
    assert "pandas" in json.loads(Path("software/b.json").read_text())
    assert Path("logs/run/a.log").read_text() == "drawing a\n"


def test_nothing_is_made_twice_and_a_change_costs_its_piece(job):
    job.run()
    before = Path("out/a.csv").read_bytes()
    assert job.run() == []
    assert Path("out/a.csv").read_bytes() == before
    job.settings["b"] = 2
    assert job.run() == ["b"]
    Path("a").write_text("another")
    assert job.run() == ["a"]
    assert len(list(Path(STORE).iterdir())) == 2, "earlier forms are dropped"


def test_a_piece_that_fails_stops_none_and_loses_none(job):
    job.meanwhile = fail_at("a", StudyError("a: found nothing, expected something."))
    with pytest.raises(PiecesError) as stopped:
        job.run()
    assert str(stopped.value) == (
        "1 of 2 figures could not be made. The other 1 are kept in .finished and are not made again.\n"
        "a: StudyError: a: found nothing, expected something."
    )
    assert "found nothing" in Path("logs/run/a.log").read_text()
    assert [path.name for path in Path(STORE).glob("*/*.csv")] == ["b.csv"]
    job.meanwhile = lambda name: None
    assert job.run() == ["a"]
    assert Path("out/b.csv").is_file()


def test_an_unexpected_error_has_its_traceback(job):
    job.meanwhile = fail_at("b", ZeroDivisionError("by nought"))
    with pytest.raises(PiecesError, match=r"(?s)b: Traceback.*in meanwhile.*by nought"):
        job.run()


def test_what_was_made_while_its_file_changed_is_not_kept(job):
    job.meanwhile = lambda name: Path("a").write_text("replaced") if name == "b" else None
    job.settings = {"b": 1}
    original = job.piece

    def from_a(name):
        return Piece(name, original(name).outputs, ["a"], 1, original(name).make)

    job.piece = from_a
    with pytest.raises(PiecesError, match=ChangedFileError.__name__):
        job.run()
    assert list(Path(STORE).iterdir()) == []


def test_what_was_cut_in_the_store_or_edited_in_place_is_made_again(job):
    job.run()
    with Path("out/a.csv").open("a") as stream:  # the same file as in the store
        stream.write("edited")
    assert job.run() == ["a"]
    assert "edited" not in Path("out/a.csv").read_text()


def test_by_hand_one_piece_is_made_and_its_error_raised(job):
    job.handed.by_hand, job.handed.asked = True, "out/b.csv"
    assert job.run() == ["b"]
    assert not Path("out/a.csv").exists()
    job.settings["b"] = 2
    job.meanwhile = fail_at("b", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        job.run()
