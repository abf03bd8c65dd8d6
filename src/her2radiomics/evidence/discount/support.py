"""Where the calibration has support: the ranges of the benchmark's table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from her2radiomics.core.libraries import pd
from her2radiomics.evidence.discount.calibration import read_benchmark, reported

#: Times the largest number of features up to which the calibration is used: data sets with up to twice as many features as
#: those it was fitted on were predicted as well (``docs/discount.md``).
MORE_FEATURES = 2
#: Share of a count that lies in range beyond the ends: the largest drawn study is a draw, too.
BEYOND = 0.05
#: Data sets that had a test AUC as high, or as low, for it to be in range.
ENOUGH = 5


@dataclass(frozen=True)
class Range:
    """A quantity from the lowest to the highest that the benchmark has, and a twentieth beyond for a count."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Whether a value lies in the range."""
        beyond = BEYOND if self.high > 1 else 0.0
        return self.low * (1 - beyond) <= value <= self.high * (1 + beyond)


@dataclass(frozen=True)
class Support:
    """Ranges of the benchmark.

    Attributes
    ----------
    n, features, test_n
        Patients of a study, features that its chain started from, patients of its test set.
    share
        Share of the smaller class among the patients.
    auc
        Reported test AUC by chain and order: at least :data:`ENOUGH` data sets have had one as high, and as low.
    """

    n: Range
    features: Range
    test_n: Range
    share: Range
    auc: dict[tuple[str, str], Range]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Support:
        """Take the ranges of the benchmark's table."""
        table = reported(table)
        n, features, test_n = (_range(table[name]) for name in ("n", "features", "test_n"))
        smaller = table["events"].clip(upper=table["n"] - table["events"]) / table["n"]
        areas = {}
        for (chain, order), part in table.groupby(["chain", "order"]):
            ends = part.groupby("dataset")["test"].agg(["min", "max"])
            place = min(ENOUGH, len(ends)) - 1
            areas[str(chain), str(order)] = Range(
                float(ends["min"].sort_values().iloc[place]),
                float(ends["max"].sort_values(ascending=False).iloc[place]),
            )
        return cls(n, features, test_n, _range(smaller), areas)

    def reasons(
        self, area: float, *, n: int, events: int, features: int, test_n: int, chain: str, order: str
    ) -> tuple[str, ...]:
        """Why the calibration says nothing about a study, in words; empty where it does."""
        found = []
        for value, known, what in (
            (n, self.n, "patients"),
            (features, Range(self.features.low, self.features.high * MORE_FEATURES), "features"),
            (test_n, self.test_n, "patients in the test set"),
        ):
            if value not in known:
                found.append(f"it has {value:,} {what}; the benchmark supports {known.low:,.0f} to {known.high:,.0f}")
        share = min(events, n - events) / n
        if share not in self.share:
            ends = f"{self.share.low:.0%} to {self.share.high:.0%}"
            found.append(f"the smaller class is {share:.0%} of its patients, in the benchmark {ends}")
        if (chain, order) not in self.auc:
            found.append(
                f"its chain of steps is none of the {len({name for name, _ in self.auc})} of the benchmark ("
                + ", ".join(sorted({name for name, _ in self.auc}))
                + ")"
            )
        elif area not in (known := self.auc[chain, order]):
            found.append(
                f"a test AUC of {area:.2f} is outside {known.low:.2f} to {known.high:.2f}, the range that at least "
                f"{ENOUGH} data sets of the benchmark reach"
            )
        return tuple(found)

    def beyond(self, features: int) -> str:
        """A sentence on features beyond the benchmark, or an empty string."""
        if features <= self.features.high:
            return ""
        return (
            f"The study started from {features:,} features, more than the benchmark's {self.features.high:,.0f}; data sets "
            "with up to twice as many features as those fitted on were predicted as well."
        )


def _range(values: pd.Series) -> Range:
    return Range(float(values.min()), float(values.max()))


@cache
def shipped_support() -> Support:
    """The ranges of the shipped table."""
    return Support.of(read_benchmark())
