"""Univariable and multivariable logistic regression, side by side, levels under their column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.core.errors import TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.tables import read, read_text
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.names import INTERCEPT
from her2radiomics.manuscript.tables.inputs import TableInputs, known
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table

if TYPE_CHECKING:
    from pathlib import Path

    # rows of one regression by (column or other term, level or empty)
    Terms = dict[tuple[str, str], pd.Series]

BLOCKS = {"univariate": "Univariable", "multivariate": "Multivariable", "coefficients": "Final model"}
NO_PATIENT = "no training patients"
STATISTICS = {"beta": "β", "se": "SE", "wald": "Wald", "odds_ratio": "OR (95% CI)", "p": "p"}


Block = Literal["univariate", "multivariate", "coefficients"]
Statistic = Literal["beta", "se", "wald", "odds_ratio", "p"]


class RegressionTable(TableOptions):
    """Univariable and multivariable logistic regression, side by side."""

    kind: Literal["regression"]
    model: str = Field(description="The model whose regressions are printed.")
    blocks: tuple[Block, ...] = Field(
        ("univariate", "multivariate"),
        min_length=1,
        description="Which regressions, in order; 'coefficients' are those of the final model.",
    )
    statistics: tuple[Statistic, ...] = Field(
        ("odds_ratio", "p"), min_length=1, description="What is printed of each term; odds_ratio brings its 95% CI."
    )
    intercept: bool = Field(False, description="Print the intercept.")
    per: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict,
        description="Continuous columns to the step that β, SE and odds ratio are printed for, such as adc: 0.1; "
        "1 unit by default.",
    )

    def columns_used(self) -> tuple[str, ...]:
        """Columns with a step of their own."""
        return (*super().columns_used(), *self.per)

    def needs(self) -> tuple[str, ...]:
        """The regressions that are printed, and the training patients, whose levels decide on the reference."""
        return (*self.blocks, "participants")


@table(
    RegressionTable,
    needs=("univariate", "multivariate", "coefficients", "participants"),
    example="""
        table_2_regression: {kind: regression, title: Univariate and multivariable regression, model: clinical}
        table_4_nomogram:
          kind: regression
          title: The nomogram
          model: nomogram
          blocks: [coefficients]
          statistics: [beta, se, odds_ratio, p]
          intercept: true
    """,
)
def make(inputs: TableInputs, options: RegressionTable) -> Table:
    """Print the regressions of one model: a row per term, a group of columns a regression.

    Raises
    ------
    TableError
        A level that its column does not have, or a term given twice.
    SettingsError
        An unknown model, or a file that was not handed over.
    """
    known(options.model, inputs.models, "model")
    blocks: dict[str, Terms] = {
        name: _read(name, inputs.file(name, options.model), inputs.columns) for name in options.blocks
    }
    rows, ordinal = Rows(), []
    for name in _order(blocks):
        column = inputs.columns.get(name)
        if name.lower() in INTERCEPT:
            if options.intercept:
                rows.add("Intercept", cells=_cells(blocks, (name, ""), options, "Intercept"))
        elif column and column.kind == "categorical":
            _add_levels(rows, name, column, blocks, options, _seen(name, inputs))
        else:
            text = column.heading if column else _printed(name, inputs)
            if column and name in options.per:
                text = f"{column.label}, per {fmt.quantity(options.per[name], column.unit)}"
            if column and column.kind == "ordinal":
                text += ", per level"
                codes = [f"{code} ({level})" for code, level in enumerate(column.levels.values())]
                ordinal.append(f"{column.label} is entered as {', '.join(codes)}.")
            rows.add(text, cells=_cells(blocks, (name, ""), options, text))
    if not rows.labels:
        rows.add("No variable was selected", cells={"characteristic": "No variable was selected"})
    headings = tuple(
        Heading(f"{block}_{name}", STATISTICS[name], BLOCKS[block] if len(blocks) > 1 else "")
        for block in blocks
        for name in options.statistics
    )
    notes = [*_footnotes(blocks, inputs, options), *ordinal]
    return options.table(inputs, rows, "Characteristic", headings, notes, first=["characteristic", "level"])


def split_term(term: str, columns: Mapping[str, Column]) -> tuple[str, str] | None:
    """Split a regression term into column and level.

    ``column[level]`` and ``column=level`` are understood, the level by its key or as printed. A term that is
    no column is printed as it is; ``None`` means a column with a level that it does not have.
    """
    if term in columns:
        return term, ""
    for name in sorted(columns, key=len, reverse=True):
        rest = term.removeprefix(name)
        if rest == term or not (rest[0] == "=" or (rest[0] == "[" and rest[-1] == "]")):
            continue
        level = rest[1:] if rest[0] == "=" else rest[1:-1]
        for key, printed in columns[name].levels.items():
            if level in (key, printed):
                return name, key
        return None
    return term, ""


def _read(block: str, path: Path, columns: Mapping[str, Column]) -> Terms:
    terms: Terms = {}
    # a penalised regression has no standard errors
    for _, row in read(block, path).reindex(columns=list(contract(block).names)).iterrows():
        term = row["term"]
        split = split_term(term, columns)
        if split is None:
            raise TableError(
                file=path,
                column="term",
                found=f"'{term}'",
                expected="a level that the protocol declares for its column",
                remedy="Declare the level in the protocol.",
            )
        if split in terms:
            raise TableError(
                file=path, column="term", found=f"'{term}' twice", expected="each term once", remedy="Make it again."
            )
        terms[split] = row
    return terms


def _order(blocks: Mapping[str, Terms]) -> list[str]:
    """Columns and other terms in the order in which the regressions list them, the intercept first."""
    names = dict.fromkeys(name for terms in blocks.values() for name, _ in terms)
    return sorted(names, key=lambda name: name.lower() not in INTERCEPT)


def _seen(name: str, inputs: TableInputs) -> list[str]:
    """Levels of a column that training patients have; all of them where there is no table of participants."""
    path = inputs.participants.get(TRAINING)
    if path is None:
        return list(inputs.columns[name].levels)
    present = set(read_text("partition_participants", path)[name])
    return [level for level in inputs.columns[name].levels if level in present]


def _add_levels(
    rows: Rows, name: str, column: Column, blocks: Mapping[str, Terms], options: RegressionTable, seen: list[str]
) -> None:
    """Rows of a categorical column: the column with its overall p, then its levels, the fit's reference marked.

    The reference is the first level that training patients have; a level that none has is said to have none.
    """
    termed = {level for terms in blocks.values() for term, level in terms if term == name}
    reference = next((level for level in seen if level not in termed), "")
    at = _at(options, "odds_ratio")
    head: dict[str, str] = {}
    marks: dict[str, dict[str, str]] = {level: {} for level in column.levels}
    for block, terms in blocks.items():
        mine = [row for (term, _), row in terms.items() if term == name]
        if not mine:
            head |= {f"{block}_{statistic}": fmt.NOT_AVAILABLE for statistic in options.statistics}
            continue
        if reference:
            word = "1 (reference)" if at == "odds_ratio" else "reference"
            marks[reference][f"{block}_{at}"] = word
        for level in set(column.levels) - set(seen):
            marks[level][f"{block}_{at}"] = NO_PATIENT
        if len(mine) > 1 and "p_variable" in mine[0].index and "p" in options.statistics:
            head[f"{block}_p"] = fmt.p_value(float(mine[0]["p_variable"]))
    rows.add(column.label, cells={"characteristic": column.label, **head})
    for level, label in column.levels.items():
        cells = {"characteristic": column.label}
        if level != reference and level in seen:
            cells = _cells(blocks, (name, level), options, column.label)
        rows.add(label, 1, cells={**cells, "level": label, **marks[level]})


def _printed(term: str, inputs: TableInputs) -> str:
    """Name of a term that is no column: a named score, another model's score, or an image feature."""
    if term in inputs.terms:
        return inputs.terms[term]
    return inputs.names.term(term)


