"""What a job read and wrote is known afterwards: cut, edited and replaced files are found, and found cheaply."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from her2radiomics.engine import file_records
from her2radiomics.engine.file_records import (
    FOLDER,
    INDEX,
    Change,
    ChangedFileError,
    Watch,
    check_inputs,
    find_changed,
    forget,
    misfit,
    set_aside,
    write_records,
)
from her2radiomics.engine.script import logged

HOUR = 3600 * 10**9


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(path: str, text: str = "a,b\n1,2\n", inputs: dict | None = None) -> str:
    """A job's output with its record."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    write_records([path], inputs)
    return path


def moved_in_time(path: str, nanoseconds: int) -> None:
    found = Path(path).stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + nanoseconds))


def paths(changes: list[Change]) -> list[str]:
    return [change.path for change in changes]


def test_what_is_as_it_was_left_fits():
    path = made("results/x.csv")
    check_inputs([path, "results/nowhere.csv"])
    assert find_changed() == []


def test_a_cut_file_is_found_and_never_read():
    path = made("results/x.csv")
    os.truncate(path, 3)
    with pytest.raises(ChangedFileError, match=r"results/x\.csv: found 3 of 8 bytes; .* Run again"):
        check_inputs([path])
    assert find_changed() == [Change(path, "3 of 8 bytes")]


def test_an_edit_of_the_same_length_is_found():
    path = made("results/x.csv")
    Path(path).write_text("a,b\n1,3\n")
    moved_in_time(path, HOUR)
    assert find_changed() == [Change(path, "other bytes")]


def test_a_new_time_alone_is_no_change_and_is_looked_into_once(monkeypatch):
    """Snakemake sets the time of its outputs, and copies of a project may have new ones."""
    path = made("results/x.csv")
    moved_in_time(path, HOUR)
    assert find_changed() == []
    read = []
    monkeypatch.setattr(file_records, "content", read.append)
    assert find_changed() == []
    assert read == []


def test_an_unchanged_project_is_planned_from_the_index_alone(monkeypatch):
    made("results/x.csv")
    assert find_changed() == []
    monkeypatch.setattr(file_records, "_load", lambda place: pytest.fail(f"{place} is read"))
    assert find_changed() == []


def test_a_folder_is_known_by_all_its_files():
    Path("results/b.overlays/P1").mkdir(parents=True)
    Path("results/b.overlays/P1/DWI.png").write_bytes(b"picture")
    write_records(["results/b.overlays"])
    Path("results/b.overlays/.snakemake_timestamp").touch()  # the engine's
    assert find_changed() == []
    os.truncate("results/b.overlays/P1/DWI.png", 2)
    assert find_changed() == [], "folders of pictures are looked into by who reads them"
    with pytest.raises(ChangedFileError, match="2 of 7 bytes"):
        check_inputs(["results/b.overlays"])
    assert paths(find_changed()) == ["results/b.overlays"]


def test_an_input_replaced_by_an_older_file_is_found():
    """The engine compares times: what is older than the output is taken for what the output was made from."""
    image = Path("data/image.nii")
    image.parent.mkdir()
    image.write_text("the second outline")
    output = made("results/x.csv", inputs=Watch([image]).stamps)
    assert find_changed() == []
    image.write_text("the first outline")
    moved_in_time(str(image), -HOUR)
    assert find_changed() == [Change(output, "made from another data/image.nii than the one that is there now")]


def test_a_newer_input_is_left_to_the_engine_but_not_one_within_a_folder():
    Path("data/dicom").mkdir(parents=True)
    for name in ("data/image.nii", "data/dicom/1.dcm"):
        Path(name).write_text("before")
    first = made("results/x.csv", inputs=Watch(["data/image.nii"]).stamps)
    second = made("results/y.csv", inputs=Watch(["data/dicom"]).stamps)
    for name in ("data/image.nii", "data/dicom/1.dcm"):
        Path(name).write_text("another one")
        moved_in_time(name, HOUR)
    assert paths(find_changed()) == [second] != [first]


def later(path: Path) -> None:
    path.write_text("another one")
    moved_in_time(str(path), HOUR)


@pytest.mark.parametrize(
    "change",
    [
        lambda image, absent: later(image),
        lambda image, absent: moved_in_time(str(image), HOUR),
        lambda image, absent: moved_in_time(str(image), -HOUR),
        lambda image, absent: image.unlink(),
        lambda image, absent: absent.write_text("here it is"),
    ],
    ids=["newer", "touched", "older", "gone", "appeared"],
)
def test_any_change_of_a_file_that_the_engine_does_not_know_is_found(change):
    """Images of a brought cohort are no inputs of a rule, so that nobody else compares their times."""
    image, absent = Path("data/image.nii"), Path("data/mask.nii")
    image.parent.mkdir()
    image.write_text("before")
    output, second = "results/x.csv", "results/y.csv"
    Path("results").mkdir()
    for path in (output, second):
        Path(path).write_text("a\n1\n")
    write_records([output, second], unlisted=Watch([image, absent]).stamps)
    assert find_changed() == find_changed() == []
    change(image, absent)
    (found,) = find_changed()
    assert found.path == output and found.why.startswith("made from another data/")


