"""The test cluster touches no machine that has a Slurm of its own, and clears what a killed test left."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest
import slurm
from slurm import FOLDER, MARK, Impossible, check_machine


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """Another place for slurm.conf, on a machine where all else is fit."""
    try:
        monkeypatch.setattr(slurm, "CONF", tmp_path / "none")
        check_machine()
    except Impossible as why:
        pytest.skip(str(why))
    path = tmp_path / "slurm.conf"
    monkeypatch.setattr(slurm, "CONF", path)
    return path


def left_behind(conf, tmp_path, owner: int):
    folder = tmp_path / "cluster"
    folder.mkdir()
    (folder / "owner.pid").write_text(str(owner), encoding="ascii")
    conf.write_text(f"{MARK}{folder}\nClusterName=x\n", encoding="utf-8")
    return folder


def test_a_slurm_of_the_machines_own_is_refused_and_left(conf):
    conf.write_text("ClusterName=hospital\n", encoding="utf-8")
    with pytest.raises(Impossible, match="has a Slurm of its own"):
        check_machine()
    assert conf.read_text(encoding="utf-8") == "ClusterName=hospital\n"


def test_a_broken_link_is_a_slurm_too(conf, tmp_path):
    conf.symlink_to(tmp_path / "not mounted")
    with pytest.raises(Impossible, match="has a Slurm of its own"):
        check_machine()
    assert conf.is_symlink()


def test_another_test_that_runs_is_refused_and_left(conf, tmp_path):
    folder = left_behind(conf, tmp_path, os.getpid())
    with pytest.raises(Impossible, match="another test cluster is running"):
        check_machine()
    assert folder.exists() and conf.exists()


def test_what_a_killed_test_left_is_removed_with_its_processes(conf, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = left_behind(conf, tmp_path, ended.pid)
    orphan = subprocess.Popen(["sleep", "600"], env=os.environ | {FOLDER: str(folder)})
    stranger = subprocess.Popen(["sleep", "600"], env=os.environ | {FOLDER: str(tmp_path / "other")})
    try:
        time.sleep(0.2)
        check_machine()
        assert not psutil.pid_exists(orphan.pid)
        assert stranger.poll() is None
        assert not folder.exists() and not conf.exists()
    finally:
        stranger.kill()
        stranger.wait()
        if psutil.pid_exists(orphan.pid):
            orphan.kill()
