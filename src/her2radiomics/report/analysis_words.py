"""The statistics of tables and figures in the wording of a methods section: group comparisons, survival, nomograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from her2radiomics.core.settings import Settings
from her2radiomics.manuscript.figures.groups import GroupsOptions
from her2radiomics.manuscript.figures.kaplan_meier import KaplanMeierOptions
from her2radiomics.manuscript.figures.nomogram import NomogramOptions
from her2radiomics.manuscript.formatting import level, listing
from her2radiomics.manuscript.tables.agreement import AgreementTable
from her2radiomics.manuscript.tables.baseline import BaselineTable
from her2radiomics.manuscript.tables.collinearity import CollinearityTable
from her2radiomics.manuscript.tables.correlation import CorrelationTable
from her2radiomics.manuscript.tables.cox import CoxTable
from her2radiomics.manuscript.tables.group_comparison import GroupComparisonTable
from her2radiomics.manuscript.tables.survival import SurvivalTable
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import lower_first, model_phrase, upper_first

EVERY = "*"  # among the tests of a table: all its columns
T_TESTS = {
    "welch": "Welch's t test",
    "student": "Student's t test",
    "levene": "Student's or Welch's t test as Levene's test of the variances decided",
}


Item = TypeVar("Item", bound=Settings)


def _of_kind(info: RunInfo, kind: type[Item]) -> list[Item]:
    """Figures or tables of the protocol whose options are of this class."""
    return [item for item in (*info.protocol.figures, *info.protocol.tables) if isinstance(item, kind)]


def statistics(info: RunInfo) -> tuple[str, ...]:
    """How groups were compared, survival estimated and nomograms drawn, as far as the protocol's tables and figures do."""
    return tuple(filter(None, (_groups(info), _survival(info), _nomograms(info), _relations(info))))


def _groups(info: RunInfo) -> str:
    tables = [item for item in _of_kind(info, BaselineTable) if item.test]
    compared = _of_kind(info, GroupComparisonTable)
    markers: list[GroupComparisonTable | GroupsOptions] = [*compared, *_of_kind(info, GroupsOptions)]
    if not tables and not markers:
        return ""
    variances = [*(item.variances for item in tables), *(item.variances for item in compared)]
    tests = dict.fromkeys(T_TESTS[how] for how in variances or ["welch"])
    text = (
        "Continuous characteristics are given as mean ± standard deviation and were compared by "
        f"{' or, in other tables, '.join(tests)} where every group was compatible with a normal distribution (Shapiro–Wilk "
        "p > 0.05), and as median and quartiles with the Mann–Whitney test elsewhere (analysis of variance and "
        "Kruskal–Wallis for more than two groups)."
    )
    settled = dict.fromkeys(name for item in tables for name, how in item.summaries.items() if how == "mean")
    if settled:
        names = [lower_first(info.protocol.column_label(name)) for name in settled]
        text += f" For {listing(names)} the mean and the t test were chosen beforehand, as in the paper."
    if markers:
        columns = dict.fromkeys(name for item in markers for name in item.columns)
        names = [lower_first(info.protocol.column_label(name)) for name in columns]
        text += f" The same tests compared {listing(names)} between the groups."
    if tables:
        corrected = "" if any(item.yates for item in tables) else " without continuity correction"
        text += f" Counts were compared by the χ² test{corrected}"
        if any(item.tests.get(EVERY) != "pearson" for item in tables):
            text += ", or Fisher's exact test where an expected count was below 5"
        ranked = _ranked(info, tables)
        text += f"; levels that have an order ({listing(ranked)}) by the Mann–Whitney test." if ranked else "."
    holm = any(item.adjusted for item in compared)
    return f"{text} These p values are two-sided{'' if holm else ' and not corrected for the number of comparisons'}."


def _ranked(info: RunInfo, tables: Sequence[BaselineTable]) -> list[str]:
    """Printed names of the columns with levels that a table compares by ranks."""
    found: dict[str, None] = {}
    for item in tables:
        for name in item.columns:
            column = info.protocol.columns.get(name)
            if column is None:  # the outcome
                continue
            usual = "ranks" if column.kind == "ordinal" else "chi2"
            if column.levels and item.tests.get(name, item.tests.get(EVERY, usual)) == "ranks":
                found[lower_first(column.label)] = None
    return list(found)


def _survival(info: RunInfo) -> str:
    curves = _of_kind(info, KaplanMeierOptions)
    tables, cox = _of_kind(info, SurvivalTable), _of_kind(info, CoxTable)
    if not curves and not tables and not cox:
        return ""
    names = [item.endpoint or info.protocol.column_label(item.time) for item in curves]
    endpoints_of: list[SurvivalTable | CoxTable] = [*tables, *cox]
    names += [endpoint.label for item in endpoints_of for endpoint in item.endpoints]
    endpoints = [lower_first(name) for name in dict.fromkeys(names)]
    verb = "was" if len(endpoints) == 1 else "were"
    text = (
        f"{upper_first(listing(endpoints))} {verb} estimated by the Kaplan–Meier method, "
        f"with {level(info.protocol.evaluation.level)} intervals on the log-log scale, and groups were "
        "compared by the log-rank test"
    )
    text += "; hazard ratios are those of Cox's proportional-hazards model." if tables or cox else "."
    if any(item.follow_up for item in tables):
        text += (
            " The median follow-up is by the reverse Kaplan–Meier method, in which deaths are censored and the end of "
        )
        text += "follow-up is the event."
    return text


def _relations(info: RunInfo) -> str:
    """Agreement of readers, collinearity, correlation."""
    said = []
    for item in _of_kind(info, AgreementTable)[:1]:
        said.append(
            f"Agreement of two readers on descriptors is Cohen's κ, with {item.weights} weights for levels that have "
            "an order, and the intraclass correlation for numbers."
        )
    if _of_kind(info, CollinearityTable):
        said.append("Collinearity was judged by variance inflation factors.")
    if _of_kind(info, CorrelationTable):
        said.append("Correlations are Spearman's rank correlations.")
    return " ".join(said)


def _nomograms(info: RunInfo) -> str:
    names = [info.protocol.model_label(item.model) for item in _of_kind(info, NomogramOptions)]
    if not names:
        return ""
    whose = list(dict.fromkeys(map(model_phrase, names)))
    drawn = (
        "The nomogram shows the logistic regression" if len(whose) == 1 else "Nomograms show the logistic regressions"
    )
    return (
        f"{drawn} of {listing(whose)}: each predictor's contribution to the linear predictor was scaled to points, 100 for "
        "the widest, and the total is read as a probability."
    )
