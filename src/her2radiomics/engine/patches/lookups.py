"""Snakemake looks up the rule of a file, and reads what it keeps of it, once in a plan."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from snakemake.output_index import OutputIndex
from snakemake.persistence.file import FilePersistence

from her2radiomics.engine.patches import Patch

ABOUT = Patch(
    "snakemake",
    "==9.27.*",
    "https://github.com/snakemake/snakemake/issues/1974",
    """\
Planning looks up the rule of each input file of each job, and reads metadata records again and again.

(1) `DAG.file2jobs` calls `OutputIndex.match_producers` for every input of every job; a file that 20 jobs read is looked up
20 times, and each look-up tries all outputs that begin with the same constant prefix (`results/`) and matches regular
expressions. (2) `FilePersistence._read_record_cached` is an `lru_cache()` of 128 records: the checks of code, input,
parameters and software go over all outputs of a job in turn, so that with more than 128 outputs each record is read from
disk and validated four times.

Seen with: 178 jobs, 13,154 inputs of which 3,944 are different, as many records: 15,034 records were read; a dry run with
nothing to do spent a third of its time on both.
Expected: `match_producers` remembers its answers, and the cache of records holds as many as there are.
""",
)


def look_once() -> None:
    """Remember the rules of files as long as the index lives, and all records until Snakemake drops them."""
    find = OutputIndex.match_producers
    if hasattr(find, "__wrapped__"):
        return

    def match_producers(self: Any, targetfile: str) -> set[Any]:
        known = self.__dict__.setdefault("_remembered", {})
        if targetfile not in known:
            known[targetfile] = find(self, targetfile)
        return known[targetfile]

    match_producers.__wrapped__ = find  # type: ignore[attr-defined]
    OutputIndex.match_producers = match_producers
    read = FilePersistence._read_record_cached.__wrapped__
    FilePersistence._read_record_cached = lru_cache(maxsize=None)(read)
