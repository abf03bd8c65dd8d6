"""The statistics of tables and figures in the wording of a methods section: group comparisons, survival, nomograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from her2radiomics.manuscript.formatting import level, listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import lower_first, model_phrase, upper_first

EVERY = "*"  # among the tests of a table: all its columns
T_TESTS = {
    "welch": "Welch's t test",
    "student": "Student's t test",
    "levene": "Student's or Welch's t test as Levene's test of the variances decided",
}


def _drawn(info: RunInfo, kind: str) -> list[Mapping[str, Any]]:
    return [item for item in info.get("figures", []) if item["kind"] == kind]


def _printed(info: RunInfo, kind: str) -> list[Mapping[str, Any]]:
    return [item for item in info.get("tables", []) if item["kind"] == kind]


def statistics(info: RunInfo) -> tuple[str, ...]:
    """How groups were compared, survival estimated and nomograms drawn, as far as the protocol's tables and figures do."""
    return tuple(filter(None, (_groups(info), _survival(info), _nomograms(info), _relations(info))))


def _groups(info: RunInfo) -> str:
    tables = [item for item in _printed(info, "baseline") if item.get("test", True)]
    markers = [*_printed(info, "group_comparison"), *_drawn(info, "groups")]
    if not tables and not markers:
        return ""
    tests = dict.fromkeys(
        T_TESTS[item.get("variances", "welch")] for item in [*tables, *_printed(info, "group_comparison")]
    ) or {T_TESTS["welch"]: None}
    text = (
        "Continuous characteristics are given as mean ± standard deviation and were compared by "
        f"{' or '.join(tests)} where every group was compatible with a normal distribution (Shapiro–Wilk "
        "p > 0.05), and as median and quartiles with the Mann–Whitney test elsewhere (analysis of variance and "
        "Kruskal–Wallis for more than two groups)."
    )
    settled = dict.fromkeys(
        name for item in tables for name, how in item.get("summaries", {}).items() if how == "mean"
    )
    if settled:
        names = [lower_first(info.column_label(name)) for name in settled]
        text += f" For {listing(names)} the mean and the t test were chosen beforehand, as in the paper."
    if markers:
        columns = dict.fromkeys(name for item in markers for name in item["columns"])
        names = [lower_first(info.column_label(name)) for name in columns]
        text += f" The same tests compared {listing(names)} between the groups."
    if tables:
        corrected = "" if any(item.get("yates") for item in tables) else " without continuity correction"
        text += f" Counts were compared by the χ² test{corrected}"
        if any(item.get("tests", {}).get(EVERY) != "pearson" for item in tables):
            text += ", or Fisher's exact test where an expected count was below 5"
        ranked = _ranked(info, tables)
        text += (
            f"; levels that have an order ({listing(ranked)}) by the Mann–Whitney test." if ranked else "."
        )
    holm = any(item.get("adjusted") for item in _printed(info, "group_comparison"))
    return (
        f"{text} p values are two-sided{'' if holm else ' and not corrected for the number of comparisons'}."
    )


def _ranked(info: RunInfo, tables: Sequence[Mapping[str, Any]]) -> list[str]:
    """Printed names of the columns with levels that a table compares by ranks."""
    columns = info.get("columns", {})
    found: dict[str, None] = {}
    for item in tables:
        for name in item["columns"]:
            usual = "ranks" if columns.get(name, {}).get("kind") == "ordinal" else "chi2"
            tests = item.get("tests", {})
            if columns.get(name, {}).get("levels") and tests.get(name, tests.get(EVERY, usual)) == "ranks":
                found[lower_first(info.column_label(name))] = None
    return list(found)


def _survival(info: RunInfo) -> str:
    curves, tables, cox = (
        _drawn(info, "kaplan_meier"),
        _printed(info, "survival"),
        _printed(info, "cox"),
    )
    if not curves and not tables and not cox:
        return ""
    names = [item.get("endpoint") or info.column_label(item["time"]) for item in curves]
    names += [endpoint["label"] for item in [*tables, *cox] for endpoint in item["endpoints"]]
    endpoints = [lower_first(name) for name in dict.fromkeys(names)]
    verb = "was" if len(endpoints) == 1 else "were"
    text = (
        f"{upper_first(listing(endpoints))} {verb} estimated by the Kaplan–Meier method, "
        f"with {level(info.protocol['evaluation'].get('level', 0.95))} intervals on the log-log scale, and groups were "
        "compared by the log-rank test"
    )
    text += "; hazard ratios are those of Cox's proportional-hazards model." if tables or cox else "."
    if any(item.get("follow_up") for item in tables):
        text += " The median follow-up is by the reverse Kaplan–Meier method, in which deaths are censored and the end of "
        text += "follow-up is the event."
    return text


def _relations(info: RunInfo) -> str:
    """Agreement of readers, collinearity, correlation."""
    said = []
    for item in _printed(info, "agreement")[:1]:
        weights = item.get("weights", "quadratic")
        said.append(
            f"Agreement of two readers on descriptors is Cohen's κ, with {weights} weights for levels that have an order, "
            "and the intraclass correlation for numbers."
        )
    if _printed(info, "collinearity"):
        said.append("Collinearity was judged by variance inflation factors.")
    if _printed(info, "correlation"):
        said.append("Correlations are Spearman's rank correlations.")
    return " ".join(said)


def _nomograms(info: RunInfo) -> str:
    names = [model_phrase(info.model_label(item["model"])) for item in _drawn(info, "nomogram")]
    if not names:
        return ""
    whose = list(dict.fromkeys(names))
    drawn = (
        "The nomogram shows the logistic regression"
        if len(whose) == 1
        else "Nomograms show the logistic regressions"
    )
    return (
        f"{drawn} of {listing(whose)}: each predictor's contribution to the linear predictor was scaled to points, 100 for "
        "the widest, and the total is read as a probability."
    )
