"""The methods section, written out from a protocol: what was done, with what settings, and what it left.

The sentences are in ``templates/methods``. Page and manuscript print the same ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from her2radiomics.core.bound import pieces, plain, seen_in
from her2radiomics.core.settings import Settings
from her2radiomics.evaluation.settings import INTERVALS
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.names import CLASSES, IMAGE_TYPES, INTERPOLATORS
from her2radiomics.extraction.options import log_sigmas
from her2radiomics.manuscript.figures.groups import GroupsOptions
from her2radiomics.manuscript.figures.kaplan_meier import KaplanMeierOptions
from her2radiomics.manuscript.tables.agreement import AgreementTable
from her2radiomics.manuscript.tables.baseline import BaselineTable
from her2radiomics.manuscript.tables.cox import CoxTable
from her2radiomics.manuscript.tables.group_comparison import GroupComparisonTable
from her2radiomics.manuscript.tables.survival import SurvivalTable
from her2radiomics.report.context import Methods
from her2radiomics.report.facts import Facts
from her2radiomics.report.prose import Section, sections
from her2radiomics.report.references import references
from her2radiomics.report.words import lower_first

if TYPE_CHECKING:
    from her2radiomics.study.protocol import Protocol

TEMPLATES = ("patients", "imaging", "extraction", "models", "evaluation", "statistics")
EVERY = "*"  # among the tests of a table: all its columns
Item = TypeVar("Item", bound=Settings)


def methods(facts: Facts, *, counted: bool = True) -> tuple[Section, ...]:
    """The sections of the methods, with marks; ``counted`` adds the number of features that each step left."""
    return tuple(section for template in TEMPLATES for section in of_template(template, facts, counted=counted))


def of_template(template: str, facts: Facts, *, flow: bool = True, counted: bool = True) -> tuple[Section, ...]:
    """Sections of one template; without ``flow`` nothing of the run's tables is said."""
    protocol = facts.protocol
    more: dict[str, Any] = {
        "patients": dict,
        "imaging": dict,
        "extraction": lambda: _extraction(facts, flow),
        "models": lambda: {"agreement": facts.agreement if flow else [], "counted": flow and counted},
        "evaluation": lambda: _evaluation(protocol),
        "statistics": lambda: _statistics(facts),
    }[template]()
    usual = {"f": facts, "p": protocol, "rules": facts.rules, "flow": flow}

    def see_kinds(*kinds: str) -> str:
        return seen_in(*(item.id for item in facts.kinds(*kinds)))

    return sections("report", f"methods/{template}.txt", {**usual, "see_kinds": see_kinds, **more}, "methods.")


def for_page(parts: Sequence[Section], facts: Facts) -> tuple[Methods, ...]:
    """The sections as a page prints them, and the references that they cite."""
    cited = {key for part in parts for _, text in part.paragraphs for key in citations(text)}
    made = [Methods(part.heading, tuple(plain(text) for _, text in part.paragraphs)) for part in parts]
    return (*made, Methods("References for the methods", references(cited), numbered=True))


def citations(text: str) -> Iterator[str]:
    """Keys of the references that a text cites, in order."""
    for kind, keys, _ in pieces(text):
        if kind == "c":
            yield from keys.split(",")


def ordinal(value: float) -> str:
    """A percentile as printed: 1st, 2nd, 97.5th."""
    ending = "th"
    if float(value).is_integer() and int(value) % 100 not in (11, 12, 13):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(int(value) % 10, "th")
    return f"{value:g}{ending}"


def _extraction(facts: Facts, flow: bool) -> dict[str, Any]:
    return {
        "measured": list(_measured(facts)) if flow else [],
        "extractions": list(facts.extractions()) if facts.info.extracted else [],
        "ordinal": ordinal,
        "own_padding": lambda item: log_sigmas(item.log_padding) != LOG_PADDING,
        "classes": CLASSES,
        "image_types": IMAGE_TYPES,
        "interpolators": INTERPOLATORS,
    }


def _measured(facts: Facts) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Columns measured from images, and of how many patients the value has another origin."""
    columns = dict.fromkeys(row["column"] for row in facts.cells.rows("measured"))
    for name in columns:
        counts = Counter(row["origin"] for row in facts.cells.rows("measured", column=name))
        yield (
            name,
            {
                origin: facts.cells.over("count", "measured", "patient_id", column=name, origin=origin)
                if counts[origin]
                else 0
                for origin in ("participants table", "missing")
            },
        )


def _evaluation(protocol: Protocol) -> dict[str, Any]:
    folds = {int(model.reported_folds): model.reported_folds for model in protocol.models.values()}
    return {
        "how": INTERVALS[protocol.evaluation.ci_method],
        "folds": [f"{folds[number]}-fold" for number in sorted(folds) if number],
    }


def _statistics(facts: Facts) -> dict[str, Any]:
    """Which comparisons the protocol's tables and figures hold."""
    items = (*facts.protocol.figures, *facts.protocol.tables)

    def of(kind: type[Item]) -> list[Item]:
        return [item for item in items if isinstance(item, kind)]

    def label(name: str) -> str:
        return lower_first(facts.protocol.column_label(name))

    described, compared = [item for item in of(BaselineTable) if item.test], of(GroupComparisonTable)
    drawn, tables, cox = of(GroupsOptions), of(SurvivalTable), of(CoxTable)
    endpoints = [item.endpoint or facts.protocol.column_label(item.time) for item in of(KaplanMeierOptions)]
    named: list[SurvivalTable | CoxTable] = [*tables, *cox]
    endpoints += [endpoint.label for table in named for endpoint in table.endpoints]
    means = dict.fromkeys(name for item in described for name, how in item.summaries.items() if how == "mean")
    markers: list[GroupComparisonTable | GroupsOptions] = [*compared, *drawn]
    columns = dict.fromkeys(name for item in markers for name in item.columns)
    variances = [item.variances for item in (*described, *compared)]
    nomograms = dict.fromkeys(item.model for item in facts.kinds("nomogram"))
    return {
        "described": described,
        "compared": compared,
        "drawn": drawn,
        "variances": list(dict.fromkeys(variances or ["welch"])),
        "settled": [label(name) for name in means],
        "marked_columns": [label(name) for name in columns],
        "yates": any(item.yates for item in described),
        "fisher": any(item.tests.get(EVERY) != "pearson" for item in described),
        "ranked": _ranked(facts, described),
        "endpoints": [lower_first(name) for name in dict.fromkeys(endpoints)],
        "hazard": bool(tables or cox),
        "follow_up": any(item.follow_up for item in tables),
        "nomograms": list(nomograms),
        "agreement": of(AgreementTable),
        "software": [f"{name} {version}" for name, version in facts.software.items()],
    }


def _ranked(facts: Facts, tables: Sequence[BaselineTable]) -> list[str]:
    """Printed names of the columns with levels that a table compares by ranks."""
    found: dict[str, None] = {}
    for item in tables:
        for name in item.columns:
            column = facts.protocol.columns.get(name)
            if column is None:  # the outcome
                continue
            usual = "ranks" if column.kind == "ordinal" else "chi2"
            if column.levels and item.tests.get(name, item.tests.get(EVERY, usual)) == "ranks":
                found[lower_first(column.label)] = None
    return list(found)
