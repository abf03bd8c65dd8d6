"""What the limitations of a manuscript are written from, by stated rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from her2radiomics.article.results import Part, Results
from her2radiomics.cohort.partitions import RandomPartition
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.layout import Layout
from her2radiomics.manuscript.cells import combined, shown
from her2radiomics.report.cautions import late_columns, read_fits
from her2radiomics.report.words import lower_first


class Limits:
    """What the limitations are written from, by stated rules."""

    def __init__(self, results: Results) -> None:
        """Read the fitted models."""
        self.r, self.f = results, results.f
        self.fit = read_fits(Layout(results.f.cells.folder), results.f.info)[results.primary]

    @property
    def published(self) -> list[str]:
        """Tables of published numbers."""
        return self.r.ids("published")

    @cached_property
    def where(self) -> Part:
        """The set that the headline speaks of."""
        return next(part for part in self.r.parts if part.name == self.f.info.headline_partition)

    @cached_property
    def training(self) -> Part:
        """The training set."""
        return next(part for part in self.r.parts if part.training)

    @cached_property
    def half_width(self) -> Any:
        """Half the interval of the AUC, where it is wider than a rule allows."""
        low, high = (self.r.performance(column, self.where.name) for column in ("auc_low", "auc_high"))
        if low != low or high <= low:
            return None
        half = combined("half width", low, high)
        return half if half > self.f.rules["imprecise_auc"] else None

    @cached_property
    def small(self) -> list[Part]:
        """Held-out sets with too few patients in one class."""
        return [part for part in self.r.held_out if part.smaller < self.f.rules["fewest_of_a_class"]]

    @cached_property
    def smaller(self) -> Any:
        """Training patients of the smaller class."""
        return combined("smaller class", self.training.events, self.training.n)

    def _ends(self, column: str) -> Any:
        """Predictors before the first or after the last step; of a combined model those of its parts together."""
        which, rows = {"model": self.r.primary}, self.f.cells.rows("selection", {"model": self.r.primary})
        groups: dict[str, list[Mapping[str, str]]] = {}
        for row in rows:
            groups.setdefault(row["name"].rpartition(": ")[0], []).append(row)
        if len(groups) > 1:
            groups.pop("", None)
        place = 0 if column == "features_in" else -1
        cells = [
            self.f.cells.cell("selection", column, which, step=group[place]["step"], name=group[place]["name"])
            for group in groups.values()
        ]
        if not cells:
            return self.r.less_intercept(self.r.primary, len(self.f.terms(self.r.primary)))
        return cells[0] if len(cells) == 1 else combined("total", *cells)

    @cached_property
    def candidates(self) -> Any:
        """Predictors that the selection began with."""
        return self._ends("features_in")

    @cached_property
    def kept(self) -> Any:
        """Predictors that it ended with."""
        return self._ends("features_out")

    @cached_property
    def few(self) -> bool:
        """Whether the smaller class is too small for the predictors kept."""
        return bool(self.kept) and self.smaller < self.f.rules["events_per_predictor"] * int(self.kept)

    @cached_property
    def per_candidate(self) -> str:
        """Patients of the smaller class per candidate, where they are fewer than the rule asks for."""
        few = self.candidates and self.smaller < self.f.rules["events_per_predictor"] * int(self.candidates)
        return self._per(self.candidates) if few else ""

    @cached_property
    def per_kept(self) -> str:
        """Patients of the smaller class per predictor kept."""
        return self._per(self.kept) if self.kept else ""

    def _per(self, count: Any) -> str:
        value = combined("quotient", self.smaller, count)
        return shown(value, "fixed", 1) if value >= 0.1 else f"{value:.2g}"

    @property
    def single_split(self) -> bool:
        """Whether one random split decided who tests."""
        return isinstance(self.f.protocol.partitions, RandomPartition)

    def _centres(self, partition: str) -> set[str]:
        """Centres of a set's patients."""
        return {row["centre"] for row in self.f.cells.rows("partition_participants", {"partition": partition})}

    @cached_property
    def elsewhere(self) -> set[str]:
        """Centres that a held-out set has and training has not; later patients of the same hospitals do not count."""
        later = self.temporal and not getattr(self.f.protocol.partitions, "external_centres", None)
        held = [self._centres(part.name) for part in self.r.held_out if not (later and part.name == "external")]
        return set().union(*held) - self._centres(TRAINING)

    @property
    def two_centres(self) -> bool:
        """Whether one centre trained and another one tested."""
        tested = [self._centres(part.name) for part in self.r.held_out]
        return (
            len(self._centres(TRAINING)) == 1 and all(len(found) == 1 for found in tested) and len(self.elsewhere) == 1
        )

    @property
    def temporal(self) -> bool:
        """Whether later patients were held out."""
        return "external" in self.f.info.partitions and bool(getattr(self.f.protocol.partitions, "external_from", None))

    @cached_property
    def late(self) -> list[tuple[str, str]]:
        """Predictors in the fitted model that are known too late, and when they are."""
        return [(lower_first(label), when) for label, when in late_columns(self.fit, self.f.info).items()]

    @cached_property
    def unstable(self) -> bool:
        """Whether a predictor was kept in fewer refits than a rule asks for."""
        found = self.r.unstable
        return found["low"] == found["low"] and found["low"] < self.f.rules["unstable_share"] * found["refits"]

    @cached_property
    def _agreement(self) -> list[Mapping[str, Any]]:
        used = {self.r.primary, *getattr(self.f.protocol.models[self.r.primary], "of", ())}
        return [row for group in self.f.agreement for row in group["models"] if row["model"] in used]

    @property
    def not_assessed(self) -> bool:
        """Whether the readers' agreement was to be assessed and was not."""
        return any(row["patients"] is None for row in self._agreement)

    @property
    def disagreed(self) -> Mapping[str, Any] | None:
        """Features that did not agree, where they are more than a rule allows."""
        share = self.f.rules["unstable_share"]
        return next((row for row in self._agreement if row["kept"] < share * int(row["features"])), None)

    @cached_property
    def fall(self) -> bool:
        """Whether the AUC is lower than in training by more than a rule allows."""
        here, there = self.where, self.training
        return here is not there and float(there.auc) - float(here.auc) >= self.f.rules["fall_of_auc"]

    @property
    def failed(self) -> Any:
        """Patients whose features could not be extracted."""
        return self.f.flow("sum", "excluded", "failed")

    @cached_property
    def unpredicted(self) -> list[tuple[Part, Any]]:
        """Sets in which the primary model could not predict everybody, and how many it predicted."""
        return [(part, part.n) for part in self.r.parts if int(part.n) < int(self.f.size(part.name))]

    @property
    def retrospective(self) -> bool:
        """Whether the protocol states a retrospective design of the patients."""
        return "retrospective" in self.f.protocol.reporting.design.lower() and not self.f.simulated
