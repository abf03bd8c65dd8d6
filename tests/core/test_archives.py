"""All figures or tables as one ZIP: what is in it, and the same bytes for the same files."""

from __future__ import annotations

import os
import zipfile

import pytest

from her2radiomics.core.archives import write_zip
from her2radiomics.core.errors import StudyError


def test_same_bytes_whenever_and_in_whatever_order(tmp_path):
    files = [tmp_path / name for name in ("b.svg", "a.png", "c.csv")]
    for number, file in enumerate(files):
        file.write_bytes(bytes(range(256)) * (number + 1))
    write_zip(files, tmp_path / "one.zip", "run_figures")
    for file in files:
        os.utime(file, (1_700_000_000, 1_700_000_000))
        file.chmod(0o600)
    write_zip(reversed(files), tmp_path / "two.zip", "run_figures")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["run_figures/a.png", "run_figures/b.svg", "run_figures/c.csv"]
        assert all(archive.read(f"run_figures/{file.name}") == file.read_bytes() for file in files)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_missing_and_doubled_files_are_named(tmp_path):
    (tmp_path / "a").mkdir()
    for file in (tmp_path / "t.csv", tmp_path / "a" / "t.csv"):
        file.write_text("1")
    with pytest.raises(StudyError, match="two files named t.csv"):
        write_zip([tmp_path / "t.csv", tmp_path / "a" / "t.csv"], tmp_path / "x.zip", "f")
    with pytest.raises(StudyError, match=r"gone.csv: no such file"):
        write_zip([tmp_path / "t.csv", tmp_path / "gone.csv"], tmp_path / "x.zip", "f")
    assert not (tmp_path / "x.zip").exists()
