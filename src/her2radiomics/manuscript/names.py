"""Printed names of what a run calls by identifiers: one place for tables, remarks and pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError
from her2radiomics.extraction.names import feature_words, region_label

#: Names of a regression's constant term, in lower case.
INTERCEPT = ("intercept", "(intercept)", "const")
_TOKEN = re.compile(r"[A-Za-z][\w.-]*\w")


@dataclass(frozen=True)
class Names:
    """Identifier → printed name.

    Attributes
    ----------
    columns
        The protocol's participants columns.
    models, sequences
        Models and sequences.
    groups
        Partitions, and 1 and 0 of the label.
    scores
        Models, to the printed names of their scores.
    """

    columns: Mapping[str, Column] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    sequences: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, str] = field(default_factory=dict)

    def term(self, term: str) -> str:
        """A term of a model: a feature by sequence and region, a column with its level, or another model's score."""
        parts = term.split("__", 2)
        if len(parts) == 3:
            return " · ".join([self.sequence(parts[0]), self.region(parts[1]), feature_words(parts[2])])
        name, _, level = term.removesuffix("]").partition("[")
        if name in self.columns:
            column = self.columns[name]
            return f"{column.label}: {column.levels.get(level, level)}" if level else column.label
        if term in self.models:
            return self.scores.get(term, f"{self.models[term]} score")
        return "Intercept" if term.lower() in INTERCEPT else term

    def model(self, name: str) -> str:
        """A model."""
        return self.models.get(name, name)

    def sequence(self, name: str) -> str:
        """A sequence."""
        return self.sequences.get(name, name)

    def region(self, name: str) -> str:
        """A region of interest, in lower case but for abbreviations: ``tumour, largest slice``."""
        try:
            label = region_label(name)
        except SettingsError:  # of a feature table that the user brought
            return name.replace("_", " ")
        return label[:1].lower() + label[1:]

    def group(self, name: str) -> str:
        """A partition, several (``training + testing``), or a class of the label."""
        return " + ".join(self.groups.get(part, part) for part in name.split(" + "))

    def in_words(self, remark: str) -> str:
        """``remark`` with every identifier in it replaced by its printed name.

        A word that may be plain English (``age``, ``clinical``) is taken for an identifier only as an item of the list after
        a colon.
        """
        head, colon, tail = remark.partition(": ")
        listed = [self._name(item) if _TOKEN.fullmatch(item) else item for item in tail.split(", ")] if colon else []
        text = f"{head}{colon}{', '.join(listed)}"
        return _TOKEN.sub(lambda match: self._name(match[0]) if re.search(r"[_\d]", match[0]) else match[0], text)

    def _name(self, token: str) -> str:
        if token.count("__") >= 2 or token in self.columns:
            return self.term(token)
        return next((known[token] for known in (self.models, self.sequences, self.groups) if token in known), token)
