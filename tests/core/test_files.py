"""Files that are whole or not there, whoever else writes them, and what a killed job leaves."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from her2radiomics.core.files import ABANDONED_S, DiskFullError, own_mark, sweep, whole_file, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def dead_process() -> int:
    """A process number that was in use a moment ago and is not any more."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "a/x.csv") as temporary:
        temporary.write_text("half of")
        assert not (tmp_path / "a/x.csv").exists()
        raise KeyboardInterrupt
    assert names(tmp_path) == ["a"]
    with whole_file(tmp_path / "a/x.csv") as temporary:
        temporary.write_text("all of it")
    assert names(tmp_path) == ["a", "a/x.csv"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("writer", [whole_file, whole_folder])
def test_no_room_is_said_with_the_file_and_the_room_left(tmp_path, writer, code):
    with pytest.raises(DiskFullError, match=r"x\.csv: found no space to write it \(.* MB free\)"):
        with writer(tmp_path / "x.csv"):
            raise OSError(code, os.strerror(code))
    assert names(tmp_path) == []


def test_another_error_stays_itself(tmp_path):
    with pytest.raises(PermissionError), whole_file(tmp_path / "x.csv"):
        raise PermissionError(errno.EACCES, "no")


def test_a_folder_takes_the_place_of_the_one_before_and_of_a_rivals(tmp_path):
    place = tmp_path / "pictures"
    for content in ("first", "second"):
        with whole_folder(place) as made:
            (made / content).write_text(content)
            if content == "second":  # a rival finishes in between
                (place / "rival").write_text("rival")
    assert names(tmp_path) == ["pictures", "pictures/second"]


def test_only_what_the_dead_were_writing_is_swept(tmp_path):
    host = own_mark().split("@")[1].rstrip("~")
    dead = f".writing-{dead_process()}@{host}~"
    kept = [
        f"{own_mark()}mine.csv",
        ".writing-1@elsewhere~recent.csv",
        "x.csv",
        ".writing-notes",
        f".cases/{'0' * 40}/{dead}never looked for here",
    ]
    swept = [f"{dead}x.csv", f"deep/er/{dead}y.csv", f".cases/{dead}{'1' * 40}/features.csv"]
    abandoned = ".writing-1@elsewhere~old.csv"
    for name in (*kept, *swept, abandoned):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    long_ago = time.time() - ABANDONED_S - 60
    os.utime(tmp_path / abandoned, (long_ago, long_ago))
    assert len(sweep(tmp_path)) == 4
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(kept)
    assert sweep(tmp_path / "nowhere") == []


def test_simulated_images_are_not_cut_by_a_full_disk_in_silence(tmp_path, monkeypatch):
    """SimpleITK writes half a NIfTI file without a word when there is no room for the rest."""
    import numpy as np
    import SimpleITK as sitk

    from her2radiomics.simulation.acquisition import Sampling
    from her2radiomics.simulation.patient import _write

    write = sitk.WriteImage

    def cut(image, path, **options):
        write(image, path, **options)
        os.truncate(path, Path(path).stat().st_size // 2)

    lattice = Sampling.__new__(Sampling)
    object.__setattr__(lattice, "spacing", (1.0, 1.0, 2.0))
    object.__setattr__(lattice, "origin", (0.0, 0.0, 0.0))
    volume = np.random.default_rng(1).integers(0, 3000, (8, 16, 16)).astype(np.float32)
    _write(volume, lattice, tmp_path / "whole.nii.gz")
    monkeypatch.setattr(sitk, "WriteImage", cut)
    with pytest.raises(DiskFullError, match=r"half\.nii\.gz"):
        _write(volume, lattice, tmp_path / "half.nii.gz")
    assert names(tmp_path) == ["whole.nii.gz"]
