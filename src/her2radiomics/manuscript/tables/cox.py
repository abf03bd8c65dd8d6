"""Cox regression of follow-up on several columns: each alone, and all together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from her2radiomics.core.columns import Column
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.events import counted, in_words
from her2radiomics.manuscript.fields import Partitions
from her2radiomics.manuscript.tables.collinearity import coded_columns
from her2radiomics.manuscript.tables.grouping import OUTCOME
from her2radiomics.manuscript.tables.inputs import TableInputs, chosen, read_participants
from her2radiomics.manuscript.tables.model import Heading, Rows, Table
from her2radiomics.manuscript.tables.registry import TableOptions, table
from her2radiomics.manuscript.tables.survival import Endpoint, check_endpoint
from her2radiomics.statistics import Cox, cox

BLOCKS = {"univariable": "Univariable", "multivariable": "Multivariable"}


class CoxTable(TableOptions):
    """Cox regression of follow-up on several columns: each alone, and all together."""

    kind: Literal["cox"]
    endpoints: tuple[Endpoint, ...] = Field(min_length=1, description="Follow-up times, in order.")
    columns: tuple[str, ...] = Field(
        min_length=1, description="Participants columns, in order; 'label' is the outcome."
    )
    partitions: Partitions = ()
    multivariable: bool = Field(True, description="Fit all columns together as well.")
    per_sd: bool = Field(False, description="Hazard ratios of continuous columns per standard deviation, not per unit.")

    def columns_used(self) -> tuple[str, ...]:
        """Columns of the regressions but the outcome, times and events."""
        ends = [name for end in self.endpoints for name in (end.time, end.event)]
        return tuple(dict.fromkeys(name for name in (*self.columns, *ends) if name != OUTCOME))


@table(
    CoxTable,
    needs=("participants",),
    example="""
        table_s6_cox:
          kind: cox
          title: Cox regression of survival
          endpoints: [{label: Overall survival, time: os_months, event: os_event}]
          columns: [label, age, tic]
    """,
)
def make(inputs: TableInputs, options: CoxTable) -> Table:
    """Print hazard ratios, a section per endpoint and a row per term.

    A univariable regression uses every patient whose column is known, the multivariable one those whose columns all are.

    Raises
    ------
    SettingsError
        An unknown partition or column, or an endpoint that is none.
    TableError
        A participants file that lacks a column.
    """
    partitions = chosen(options.partitions, inputs.partitions, "partition")
    for endpoint in options.endpoints:
        check_endpoint(endpoint, inputs, options.id)
    names = [name for name in options.columns if name != OUTCOME]
    patients = read_participants(inputs, partitions, options.columns_used())
    known = _with_outcome(inputs)
    patients[OUTCOME] = patients[OUTCOME].astype(str)
    if options.per_sd:
        numbers = [name for name in names if known.columns[name].kind == "continuous"]
        patients[numbers] = patients[numbers] / patients[numbers].std(ddof=1)
    rows, notes, penalised = Rows(), [], []
    for endpoint in options.endpoints:
        event = inputs.columns[endpoint.event]
        value, _ = counted(endpoint.event, event.levels, endpoint.event_level, options.id)
        seen = patients[endpoint.event] == (value if event.levels else float(value))
        followed = patients[endpoint.time].notna() & patients[endpoint.event].notna()
        here = patients[followed].assign(_event=seen[followed].astype(int))
        if len(event.levels) > 2:
            notes.append(f"{endpoint.label}: events are {in_words(value, event.levels)}.")
        rows.add(f"{endpoint.label} ({int(here['_event'].sum())} events)", section=True)
        fits = {("univariable", name): _fit(here, (name,), endpoint.time, known) for name in options.columns}
        whole = _fit(here, options.columns, endpoint.time, known) if options.multivariable else None
        fits |= {("multivariable", name): whole for name in options.columns}
        for name in options.columns:
            _add(rows, name, known.columns[name], {b: fits[b, name] for b in BLOCKS}, options, endpoint.label)
        if options.multivariable and whole is None:
            notes.append(
                f"{endpoint.label}: no multivariable regression, since nobody had the event or columns repeat each other."
            )
        elif whole is not None:
            notes.append(f"{endpoint.label}, multivariable: {whole.n} patients, {whole.events} events.")
        penalised += [fit for fit in fits.values() if fit is not None and fit.method == "firth"]
    if penalised:
        notes.append(
            "Where the events leave maximum likelihood without a solution, hazard ratios are Firth's, with profile "
            "intervals and likelihood-ratio p."
        )
    blocks = [block for block in BLOCKS if block == "univariable" or options.multivariable]
    headings = [
        heading
        for block in blocks
        for heading in (
            Heading(f"{block}_hr", f"HR ({fmt.level(inputs.level)} CI)", BLOCKS[block]),
            Heading(f"{block}_p", "p", BLOCKS[block]),
        )
    ]
    unit = "per standard deviation" if options.per_sd else "per unit"
    note = (
        f"HR: hazard ratio of Cox regression, for a continuous variable {unit}; Efron's method for ties, Wald intervals and "
        f"p. CI: confidence interval. {fmt.NOT_AVAILABLE}: not estimable."
    )
    first = ["endpoint", "characteristic", "level"]
    return options.table(inputs, rows, "Endpoint and characteristic", headings, [note, *notes], first=first)


def _with_outcome(inputs: TableInputs) -> TableInputs:
    """The inputs with the outcome as a column, the negative class as reference."""
    levels = {"0": inputs.outcome.negative, "1": inputs.outcome.positive}
    outcome = Column.model_validate({"label": inputs.outcome.label, "kind": "categorical", "levels": levels})
    return TableInputs(
        columns={**inputs.columns, OUTCOME: outcome},
        partitions=inputs.partitions,
        models=inputs.models,
        simulated=inputs.simulated,
    )


def _fit(here: pd.DataFrame, names: tuple[str, ...], time: str, inputs: TableInputs) -> Cox | None:
    """The regression on complete patients; ``None`` where it cannot be fitted."""
    complete = here.dropna(subset=list(names))
    coded, levels = coded_columns(complete, names, inputs)
    if coded.empty or not complete["_event"].any():
        return None
    try:
        return cox(coded, complete[time], complete["_event"], levels)
    except ValueError:  # columns that repeat each other, or nobody at risk together
        return None


def _add(rows: Rows, name: str, column: Column, fits: dict[str, Cox | None], options: CoxTable, endpoint: str) -> None:
    """Rows of a column: its levels under it, the reference marked, or one row of a number."""
    terms = {block: fit.table.set_index("term") for block, fit in fits.items() if fit is not None}
    base = {"endpoint": endpoint, "characteristic": column.label}

    def cells(term: str) -> dict[str, str]:
        made: dict[str, str] = {}
        for block in BLOCKS:
            row = terms[block].loc[term] if block in terms and term in terms[block].index else None
            hr = fmt.NOT_AVAILABLE
            if row is not None:
                hr = fmt.ratio_interval(row["hazard_ratio"], row["ci_low"], row["ci_high"])
            made |= {f"{block}_hr": hr, f"{block}_p": "" if row is None else fmt.p_value(float(row["p"]))}
        return made

    if column.kind != "categorical":
        label = f"{column.label}, per level" if column.kind == "ordinal" else column.heading
        rows.add(label, 1, cells={**base, **cells(name)})
        return
    rows.add(column.label, 1, cells=base)
    named = {level for table in terms.values() for level in column.levels if f"{name}[{level}]" in table.index}
    first = next((level for level in column.levels if level not in named), "")
    for level, label in column.levels.items():
        marked = {f"{block}_hr": "1 (reference)" for block in terms} if level == first and named else {}
        rows.add(label, 2, cells={**base, "level": label, **cells(f"{name}[{level}]"), **marked})
