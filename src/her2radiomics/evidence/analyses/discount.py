"""The discount: what the study's test AUC is expected to be in new patients, by the benchmark on public tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.libraries import pd
from her2radiomics.evidence.analysis import Analysis, Finding, analysis, row, summary_row
from her2radiomics.evidence.areas import partition_areas
from her2radiomics.evidence.discount import ExpectedAuc, chain_of, expected_auc
from her2radiomics.evidence.drawing import Point, forest
from her2radiomics.evidence.study import EvidenceStudy, Facts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RULE = (
    "Holds where the test AUC lies within the interval of the benchmark or below it; does not hold where it lies above; "
    "cannot be told where the benchmark has no studies of this kind."
)


@analysis(label="The discount", question="What would a test AUC like this one be in new patients?", order=15)
class Discount(Analysis):
    """The study's test AUC beside what public radiomics tables let expect of it."""

    per_job: ClassVar[int] = 1

    analysis: Literal["discount"] = "discount"
    level: float = Field(0.90, gt=0, lt=1, description="Share of new data sets that the interval is to hold.")

    def obstacle(self, facts: Facts) -> str:
        """A study without a test set, or without a model on image features."""
        if not facts.tested:
            return "no patient is held out for testing, so that there is no test AUC to discount."
        if not self._models(facts):
            return "none of its main models is made of image features alone."
        return ""

    def method(self, facts: Facts) -> str:
        """Where the expectation comes from."""
        return (
            "The expectation comes from a benchmark: the chains of four studies were run on 28 public radiomics tables, "
            "each split at random ten times into studies of the size of published ones, and each model was applied to the "
            "patients held back. Tables that were left out fell into their 90% interval in 92% to 94% of the splits, also "
            "where the form of the calibration was chosen anew without them; the form that is used was chosen on all of "
            "the tables, which favours it slightly. A change of hospital, scanner or time is not in the benchmark and comes "
            "on top."
        )

    def repetitions(self, facts: Facts) -> int:
        """The study as it is."""
        return 1

    def repeat(self, study: EvidenceStudy, index: int) -> Iterator[dict[str, Any]]:
        """AUC of the models on image features, and what the benchmark is asked with."""
        names = self._models(study)
        fits = study.fit(study.rows(TRAINING), models=names)
        for name in names:
            for item in partition_areas(study, name, fits.get(name), study.outcome):
                if item["partition"] == study.tested[0]:
                    yield item
            block = study.about.models[name].block
            offered = block.columns(study.table, study.about.columns, name=name) if block else []
            yield row("features", float(len(offered)), model=name)

    def summarise(self, rows: pd.DataFrame, study: EvidenceStudy) -> Iterator[dict[str, Any]]:
        """The test AUC, and the AUC expected in new patients."""
        for name in self._models(study):
            found = self._expected(rows[rows["model"] == name], study, name)
            if found is None:
                continue
            where: dict[str, Any] = {"model": name, "partition": study.tested[0], "n": found.test_n}
            yield summary_row("auc", found.reported, method="this study", **where)
            words = f"{found.sentence} Benchmark chain: {found.chain or 'none'}"
            yield summary_row("auc_expected", found.expected, found.low, found.high, method=words, **where)

    def findings(self, summary: pd.DataFrame, facts: Facts) -> Iterable[Finding]:
        """Whether the test AUC is what new patients would give."""
        for name in self._models(facts):
            found = summary[summary["model"] == name].set_index("measure")
            if "auc_expected" not in found.index:
                continue
            reported, row_ = found.loc["auc", "value"], found.loc["auc_expected"]
            unknown, above = np.isnan(row_["value"]), reported > row_["high"]
            yield Finding(
                "cannot be told" if unknown else "does not hold" if above else "holds",
                f"{facts.label(name)}: the test AUC is not higher than the benchmark lets expect in new patients",
                str(row_["method"]).rsplit(" Benchmark chain:", 1)[0],
                RULE,
            )

    def draw(self, rows: pd.DataFrame, summary: pd.DataFrame, facts: Facts) -> Figure:
        """The test AUC above the expected one, for every model."""
        points = []
        for place, name in enumerate(self._models(facts)):
            for measure, label in (("auc", "Test set of this study"), ("auc_expected", "Expected in new patients")):
                for item in summary[(summary["model"] == name) & (summary["measure"] == measure)].itertuples():
                    interval = f" ({item.low:.2f} to {item.high:.2f})" if np.isfinite(item.low) else ""
                    text = f"{item.value:.2f}{interval}" if np.isfinite(item.value) else "no support"
                    points.append(Point(label, item.value, item.low, item.high, text, facts.label(name), place))
        return forest(points, f"AUC (bar: {self.level:.0%} of new data sets)", limits=(0.3, 1.0))

    def _models(self, facts: Facts) -> list[str]:
        """The main models that are made of image features alone."""
        return [
            name for name in facts.main if facts.about.models[name].block and facts.about.models[name].feature_steps()
        ]

    def _expected(self, rows: pd.DataFrame, study: EvidenceStudy, name: str) -> ExpectedAuc | None:
        """What the benchmark says of a model's test AUC; ``None`` where it has none."""
        tested = rows[rows["measure"] == "auc"]
        if tested.empty or tested["value"].isna().all():
            return None
        own = study.people[study.people["partition"].isin([TRAINING, study.tested[0]])]
        return expected_auc(
            float(tested["value"].iloc[0]),
            n=len(own),
            events=int(own["label"].sum()),
            features=int(rows.loc[rows["measure"] == "features", "value"].iloc[0]),
            test_n=int(tested["n"].iloc[0]),
            test_events=int(tested["events"].iloc[0]),
            chain=chain_of(study.about.models[name]),
            level=self.level,
        )