def test_results_of_other_jobs_are_not_counted_among_the_users_files():
    path = made("results/x.csv")
    made("results/y.csv", inputs=Watch([path]).stamps)
    assert json.loads((FOLDER / "results/y.csv.json").read_text())["inputs"] == {}


def test_a_missing_file_is_the_engines_to_notice_and_is_remembered():
    path = made("results/x.csv")
    text = Path(path).read_text()
    Path(path).unlink()
    assert find_changed() == []
    Path(path).write_text(text[:4])
    assert paths(find_changed()) == [path]


def test_a_cut_record_or_index_is_no_record():
    path = made("results/x.csv")
    os.truncate(FOLDER / "results/x.csv.json", 10)
    os.truncate(path, 3)
    assert find_changed() == []
    INDEX.write_text("{")
    assert find_changed() == []


def test_a_job_that_begins_again_forgets_what_it_wrote():
    path = made("results/x.csv")
    forget([path])
    Path(path).write_text("half")
    assert misfit(path) == "" and find_changed() == []


def test_changed_files_are_kept_under_another_name_before_they_are_made_again():
    path = made("results/x.csv")
    Path("results/x.csv.changed").write_text("kept from last time")
    Path(path).write_text("my own numbers")
    assert set_aside(find_changed()) == {path: "results/x.csv.changed.2"}
    assert Path("results/x.csv.changed.2").read_text() == "my own numbers"
    assert not Path(path).exists()


def test_files_outside_the_project_have_no_record(tmp_path):
    outside = tmp_path.parent / "outside.csv"
    outside.write_text("x")
    write_records([str(outside), "../outside.csv"])
    assert not FOLDER.exists() or not list(FOLDER.rglob("*outside*"))


class TestWatch:
    def test_what_stays_passes(self):
        Path("image.nii").write_text("voxels")
        watch = Watch(["image.nii", "absent.nii"])
        watch.check()
        assert watch.changed() == []

    @pytest.mark.parametrize("change", ["replaced", "appeared", "gone", "within"])
    def test_what_changes_is_named(self, change):
        Path("dicom").mkdir()
        for name in ("image.nii", "dicom/1.dcm"):
            Path(name).write_text("voxels")
        watch = Watch(["image.nii", "absent.nii", "dicom"])
        time.sleep(0.01)
        {
            "replaced": lambda: Path("image.nii").write_text("others"),
            "appeared": lambda: Path("absent.nii").write_text("voxels"),
            "gone": lambda: Path("image.nii").unlink(),
            "within": lambda: Path("dicom/1.dcm").write_text("others"),
        }[change]()
        named = {"appeared": "absent.nii", "within": "dicom"}.get(change, "image.nii")
        with pytest.raises(ChangedFileError, match=f"^{named}: found content that changed since this job began"):
            watch.check()

    def test_a_result_written_again_with_the_same_bytes_is_the_same(self):
        """A job that ran on after its workflow was killed may end beside its successor."""
        path = made("results/x.csv")
        watch = Watch([path])
        time.sleep(0.01)
        made(path)
        assert watch.changed() == []
        os.truncate(path, 3)
        assert watch.changed() == [path]


class TestLogged:
    """The frame around every script."""

    def job(self, **changes) -> SimpleNamespace:
        Path("results").mkdir(exist_ok=True)
        given = {"input": [], "output": ["results/x.csv"], "log": "logs/x.log"}
        return SimpleNamespace(**given | changes)

    def test_outputs_are_recorded(self):
        with logged(self.job()):
            Path("results/x.csv").write_text("a\n")
        assert json.loads((FOLDER / "results/x.csv.json").read_text())["size"] == 2

    def test_a_job_does_not_start_on_a_cut_input(self):
        os.truncate(made("results/in.csv"), 3)
        with pytest.raises(SystemExit), logged(self.job(input=["results/in.csv"])):
            pytest.fail("the script ran")
        assert "results/in.csv: found 3 of 8 bytes" in Path("logs/x.log").read_text()

    def test_a_job_fails_when_an_input_changes_under_it(self):
        Path("image.nii").write_text("voxels")
        with pytest.raises(SystemExit), logged(self.job(input=["image.nii"])):
            Path("results/x.csv").write_text("a\n")
            Path("image.nii").write_text("other voxels")
        assert "image.nii: found content that changed" in Path("logs/x.log").read_text()
        assert not list(FOLDER.rglob("x.csv.json"))

    def test_a_full_disk_is_said_without_a_traceback(self):
        with pytest.raises(SystemExit), logged(self.job()):
            raise OSError(28, "No space left on device", "results/x.csv")
        said = Path("logs/x.log").read_text()
        assert said.startswith("DiskFullError: results/x.csv: found no space") and "Traceback" not in said

    def test_a_log_that_cannot_be_written_is_no_excuse_for_silence(self, capsys):
        if not Path("/dev/full").exists():
            pytest.skip("this system has no /dev/full")
        with pytest.raises(SystemExit), logged(self.job(log="/dev/full")):
            raise ValueError("what went wrong")
        assert "ValueError: what went wrong" in capsys.readouterr().err