def _at(options: RegressionTable, preferred: str) -> str:
    return preferred if preferred in options.statistics else options.statistics[0]


def _cells(
    blocks: Mapping[str, Terms], term: tuple[str, str], options: RegressionTable, characteristic: str
) -> dict[str, str]:
    cells = {"characteristic": characteristic}
    for block, terms in blocks.items():
        row = terms.get(term)
        if row is None and term[1] and not any(name == term[0] for name, _ in terms):
            continue  # the whole column is not in this regression: said once, in its own row
        for name in options.statistics:
            step = options.per.get(term[0], 1.0)
            cells[f"{block}_{name}"] = fmt.NOT_AVAILABLE if row is None else _statistic(row, name, step)
    return cells


def _statistic(row: pd.Series, name: str, step: float) -> str:
    """A number of a term; coefficients and odds ratios are those of ``step`` units."""
    if name == "odds_ratio":
        return fmt.ratio_interval(*(_power(float(row[part]), step) for part in ("odds_ratio", "ci_low", "ci_high")))
    if name == "p":
        return fmt.p_value(float(row["p"]))
    return fmt.fixed(float(row[name]) * (step if name in ("beta", "se") else 1), 3)


def _power(ratio: float, step: float) -> float:
    try:
        return ratio**step
    except OverflowError:
        return math.inf


def _footnotes(blocks: Mapping[str, Terms], inputs: TableInputs, options: RegressionTable) -> list[str]:
    notes = [f"Logistic regression in the training set, {inputs.outcome.positive} vs {inputs.outcome.negative}."]
    if "odds_ratio" in options.statistics:
        numbers = {name for terms in blocks.values() for name, _ in terms if name in inputs.columns}
        per_unit = any(inputs.columns[name].kind == "continuous" for name in numbers - set(options.per))
        unit = ", for a continuous variable per unit" * per_unit
        notes.append(f"OR: odds ratio{unit}; CI: confidence interval.")
    if {"beta", "se", "wald"} & set(options.statistics):
        notes.append("β: regression coefficient; SE: its standard error; Wald: (β / SE)².")
    if len({frozenset(terms) for terms in blocks.values()}) > 1:
        notes.append(f"{fmt.NOT_AVAILABLE}: not in that regression.")
    rows = [row for terms in blocks.values() for row in terms.values()]
    if any(row.get("method") == "firth" for row in rows):
        notes.append(
            "Where the classes were separated, Firth's penalised likelihood was used instead of maximum likelihood, with "
            "profile intervals and likelihood-ratio p values."
        )
    unfitted = [str(row["term"]) for row in rows if row["beta"] != row["beta"]]
    if unfitted:
        names = [inputs.columns[t].label if t in inputs.columns else t for t in dict.fromkeys(unfitted)]
        notes.append(f"Not estimable (one value in all patients): {fmt.listing(names)}.")
    return notes
