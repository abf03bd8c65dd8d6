"""The test cluster, where ``tests/cluster/slurm.py`` has started one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from slurm import FOLDER, Cluster


@pytest.fixture(scope="session")
def slurm() -> Cluster:
    """Three nodes of a real Slurm."""
    folder = os.environ.get(FOLDER)
    if not folder:
        pytest.skip("no test cluster is up: make test-cluster starts one")
    return Cluster(Path(folder))
