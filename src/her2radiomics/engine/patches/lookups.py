"""A plan looks up the rule of a file, and reads what is kept of it, once; paths are compared as texts."""

# ruff: noqa: PTH109, PTH118, PTH206  a Path for each output is what takes the time

from __future__ import annotations

import functools
import logging
import os
import re
from functools import lru_cache
from itertools import pairwise
from typing import Any

from snakemake.common.prefix_lookup import PrefixLookup
from snakemake.dag import DAG
from snakemake.io import _IOFile
from snakemake.logging import logger
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
disk and validated four times. (3) An output without wildcards is compared by a regular expression of its own: thousands are
compiled, and each file is matched against all outputs of every rule whose paths begin alike, where a look into a dictionary
would do. The same holds of an output with wildcards in its folder alone: its name is known. (4) `_IOFile` compares and
hashes itself in Python, by its `_file`, which is the text that it is itself; and `is_storage` asks an abstract class. (5)
`DAG.update` sorts, copies the path to a job and goes on to `update_` for every file of a job that is in the graph already,
which then returns at once. (6) `check_directory_outputs` makes a `Path` of every output and the common path of every two.
(7) `_IOFile.exists` goes through four functions to an answer that it has, and looks for the path's folder first.

Seen with: 178 jobs, 13,154 inputs of which 3,944 are different, as many records: 15,034 records were read; a dry run with
nothing to do spent a third of its time on (1) to (3), and a fifth of the rest on (4) to (7): 736,000 comparisons, 576,000
hashes, 256,000 times `is_storage`.
Expected: `match_producers` remembers its answers, the cache of records holds as many as there are, paths without wildcards
are compared as texts, and so are all files; `update` returns at once what it knows.
""",
)


#: What a path without wildcards matches: nothing is named in it.
SAME = re.compile("").match("")


def look_once() -> None:
    """Remember the rules of files as long as the index lives, and all records until Snakemake drops them."""
    if hasattr(OutputIndex.match_producers, "__wrapped__"):
        return
    look, find = OutputIndex.match, OutputIndex.match_producers

    def index(self: Any, rules: list[Any]) -> None:
        self._plain, self._named, self._remembered, others = {}, {}, {}, []
        for rule in rules:
            for product in rule.products():
                prefix, suffix = str(product.constant_prefix()), str(product.constant_suffix())
                if not product.contains_wildcard():
                    self._plain.setdefault(product.file, set()).add(rule)
                elif "/" in suffix:  # the file's own name is known
                    self._named.setdefault(suffix.rpartition("/")[2], []).append((prefix, suffix, rule))
                else:
                    others.append((prefix, (rule, suffix)))
        self._lookup = PrefixLookup(entries=others)

    @functools.wraps(look)
    def match(self: Any, targetfile: str) -> set[Any]:
        named = self._named.get(targetfile.rpartition("/")[2], ())
        fits = {rule for start, end, rule in named if targetfile.startswith(start) and targetfile.endswith(end)}
        return fits | look(self, targetfile)

    @functools.wraps(find)
    def match_producers(self: Any, targetfile: str) -> set[Any]:
        known = self._remembered
        if targetfile not in known:
            known[targetfile] = find(self, targetfile) | self._plain.get(targetfile, set())
        return known[targetfile]

    OutputIndex.__init__, OutputIndex.match, OutputIndex.match_producers = index, match, match_producers
    read = FilePersistence._read_record_cached.__wrapped__
    FilePersistence._read_record_cached = lru_cache(maxsize=None)(read)
    _compare_texts()
    _update_once()


def _compare_texts() -> None:
    """Let files be compared, hashed and looked up as the texts that they are."""
    match, exists = _IOFile.match, _IOFile.exists

    def match_path(self: Any, target: str) -> re.Match[str] | None:
        if self._regex is None and "{" not in self.file:
            return SAME if self.file == target else None
        return match(self, target)

    @functools.wraps(exists)
    async def exists_once(self: Any) -> bool:
        cache = self.rule.workflow.iocache if self.rule is not None else None
        known = (
            dict.get(cache.exists_local, self) if cache is not None and cache.active and not self.is_storage else None
        )
        return await exists(self) if known is None else known

    def is_storage(self: Any) -> bool:
        flags = getattr(self._file, "_flags", None)
        return bool(flags and flags.get("storage_object"))

    _IOFile.match, _IOFile.is_storage, _IOFile.exists = match_path, property(is_storage), exists_once
    del _IOFile.__eq__, _IOFile.__hash__  # those of str


def _update_once() -> None:
    """Go over a job once, whatever number of its files is read; look at the outputs of all jobs as texts."""
    update, check = DAG.update, DAG.check_directory_outputs

    @functools.wraps(update)
    async def update_once(self: Any, jobs: list[Any], file: Any = None, visited: Any = None, **more: Any) -> Any:
        (job, *others), quiet = jobs, not logger.isEnabledFor(logging.DEBUG)
        known = quiet and not others and job in self._dependencies and job not in (visited or ())
        if known and file not in job.input:
            return job
        return await update(self, jobs, file=file, visited=visited, **more)

    @functools.wraps(check)
    def check_outputs(self: Any) -> None:
        here = os.getcwd()
        paths = (os.path.normpath(os.path.join(here, path)) for job in self.jobs for path in job.output)
        outputs = sorted(path.split(os.sep) for path in paths)
        if any(deeper[: len(path)] == path for path, deeper in pairwise(outputs)):
            check(self)

    DAG.update, DAG.check_directory_outputs = update_once, check_outputs
