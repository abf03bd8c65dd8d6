r"""From the benchmark's table to what a reported test AUC is worth, with an interval by left-out data sets.

AUCs are taken as the separation of two normal groups, :math:`d = \sqrt 2\,\Phi^{-1}(\mathrm{AUC})`, whose sampling variance
with :math:`m_1` events and :math:`m_0` others is close to :math:`1/m_1 + 1/m_0 + d^2 / 2(m_1 + m_0)`. For every chain and
order, the separations that models truly have in a study's test set (after whatever leaked) and in new patients are two
normal variables over data sets and draws, whose means depend linearly on the logarithm of n and on the share of the smaller
class. Their variances and covariance are those of the observed separations less the
sampling variances; every data set counts the same. What is expected of new patients is then the mean given the test AUC:
the smaller the test set, the more it is drawn to what such models usually reach.

The interval's width is not taken from the normal distribution: each data set is predicted from the others, and the width is
chosen so that new data sets are covered (conformal prediction with two layers, pooled distribution functions).

References
----------
Hedges & Olkin, Statistical Methods for Meta-Analysis (1985), chapter 5 (the sampling variance).
Morris, Journal of the American Statistical Association 78 (1983) 47–55 (empirical Bayes).
Dunn, Wasserman & Ramdas, Journal of the American Statistical Association 118 (2023) 2491–2502 (conformal, two layers).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from her2radiomics.core.libraries import pd, scipy

FILE = "table.csv.gz"
LEVEL = 0.90


@dataclass(frozen=True)
class Form:
    """What may be chosen in a relation; the defaults are those of the shipped calibration.

    Attributes
    ----------
    covariates
        Names of :func:`covariates`. With the number of features left-out data sets are not predicted better.
    ridge
        Penalty on the standardised covariates: their slopes are learnt from few data sets.
    unexplained
        Share of the variance in new patients that stays unexplained at least.
    """

    covariates: tuple[str, ...] = ("n", "share")
    ridge: float = 0.5
    unexplained: float = 0.1


USED = Form()


def separation(area: np.ndarray | float, positives: np.ndarray | float, negatives: np.ndarray | float) -> np.ndarray:
    """Separation of the two groups in SDs; an AUC of 0 or 1 is half a pair away from it."""
    pairs = np.multiply(positives, negatives)
    return np.asarray(np.sqrt(2) * scipy.special.ndtri((area * pairs + 0.5) / (pairs + 1)), dtype=float)


def area_of(d: np.ndarray | float) -> np.ndarray:
    """AUC of a separation."""
    return np.asarray(scipy.special.ndtr(np.divide(d, np.sqrt(2))), dtype=float)


def sampling_variance(
    d: np.ndarray | float, positives: np.ndarray | float, negatives: np.ndarray | float
) -> np.ndarray:
    """Variance of an observed separation."""
    return np.asarray(
        1 / np.asarray(positives) + 1 / np.asarray(negatives) + np.square(d) / (2 * np.add(positives, negatives))
    )


def read_benchmark() -> pd.DataFrame:
    """Return the shipped result table, a row for each data set, repetition, chain and order."""
    with files(__package__).joinpath(FILE).open("rb") as file:
        return pd.read_csv(file, compression="gzip")


def reported(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of models that kept a feature: no study reports the others."""
    return table[table["kept"] > 0]


def covariates(n: np.ndarray, events: np.ndarray, features: np.ndarray | None = None, form: Form = USED) -> np.ndarray:
    """Covariates of a form: logarithms of ``n`` and ``features``, ``share`` of the smaller class; (rows, covariates)."""
    n, events = np.asarray(n, dtype=float), np.asarray(events, dtype=float)
    known = {"n": np.log(n), "share": np.minimum(events, n - events) / n}
    if features is not None:
        known["features"] = np.log(features)
    return np.column_stack([np.empty((n.size, 0)), *(known[name] for name in form.covariates)])


