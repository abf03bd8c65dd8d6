"""The paper's printed numbers beside the run's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from her2radiomics.core.contracts import FROM_0_TO_1, SHARE, contract, quantities
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.core.tables import assemble
from her2radiomics.manuscript.tables.inputs import known


class PublishedNumber(Settings):
    """A number that the paper prints, and that a run can set beside its own."""

    quantity: str = Field(description=f"{', '.join(quantities())}, or a measure of performance_extra.csv.")
    model: str = Field("", description="The model it belongs to; empty for numbers of the cohort.")
    versus: str = Field("", description="The second model of a comparison (delong_p).")
    partition: str = Field("", description="The partition it belongs to; empty for numbers of no partition.")
    value: float = Field(description="The number, proportions between 0 and 1 (83.72 % is 0.8372).")
    low: float | None = Field(None, description="Lower bound of its interval, where printed.")
    high: float | None = Field(None, description="Upper bound of its interval, where printed.")
    source: str = Field(min_length=1, description="Where in the paper it stands.")


def published_table(
    published: Sequence[PublishedNumber],
    performance: pd.DataFrame,
    extra: pd.DataFrame,
    delong: pd.DataFrame,
    *,
    counts: Mapping[tuple[str, str], float] | None = None,
    simulated: bool,
) -> pd.DataFrame:
    """Set every published number beside the run's.

    Parameters
    ----------
    published
        The protocol's published numbers, in order.
    performance, extra, delong
        ``performance.csv``, ``performance_extra.csv`` and ``delong.csv``. Intervals of rates are taken from
        ``extra``, from the row whose ``measure`` is the quantity.
    counts
        Numbers of the run that no table holds, by (quantity, model; empty for the whole run), such as
        ``("features_extracted", "")`` or ``("features_selected", "radiomics")``.
    simulated
        Whether the patients are simulated.

    Returns
    -------
    pandas.DataFrame
        The columns of the contract; ``reproduced`` is empty where this run has no such model or partition
        (another cohort, a variant), and ``model`` reads ``a vs b`` for a comparison.

    Raises
    ------
    SettingsError
        A quantity that nothing in the run is called, with the nearest name.
    ValueError
        A published proportion outside [0, 1], or an interval that does not hold its value.
    """
    counts = counts or {}
    measures = list(dict.fromkeys([*quantities(), *extra["measure"]]))
    rows = []
    for number in published:
        known(number.quantity, measures, "published quantity")
        _check(number)
        value, low, high, n = _reproduced(number, performance, extra, delong, counts)
        rows.append(
            {
                "quantity": number.quantity,
                "model": f"{number.model} vs {number.versus}" if number.versus else number.model,
                "partition": number.partition,
                "published": number.value,
                "published_low": math.nan if number.low is None else number.low,
                "published_high": math.nan if number.high is None else number.high,
                "reproduced": value,
                "low": low,
                "high": high,
                "n": n,
                "simulated": simulated,
            }
        )
    return assemble("published", rows).astype({"n": "Int64", "simulated": bool})


def _check(number: PublishedNumber) -> None:
    where = f"published {number.quantity} ({number.source})"
    quantity = quantities().get(number.quantity)
    if quantity and quantity.unit in (FROM_0_TO_1, SHARE) and not 0 <= number.value <= 1:
        raise ValueError(f"{where}: found {number.value}, expected 0 to 1. Write 83.72 % as 0.8372.")
    low = number.value if number.low is None else number.low
    high = number.value if number.high is None else number.high
    if not low <= number.value <= high:
        raise ValueError(
            f"{where}: found {number.value} outside its interval {low} to {high}. Correct the protocol."
        )


def _reproduced(
    number: PublishedNumber,
    performance: pd.DataFrame,
    extra: pd.DataFrame,
    delong: pd.DataFrame,
    counts: Mapping[tuple[str, str], float],
) -> tuple[float, float, float, int | None]:
    """Value, bounds and number of patients; NaN and None where the run has none."""
    nothing = (math.nan, math.nan, math.nan, None)
    if (number.quantity, number.model) in counts:
        return float(counts[number.quantity, number.model]), math.nan, math.nan, None
    if number.quantity == "delong_p":
        pair = {number.model, number.versus}
        found = delong[
            (delong["partition"] == number.partition)
            & delong["model_a"].isin(pair)
            & delong["model_b"].isin(pair)
        ]
        return (
            nothing
            if found.empty
            else (float(found["p"].iloc[0]), math.nan, math.nan, int(found["n"].iloc[0]))
        )
    rows = performance[performance["partition"] == number.partition]
    if number.model or number.quantity not in ("n", "events"):
        rows = rows[rows["model"] == number.model]
    others = extra[
        (extra["partition"] == number.partition)
        & (extra["model"] == number.model)
        & (extra["measure"] == number.quantity)
    ]
    n = None if rows.empty else int(rows["n"].iloc[0])
    low = high = math.nan
    if not others.empty:
        low, high = float(others["low"].iloc[0]), float(others["high"].iloc[0])
    if number.quantity in contract("performance").names:
        if rows.empty:
            return nothing
        bounds = contract("performance").bounds(number.quantity)
        if bounds:
            low, high = (float(rows[bound].iloc[0]) for bound in bounds)
        return float(rows[number.quantity].iloc[0]), low, high, n
    return nothing if others.empty else (float(others["value"].iloc[0]), low, high, n)
