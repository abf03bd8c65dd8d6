"""The paper's numbers beside the run's, and whether they agree by the rule of their kind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from her2radiomics.core.contracts import rates
from her2radiomics.core.libraries import pd, scipy
from her2radiomics.core.printed import Number, parse
from her2radiomics.core.tables import assemble
from her2radiomics.extraction.names import CLASSES
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.names import Names
from her2radiomics.manuscript.published.lookup import Ours, Results
from her2radiomics.manuscript.published.settings import RULES, PublishedNumber, Rule, quantities
from her2radiomics.manuscript.tables.regression import BLOCKS
from her2radiomics.statistics import proportion_interval

Agreement = Literal["agrees", "differs", "not made in this run"]
Z95 = 1.959963984540054


def published_table(published: Sequence[PublishedNumber], results: Results, *, simulated: bool) -> pd.DataFrame:
    """Set every published number beside the run's.

    Parameters
    ----------
    published
        The protocol's published numbers, in order.
    results
        Where the run keeps its own, with printed names.
    simulated
        Whether the patients are simulated.

    Returns
    -------
    pandas.DataFrame
        The columns of the contract, a row a number: ``published`` and ``reproduced`` as numbers where they are some, as
        printed in ``published_text`` and ``reproduced_text``; ``item`` says of what (term, level, group, region);
        ``model`` reads ``a vs b`` for a comparison. ``agreement`` follows from ``rule`` alone.

    Raises
    ------
    SettingsError
        A quantity that nothing in the run is called, with the nearest name.
    """
    rows = []
    for number in published:
        ours = results.find(number)
        kind = quantities().get(number.quantity)
        rule: Rule = kind.rule if kind else "interval"
        rows.append(
            {
                "quantity": number.quantity,
                "model": f"{number.model} vs {number.versus}" if number.versus else number.model,
                "partition": number.partition,
                "published": _value(number.value),
                "published_low": _value(number.low),
                "published_high": _value(number.high),
                "reproduced": math.nan if ours.text[:1] in ("<", ">") else ours.value,
                "low": ours.low,
                "high": ours.high,
                "n": ours.n,
                "label": kind.label if kind else number.quantity.replace("_", " "),
                "item": item(number, results.names),
                "published_text": printed(number, results.names),
                "reproduced_text": reproduced(number, ours),
                "agreement": judge(number, ours, rule),
                "rule": RULES[rule],
                "place": number.source,
                "simulated": simulated,
            }
        )
    return assemble("published", rows).astype({"n": "Int64", "simulated": bool})


def _value(text: str | None) -> float:
    """The number of a printed text; none of a bound."""
    number = parse(text) if text else None
    return math.nan if number is None or number.bound else number.value


def printed(number: PublishedNumber, names: Names) -> str:
    """What the paper prints, as text."""
    if number.names:
        rule = quantities()[number.quantity].rule
        if rule == "order":
            return " > ".join(map(names.model, number.names)) if number.ranked else names.model(number.names[0])
        return ("; " if number.quantity == "features_kept" else ", ").join(map(names.term, number.names))
    if number.value is None:
        return f"{number.low} to {number.high}"
    text = parse(number.value).text
    text = f"{text} ± {number.sd}" if number.sd else text
    text = f"{text} of {number.n}" if number.n and number.quantity == "count" else text
    return f"{text} ({number.low}–{number.high})" if number.low and number.high else text


def reproduced(number: PublishedNumber, ours: Ours) -> str:
    """Our own number as text, empty where there is none."""
    kind = quantities().get(number.quantity)
    if not ours.text or kind is None or kind.source in ("table", "predictions"):
        return ours.text
    if kind.rule == "names":
        same = [name for name in number.names if name in ours.names]
        kept = f"; kept: {ours.text}" if number.quantity == "terms_kept" else f", {len(ours.names)} kept"
        return f"{len(same)} of {len(number.names)} the same{kept}"
    if number.quantity in rates():
        text = f"{fmt.fixed(100 * ours.value, 2)}%"
        ends = f" ({fmt.fixed(100 * ours.low, 1)}–{fmt.fixed(100 * ours.high, 1)})"
        return text if ours.low != ours.low else text + ends
    if number.quantity in ("delong_p", "regression_p"):
        return fmt.p_value(ours.value)
    if number.quantity == "odds_ratio":
        return fmt.ratio_interval(ours.value, ours.low, ours.high)
    if kind.rule == "equal" and kind.source != "regression":
        return f"{ours.value:.0f}"
    return ours.text if kind.rule == "order" else fmt.interval(ours.value, ours.low, ours.high, 3)


def item(number: PublishedNumber, names: Names) -> str:
    """Of what a number is, in words: term, row, level, group, and which features."""
    name, _, level = number.term.removesuffix("]").partition("[")
    name, level = name or number.row, level or number.level
    column = names.columns.get(name)
    parts = [
        names.term(name),
        column.levels.get(level, level) if column else level,
        names.group(number.group),
        BLOCKS[number.block].lower() if number.block else "",
        names.sequence(number.sequence),
        names.region(number.region),
        CLASSES[number.feature_class].short if number.feature_class in CLASSES else number.feature_class,
    ]
    return ", ".join(filter(None, parts))


def judge(number: PublishedNumber, ours: Ours, rule: Rule) -> Agreement:
    """Whether the two agree, by the rule of their kind (:data:`~her2radiomics.manuscript.published.settings.RULES`)."""
    if not ours.text:
        return "not made in this run"
    if rule == "names":
        first = ours.names[: len(number.names)] if number.ranked else tuple(sorted(ours.names))
        same = first == (number.names if number.ranked else tuple(sorted(number.names)))
    elif rule == "order":
        same = ours.names == number.names if number.ranked else ours.names[:1] == number.names[:1]
    elif rule == "range":
        low, high = (parse(text).value if text else math.nan for text in (number.low, number.high))
        same = ours.low <= low + 1e-9 and ours.high >= high - 1e-9
    else:
        assert number.value is not None or rule == "interval"
        value = parse(number.value, counted=rule in ("equal", "share")) if number.value else None
        same = _same(number, ours, rule, value)
    return "agrees" if same else "differs"


def _same(number: PublishedNumber, ours: Ours, rule: Rule, value: Number | None) -> bool:
    low, high = (parse(text).value if text else math.nan for text in (number.low, number.high))
    if rule == "interval":
        return _overlap(value.value if value else math.nan, low, high, ours)
    assert value is not None
    if rule == "p":
        significant = value.value <= 0.05 if value.bound == "<" else value.value < 0.05 and not value.bound
        return (not value.bound or value.agrees(ours.value)) and (ours.value < 0.05) == significant
    if rule == "bound":
        return value.agrees(ours.value)
    if rule == "direction":
        neutral = 0.0 if number.quantity == "beta" else 1.0
        known = low == low and ours.low == ours.low
        above = value.bound == ">" if value.bound else value.value > neutral
        return above == (ours.value > neutral) and (not known or _overlap(value.value, low, high, ours))
    if rule == "share":
        if not ours.n or not number.n:
            return value.agrees(ours.value)
        least, most = proportion_interval(ours.value, ours.n)
        return least <= value.value / number.n <= most
    if rule == "mean" and ours.sd == ours.sd and number.sd and number.n and ours.n:
        ours_half = Z95 * ours.sd / math.sqrt(ours.n)
        theirs = Z95 * parse(number.sd, counted=False).value / math.sqrt(number.n)
        return abs(value.value - ours.value) <= ours_half + theirs
    if rule == "spread" and ours.n and ours.n > 1:
        ends = [math.sqrt((ours.n - 1) / scipy.stats.chi2.ppf(q, ours.n - 1)) * ours.value for q in (0.975, 0.025)]
        return bool(ends[0] <= value.value <= ends[1])
    return value.agrees(ours.value)


def _overlap(value: float, low: float, high: float, ours: Ours) -> bool:
    """Whether the printed value lies in our interval or its interval overlaps ours; without ours, whether both are equal."""
    if ours.low != ours.low:
        return math.isclose(value, ours.value, abs_tol=5e-4)
    if low == low and high == high:
        return low <= ours.high and ours.low <= high
    return ours.low <= value <= ours.high
