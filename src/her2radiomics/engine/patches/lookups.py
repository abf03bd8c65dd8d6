"""A plan looks up the rule of a file, and reads what is kept of it, once; paths without wildcards are compared as texts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from snakemake.common.prefix_lookup import PrefixLookup
from snakemake.io import _IOFile
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
would do.

Seen with: 178 jobs, 13,154 inputs of which 3,944 are different, as many records: 15,034 records were read; a dry run with
nothing to do spent a third of its time on both.
Expected: `match_producers` remembers its answers, the cache of records holds as many as there are, and paths without
wildcards are compared as texts.
""",
)


#: What a path without wildcards matches: nothing is named in it.
SAME = re.compile("").match("")


def look_once() -> None:
    """Remember the rules of files as long as the index lives, and all records until Snakemake drops them."""
    find, match = OutputIndex.match_producers, _IOFile.match
    if hasattr(find, "__wrapped__"):
        return

    def index(self: Any, rules: list[Any]) -> None:
        self._plain, self._remembered, wild = {}, {}, []
        for rule in rules:
            for product in rule.products():
                if product.contains_wildcard():
                    prefix, suffix = str(product.constant_prefix()), str(product.constant_suffix())
                    wild.append((prefix, (rule, suffix)))
                else:
                    self._plain.setdefault(product.file, set()).add(rule)
        self._lookup = PrefixLookup(entries=wild)

    def match_producers(self: Any, targetfile: str) -> set[Any]:
        known = self._remembered
        if targetfile not in known:
            known[targetfile] = find(self, targetfile) | self._plain.get(targetfile, set())
        return known[targetfile]

    def match_path(self: Any, target: str) -> re.Match[str] | None:
        if self._regex is None and "{" not in self.file:
            return SAME if self.file == target else None
        return match(self, target)

    match_producers.__wrapped__ = find  # type: ignore[attr-defined]
    OutputIndex.__init__, OutputIndex.match_producers, _IOFile.match = index, match_producers, match_path
    read = FilePersistence._read_record_cached.__wrapped__
    FilePersistence._read_record_cached = lru_cache(maxsize=None)(read)