@dataclass(frozen=True)
class Rows:
    """Benchmark rows of one chain and order, as the fit needs them.

    Attributes
    ----------
    dataset
        Name of the data set, shape (rows,).
    z
        Covariates, shape (rows, covariates).
    test, new
        Separations, shape (rows,).
    test_noise, new_noise
        Their sampling variances, shape (rows,).
    """

    dataset: np.ndarray
    z: np.ndarray
    test: np.ndarray
    new: np.ndarray
    test_noise: np.ndarray
    new_noise: np.ndarray

    @classmethod
    def of(cls, table: pd.DataFrame, form: Form = USED) -> Rows:
        """Take rows of the benchmark's table."""
        numbers = {name: table[name].to_numpy(dtype=float) for name in table.columns if name not in _WORDS}
        found = {}
        for part in ("test", "new"):
            positives = numbers[f"{part}_events"]
            negatives = numbers[f"{part}_n"] - positives
            found[part] = separation(numbers[part], positives, negatives)
            found[f"{part}_noise"] = sampling_variance(found[part], positives, negatives)
        z = covariates(numbers["n"], numbers["events"], numbers["features"], form)
        return cls(table["dataset"].to_numpy(dtype=str), z, **found)

    def keep(self, mask: np.ndarray) -> Rows:
        """Return the marked rows."""
        return Rows(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})


_WORDS = ("dataset", "chain", "order")


