"""What uses or changes private parts of Snakemake: nothing else in the project does.

A module is one such use. Its ``ABOUT`` says which version it was written for and where it was reported, with the text of
the report. ``tests/engine/test_patches.py`` fails when another version is installed, and when Snakemake no longer needs it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patch:
    """Why a private part is used.

    Attributes
    ----------
    distribution, versions
        What it was written for: the name and the version specifier of a package.
    upstream
        The issue or pull request that concerns it.
    report
        What to add there: what was found, how it is seen, and what was expected.
    """

    distribution: str
    versions: str
    upstream: str
    report: str
