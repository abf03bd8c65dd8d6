"""The undisturbed run that all others are compared with, and which tests run when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from trials import Trial

WANTED = "HER2RADIOMICS_FAULTS"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = os.environ.get(WANTED, "")
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if not wanted:
            item.add_marker(pytest.mark.skip(reason="make test-faults runs it"))
        elif wanted == "quick" and not item.get_closest_marker("quick_fault"):
            item.add_marker(pytest.mark.skip(reason="make test-faults FAULTS=all runs it"))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Trial:
    """The study, run once without any fault."""
    trial = Trial.new(tmp_path_factory.mktemp("faults") / "undisturbed")
    trial.snakemake()
    assert trial.jobs() == {}
    return trial


@pytest.fixture
def finished(undisturbed, tmp_path) -> Trial:
    """A copy of the finished study."""
    return Trial.copy_of(undisturbed, tmp_path / "study")


@pytest.fixture
def imaged(undisturbed, tmp_path) -> Trial:
    """A study whose images are there and nothing else."""
    made = ("results/nat_response", "results/cohorts/*/extraction", "logs")
    records = (".snakemake/written/results/nat_response", ".snakemake/written/results/cohorts/*/extraction")
    return Trial.copy_of(undisturbed, tmp_path / "study", without=made + records)