@dataclass(frozen=True)
class Relation:
    """What test AUCs and AUCs in new patients have to do with each other, for one chain and order.

    Attributes
    ----------
    centre, scale
        Of the covariates, shape (covariates,).
    means
        Intercept and slopes of the two separations, shape (1 + covariates, 2): test, new.
    test, new, both
        Variances of the two separations about their means, and their covariance, without sampling errors.
    unexplained
        Share of ``new`` that stays unexplained at least.
    """

    centre: np.ndarray
    scale: np.ndarray
    means: np.ndarray
    test: float
    new: float
    both: float
    unexplained: float = USED.unexplained

    @classmethod
    def fit(cls, rows: Rows, form: Form = USED) -> Relation:
        """Fit by moments; every data set has the same weight."""
        _, place, count = np.unique(rows.dataset, return_inverse=True, return_counts=True)
        weight = 1 / (count[place] * count.size)
        centre = weight @ rows.z
        scale = np.sqrt(weight @ np.square(rows.z - centre))
        scale = np.where(scale > 0, scale, 1.0)
        design = np.column_stack([np.ones(len(place)), (rows.z - centre) / scale])
        both = np.column_stack([rows.test, rows.new])
        penalty = np.diag([0.0, *[form.ridge] * rows.z.shape[1]])
        means = np.linalg.solve(design.T @ (design * weight[:, None]) + penalty, design.T @ (both * weight[:, None]))
        rest = both - design @ means
        spread = rest.T @ (rest * weight[:, None])
        smallest = 0.01
        test = max(float(spread[0, 0] - weight @ rows.test_noise), smallest)
        new = max(float(spread[1, 1] - weight @ rows.new_noise), smallest)
        limit = np.sqrt(test * new)
        return cls(centre, scale, means, test, new, float(np.clip(spread[0, 1], -limit, limit)), form.unexplained)

    def predict(self, z: np.ndarray, test: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of the separation in new patients, given that of the test set; shape (rows,) each."""
        design = np.column_stack([np.ones(len(z)), (z - self.centre) / self.scale])
        means = design @ self.means
        slope = self.both / (self.test + noise)
        mean = means[:, 1] + slope * (test - means[:, 0])
        variance = np.maximum(self.new - slope * self.both, self.unexplained * self.new)
        return mean, variance


def left_out_scores(rows: Rows, without: str = "", form: Form = USED) -> pd.DataFrame:
    """Predict each data set from the others.

    Parameters
    ----------
    rows
        Rows of one chain and order.
    without
        A data set that takes no part at all.
    form
        That of ``rows`` and of the relations.

    Returns
    -------
    pandas.DataFrame
        ``dataset``, ``expected`` (separation), ``error`` and ``score`` (the error in predicted SDs, sampling error of the
        new patients included), in the order of the rows.
    """
    rows = rows.keep(rows.dataset != without)
    found = {name: np.empty(len(rows.test)) for name in ("expected", "error", "score")}
    for name in np.unique(rows.dataset):
        mine = rows.dataset == name
        relation, own = Relation.fit(rows.keep(~mine), form), rows.keep(mine)
        mean, variance = relation.predict(own.z, own.test, own.test_noise)
        found["expected"][mine] = mean
        found["error"][mine] = own.new - mean
        found["score"][mine] = np.abs(own.new - mean) / np.sqrt(variance + own.new_noise)
    return pd.DataFrame({"dataset": rows.dataset, **found})


def width(scores: pd.DataFrame, level: float) -> float:
    """Predicted SDs that cover a new data set with a probability of ``level``.

    The scores' distribution has the same weight for every data set, and the weight of one more at infinity.

    Raises
    ------
    ValueError
        There are too few data sets for the level.
    """
    count = scores["dataset"].nunique()
    if level > count / (count + 1):
        raise ValueError(
            f"level: found {level:g}; expected at most {count / (count + 1):.3f}, since there are {count} data sets"
        )
    ordered = scores.sort_values("score", kind="stable")
    share = 1 / (ordered.groupby("dataset")["score"].transform("size").to_numpy() * (count + 1))
    return float(ordered["score"].to_numpy()[np.searchsorted(np.cumsum(share), level - 1e-12)])


@dataclass(frozen=True)
class Calibration:
    """The relations of all chains and orders, and the errors by which their intervals are as wide as they are."""

    relations: dict[tuple[str, str], Relation]
    scores: dict[tuple[str, str], pd.DataFrame]

    @classmethod
    def fit(cls, table: pd.DataFrame) -> Calibration:
        """Fit on the benchmark's table."""
        groups = grouped(table)
        return cls(
            {key: Relation.fit(rows) for key, rows in groups}, {key: left_out_scores(rows) for key, rows in groups}
        )

    def interval(
        self, key: tuple[str, str], z: np.ndarray, test: np.ndarray, noise: np.ndarray, level: float = LEVEL
    ) -> np.ndarray:
        """Expected AUC in new patients, and the limits for a new data set; shape (rows, 3)."""
        mean, variance = self.relations[key].predict(z, test, noise)
        reach = width(self.scores[key], level) * np.sqrt(variance)
        return np.column_stack([area_of(mean), area_of(mean - reach), area_of(mean + reach)])


def grouped(table: pd.DataFrame, form: Form = USED) -> list[tuple[tuple[str, str], Rows]]:
    """Rows of each chain and order."""
    return [((str(c), str(o)), Rows.of(part, form)) for (c, o), part in reported(table).groupby(["chain", "order"])]


def judged(own: Rows, others: Rows, level: float, form: Form = USED) -> pd.DataFrame:
    """Predict some data sets from others, and compare with what was seen.

    Returns
    -------
    pandas.DataFrame
        A row for each data set of ``own``, see :func:`coverage`.
    """
    mean, variance = Relation.fit(others, form).predict(own.z, own.test, own.test_noise)
    reach = width(left_out_scores(others, form=form), level) * np.sqrt(variance + own.new_noise)
    areas = {"reported": own.test, "expected": mean, "observed": own.new}
    found = pd.DataFrame({name: area_of(value) for name, value in areas.items()})
    found = found.assign(
        dataset=own.dataset,
        rows=1,
        error=found["expected"] - found["observed"],
        missed=(found["expected"] - found["observed"]).abs(),
        missed_as_reported=(found["reported"] - found["observed"]).abs(),
        covered=(np.abs(own.new - mean) <= reach).astype(float),
    )
    by_dataset = found.groupby("dataset")
    return by_dataset.mean().assign(rows=by_dataset["rows"].sum()).reset_index()


def coverage(table: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """What the calibration says of data sets that it has never seen.

    Both the relation and the width of the interval are fitted without the data set.

    Returns
    -------
    pandas.DataFrame
        ``chain, order, dataset, rows, reported, expected, observed`` (mean AUCs), ``error`` (mean of expected less
        observed), ``missed`` and ``missed_as_reported`` (mean absolute error of the expected and of the reported AUC of
        one study), ``covered`` (share of rows whose AUC in new patients is in the interval, widened by the
        sampling error of those patients).
    """
    found = []
    for (chain, order), rows in grouped(table):
        for name in np.unique(rows.dataset):
            own = rows.dataset == name
            row = judged(rows.keep(own), rows.keep(~own), level)
            found.append(row.assign(chain=chain, order=order))
    return pd.concat(found, ignore_index=True)


def extrapolation(table: pd.DataFrame, features: int, level: float = LEVEL) -> pd.DataFrame:
    """Predict the data sets with more than ``features`` features from the others; the columns of :func:`coverage`."""
    few = table["features"] <= features
    fitted = dict(grouped(table[few]))
    return pd.concat(
        [judged(rows, fitted[key], level).assign(chain=key[0], order=key[1]) for key, rows in grouped(table[~few])],
        ignore_index=True,
    )


@cache
def shipped() -> Calibration:
    """The calibration of the shipped table."""
    return Calibration.fit(read_benchmark())
