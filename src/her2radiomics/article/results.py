"""What the results and limitations of a manuscript are written from: cells of the run's tables, chosen and in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from her2radiomics.article.printed_tests import PrintedTests
from her2radiomics.core.bound import BoundFloat, BoundNumber, Source, bind_text, referred
from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.extraction.names import region_label
from her2radiomics.manuscript.cells import combined, shown, term_words
from her2radiomics.manuscript.figures import ComposedOptions
from her2radiomics.manuscript.formatting import NOT_ESTIMABLE, listing
from her2radiomics.manuscript.tables.regression import split_term
from her2radiomics.modelling.chain import NUMBERS
from her2radiomics.report.facts import Facts
from her2radiomics.report.prose import interval
from her2radiomics.report.words import MOST_NAMED, lower_first, step_label

_RATES = ("sensitivity", "specificity", "accuracy")
_NO_STEPS = (NUMBERS,)


@dataclass(frozen=True)
class Measure:
    """A row of ``performance_extra.csv``."""

    value: Any
    low: Any
    high: Any


@dataclass(frozen=True)
class Part:
    """A set of patients and how the primary model did in it."""

    name: str
    phrase: str
    training: bool
    n: Any
    events: Any
    auc: Any
    rates: bool
    others: list[tuple[str, str]]
    range: tuple[Any, Any] | None
    see: tuple[str, ...]

    @property
    def smaller(self) -> int:
        """Patients of the smaller class."""
        return min(int(self.events), int(self.n) - int(self.events))


class Results(PrintedTests):
    """What the templates of results and limitations name. Everything is read from the run's tables."""

    def __init__(self, facts: Facts) -> None:
        """Take the run's facts."""
        super().__init__(facts)
        self.primary = facts.protocol.primary_model

    # tables and figures

    def ids(self, *kinds: str) -> list[str]:
        """Tables and figures of these kinds that the manuscript shows: panels of a composed figure are shown by it."""
        return list(dict.fromkeys(self.shown.get(item.id, item.id) for item in self.f.kinds(*kinds)))

    def items(self, ids: Sequence[str]) -> list[Any]:
        """Figures and tables by their identifiers."""
        return [item for item in (*self.protocol.figures, *self.protocol.tables) if item.id in ids]

    @cached_property
    def shown(self) -> dict[str, str]:
        """Panel to the composed figure that shows it."""
        composed = [item for item in self.protocol.figures if isinstance(item, ComposedOptions)]
        return {name: item.id for item in composed for name in item.panels}

    def at(self, kind: str, partition: str) -> list[str]:
        """Figures of a kind that show a partition."""
        found = [item.id for item in self.f.kinds(kind) if partition in item.partitions_used()]
        return list(dict.fromkeys(self.shown.get(name, name) for name in found))

    def own(self, *kinds: str) -> list[str]:
        """Those of them that show the primary model."""
        found = [item.id for item in self.f.kinds(*kinds) if getattr(item, "model", None) == self.primary]
        return list(dict.fromkeys(self.shown.get(name, name) for name in found))

    @staticmethod
    def references(ids: Iterable[str]) -> str:
        """``Table 2 and Table 3``."""
        return listing([referred(name) for name in ids])

    # performance

    def measure(self, model: str, partition: str, name: str) -> Measure:
        """A measure of a model in a partition."""
        which = {"model": model, "partition": partition, "measure": name}
        value, low, high = (
            self.cells.cell("performance_extra", column, **which) for column in ("value", "low", "high")
        )
        return Measure(value, low, high)

    def performance(self, column: str, partition: str, model: str = "") -> Any:
        """A cell of ``performance.csv``."""
        return self.cells.cell("performance", column, model=model or self.primary, partition=partition)

    def auc(self, part: Part, model: str = "") -> str:
        """``0.72 (95% CI 0.53–0.86)``."""
        value, low, high = (self.performance(column, part.name, model) for column in ("auc", "auc_low", "auc_high"))
        text = interval(value, low, high)
        return (
            text if NOT_ESTIMABLE in text else text.replace(" (", f" ({100 * self.protocol.evaluation.level:g}% CI ", 1)
        )

    @cached_property
    def parts(self) -> list[Part]:
        """Sets of patients in order, training first."""
        return [self._part(name) for name in self.f.info.partitions]

    def _part(self, name: str) -> Part:
        others = [model for model in self.protocol.models if model != self.primary]
        few = len(others) < MOST_NAMED
        area = self.performance("auc", name)
        texts = []
        for model in others if few else ():
            value, low, high = (self.performance(column, name, model) for column in ("auc", "auc_low", "auc_high"))
            if value == value:
                texts.append((model, interval(value, low, high)))
        ends = tuple(self.cells.over(how, "performance", "auc", partition=name) for how in ("smallest", "largest"))
        rates = [self.measure(self.primary, name, rate) for rate in _RATES]
        return Part(
            name,
            self.f.phrase(name),
            name == TRAINING,
            self.performance("n", name),
            self.performance("events", name),
            area,
            all(rate.value == rate.value for rate in rates),
            texts,
            None if few or not others else (ends[0], ends[1]),
            tuple(self.at("roc", name)),
        )

    @cached_property
    def held_out(self) -> list[Part]:
        """Sets of patients other than training."""
        return [part for part in self.parts if not part.training]

    @property
    def events(self) -> Any:
        """Included patients with the positive outcome."""
        return self.cells.over("sum", "flow", "events", step="partition")

    @property
    def brought(self) -> bool:
        """Whether a model uses image features that were brought."""
        return not self.f.info.extracted and any(model.block for model in self.protocol.models.values())

    @cached_property
    def performance_tables(self) -> list[str]:
        """Tables of performance, those of the supplement among them."""
        return self.ids("performance")

    # participants

    @cached_property
    def missing(self) -> list[tuple[str, Any, Any]]:
        """Clinical candidates with missing training values: name, patients without a value, patients."""
        found: dict[str, tuple[str, Any, Any]] = {}
        for model in self.protocol.models:
            which = {"model": model}
            for row in self.cells.rows("missing", which):
                name = row["column"]
                count = self.cells.cell("missing", "missing", which, column=name)
                if count and name not in found:
                    rows = self.cells.cell("missing", "rows", which, column=name)
                    found[name] = (lower_first(self.protocol.column_label(name)), count, rows)
        return list(found.values())

    # selection and specification

    @cached_property
    def image_models(self) -> list[str]:
        """Models that select among image features themselves."""
        return [name for name, model in self.protocol.models.items() if model.block]

    @cached_property
    def selections(self) -> list[dict[str, Any]]:
        """Features left after each step, of each model on image features; of many, the one that the primary is made of."""
        names = self.image_models
        if len(names) >= MOST_NAMED:
            used = {self.primary, *getattr(self.protocol.models[self.primary], "of", ())}
            names = [name for name in names if name in used]
        return [self._selection(name) for name in names]

    def _selection(self, model: str) -> dict[str, Any]:
        which, steps, before = {"model": model}, [], None
        rows = self.cells.rows("selection", which)
        for row in rows:
            if row["name"] not in _NO_STEPS and row["features_out"] != row["features_in"] and ": " not in row["name"]:
                left = self.cells.cell("selection", "features_out", which, step=row["step"], name=row["name"])
                steps.append((lower_first(step_label(row["name"], self.f.info)), left))
        if rows:
            before = self.cells.cell("selection", "features_in", which, step=rows[0]["step"], name=rows[0]["name"])
        terms = [row for row in self.f.terms(model) if "__" in row["term"] or not self.f.info.extracted]
        kept = [self.term(model, row["term"]) for row in terms] if 0 < len(terms) <= self.f.rules["most_terms"] else []
        weights = [
            item.id for item in self.f.kinds("feature_weights", "lasso") if model in item.models_needed("coefficients")
        ]
        see = list(dict.fromkeys(self.shown.get(name, name) for name in weights))
        return {
            "model": model,
            "first": float("nan") if before is None else before,
            "steps": steps,
            "kept": kept,
            "see": see,
        }

    @cached_property
    def summed_up(self) -> dict[str, Any] | None:
        """Features kept by many models: fewest and most."""
        if len(self.image_models) < MOST_NAMED:
            return None
        kept = []
        for name in self.image_models:
            rows = self.cells.rows("selection", {"model": name})
            if rows:
                last = rows[-1]
                kept.append(
                    self.cells.cell("selection", "features_out", {"model": name}, step=last["step"], name=last["name"])
                )
        return {"low": min(kept), "high": max(kept), "see": self.ids("feature_weights")} if kept else None

    def term(self, model: str, term: str) -> str:
        """A term in words, numbers in it bound to the model's table."""
        source = Source(contract("coefficients").below(model=model), (("term", term),), "term")
        parts = term.split("__", 2)
        if len(parts) == 3:
            label = bind_text(lower_first(region_label(parts[1])), source.step("region"))
            region = "" if len(self.protocol.sequences[parts[0]].regions) == 1 else f" ({label})"
            words = bind_text(term_words(term), source.step("words"))
            return f"{self.protocol.sequence_label(parts[0])}{region}: {words}"
        name, level = split_term(term, self.protocol.columns) or (term, "")
        if term in self.protocol.models:
            return f"the score of {self.f.names.model(term)}"
        if name in self.protocol.columns:
            label = lower_first(self.protocol.column_label(name))
            return f"{label} ({lower_first(self.protocol.level_label(name, level))})" if level else label
        return bind_text(term, source)

    @cached_property
    def forest(self) -> bool:
        """Whether the primary model has no coefficients."""
        return not self.cells.rows("coefficients", {"model": self.primary})

    @cached_property
    def terms(self) -> dict[str, Any]:
        """Terms of the primary model with odds ratios, or coefficients where it has no odds ratios."""
        which, rows = {"model": self.primary}, []
        found = self.f.terms(self.primary)
        odds = any(row.get("odds_ratio") for row in found)
        for row in found:
            cell = {
                name: self.cells.cell("coefficients", name, which, term=row["term"])
                for name in ("beta", "odds_ratio", "ci_low", "ci_high", "p")
            }
            rows.append({"label": self.term(self.primary, row["term"]), "beta": cell["beta"], **self._odds(cell)})
        every = self.cells.rows("coefficients", which)
        intercept = next((row["term"] for row in every if row not in found), "")
        return {
            "rows": rows,
            "odds": odds,
            "count": self.less_intercept(self.primary, len(found)),
            "intercept": self.cells.cell("coefficients", "beta", which, term=intercept),
        }

    def _odds(self, cell: Mapping[str, BoundNumber]) -> dict[str, str]:
        value, low, high = cell["odds_ratio"], cell["ci_low"], cell["ci_high"]
        text = shown(value, "ratio")
        if low == low and high == high:
            text += f", {100 * self.f.rules['odds_level']:g}% CI {shown(low, 'ratio')}–{shown(high, 'ratio')}"
        return {"odds": text, "p": shown(cell["p"], "p equals") if cell["p"] == cell["p"] else ""}

    def less_intercept(self, model: str, count: int) -> Any:
        """Terms without the intercept: rows of the table less one."""
        every = self.cells.over("count", "coefficients", "term", {"model": model})
        return combined("less one", every) if int(every) == count + 1 else every

    @cached_property
    def unstable(self) -> dict[str, Any]:
        """How often refits of the whole pipeline kept the primary model's predictors."""
        which = {"model": self.primary}
        low, high = (self.cells.over(how, "kept", "kept", which, in_model="yes") for how in ("smallest", "largest"))
        refits = self.cells.over("largest", "kept", "refits", which, in_model="yes")
        return {"low": low, "high": high, "refits": refits}

    # comparisons, calibration, usefulness

    @cached_property
    def holm(self) -> bool:
        """Whether printed p values are corrected."""
        tables = [item.adjusted for item in self.f.kinds("delong")]
        return not tables or any(tables)

    @cached_property
    def compared(self) -> list[dict[str, Any]]:
        """DeLong's tests of the primary model in the held-out sets; of many models the smallest p value."""
        p, made = "p_holm" if self.holm else "p", []
        for part in self.held_out or self.parts:
            rows = self.cells.rows("delong", partition=part.name)
            own = [row for row in rows if self.primary in (row["model_a"], row["model_b"])]
            own = [row for row in own if {row["model_a"], row["model_b"]} <= self.protocol.models.keys()]
            pairs = []
            for row in own if len(self.protocol.models) <= MOST_NAMED else ():
                which = {"partition": part.name, "model_a": row["model_a"], "model_b": row["model_b"]}
                cell = self.cells.cell("delong", "difference", **which)
                difference = BoundFloat(float(cell), cell.source)
                if self.primary == row["model_b"]:
                    difference = difference * -1
                other = row["model_a"] if row["model_b"] == self.primary else row["model_b"]
                value = self.cells.cell("delong", p, **which)
                if value == value:
                    pairs.append(
                        {"model": other, "difference": shown(difference, "fixed", 2), "p": shown(value, "p equals")}
                    )
            many = len(self.protocol.models) > MOST_NAMED
            smallest = self.cells.over("smallest", "delong", p, partition=part.name) if many else float("nan")
            tables = [
                item.id for item in self.f.kinds("delong") if part.name in (item.partitions_used() or [part.name])
            ]
            made.append({"name": part.name, "phrase": part.phrase, "pairs": pairs, "smallest": smallest, "see": tables})
        return made

    @cached_property
    def reclassified(self) -> list[dict[str, Any]]:
        """Improvements of pairs of models in the held-out sets."""
        made = []
        for reference, model in self.protocol.evaluation.comparisons:
            for part in self.held_out:
                idi, nri = (
                    self.measure(model, part.name, f"{name}_vs_{reference}") for name in ("idi", "nri_continuous")
                )
                if idi.value == idi.value and nri.value == nri.value:
                    texts = {name: interval(m.value, m.low, m.high) for name, m in (("idi", idi), ("nri", nri))}
                    made.append({"phrase": part.phrase, "reference": reference, "model": model, **texts})
        return made

    @cached_property
    def useful(self) -> list[dict[str, Any]]:
        """Differences in net benefit from treating all and none, by held-out set and threshold."""
        made = []
        for part in self.held_out:
            rows = []
            for at in self.protocol.evaluation.net_benefit_thresholds:
                over = {
                    n: self.measure(self.primary, part.name, f"net_benefit_{float(at):g}_over_{n}")
                    for n in ("all", "none")
                }
                if over["all"].value == over["all"].value:
                    rows.append({"at": f"{100 * at:g}%", **over})
            if rows:
                made.append({"name": part.name, "phrase": part.phrase, "rows": rows})
        return made
