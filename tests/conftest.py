"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real images and tables, outside the project."""
    folder = os.environ.get("HER2RADIOMICS_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HER2RADIOMICS_DATA names no folder of real data")
    return Path(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the most long tests first: workers take files in this order (``make test``), so that all end together."""
    long = Counter(item.path for item in items if {"workflow", "long"} & {mark.name for mark in item.iter_markers()})
    items.sort(key=lambda item: -long[item.path])


def pytest_sessionfinish() -> None:
    """End the process that this worker's studies were forked from."""
    forked.stop()
