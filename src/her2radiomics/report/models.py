"""A fitted model on the page: what it is, its formula, and how many features each step left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.names import INTERCEPT
from her2radiomics.manuscript.tables.text import true_minus
from her2radiomics.modelling import load_model
from her2radiomics.report.cautions import Fit, cautions, late_candidates
from her2radiomics.report.context import Grid, ModelSummary
from her2radiomics.report.facts import model_sentence
from her2radiomics.report.info import RunInfo
from her2radiomics.report.names import names_of, term_label
from her2radiomics.report.sections import file_links
from her2radiomics.report.words import step_label, upper_first

#: Files that the page links to.
FILES = ("calculator", "model", "coefficients", "selection", "predictions", "not_predicted", "calibration")


def model_summary(
    folder: Path, info: RunInfo, name: str, extra: pd.DataFrame, fits: Mapping[str, Fit], training: pd.DataFrame
) -> ModelSummary:
    """Gather one model.

    Parameters
    ----------
    folder
        The run's folder.
    info
        The run.
    name
        The model.
    extra
        ``performance_extra.csv``, whose ``note_`` rows are remarks on its evaluation.
    fits
        All models as fitted.
    training
        Training participants.

    Raises
    ------
    StudyError
        ``model.json`` is missing or broken.
    TableError
        ``coefficients.csv`` is missing or lacks a column.
    """
    layout = Layout(folder)
    fitted, spec = load_model(layout.path("model", model=name)), info.protocol.models[name]
    coefficients = layout.read("coefficients", model=name)
    marks = []
    if fitted.linear and fitted.empty:
        marks.append("Nothing was selected: the model is its intercept alone, and its AUC is 0.5.")
    if not fitted.linear:
        marks.append("A random forest has no coefficients and no formula; its trees are in model.json.")
    marks += cautions(fits[name], fits, info, training)
    label = info.protocol.model_label(name)
    return ModelSummary(
        id=name,
        label=label,
        kind=spec.about.label,
        description=model_sentence(info, name),
        score=info.protocol.score_label(name),
        formula=_formula(coefficients, info),
        coefficients=_coefficients(coefficients, info),
        selection=_selection(layout.read("selection", model=name), info),
        marks=tuple(marks),
        notes=(
            *(_note(note, info) for note in fitted.notes),
            *late_candidates(fits[name], fits, info),
            *_remarks(extra, info, name),
            *_not_predicted(layout.read("not_predicted", model=name), info),
        ),
        files=file_links(folder, FILES, model=name),
    )


def _note(text: str, info: RunInfo) -> str:
    """A remark of the fit as a sentence; one on a part begins with the part's printed name."""
    part, colon, rest = text.partition(": ")
    names = names_of(info)
    known = colon and part in info.protocol.models
    text = f"{names.model(part)}: {names.in_words(rest)}" if known else upper_first(names.in_words(text))
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _remarks(extra: pd.DataFrame, info: RunInfo, name: str) -> list[str]:
    """What a reader must know of the evaluation; that training values are apparent is said with every table."""
    notes = extra[(extra["model"] == name) & extra["measure"].astype(str).str.startswith("note_")]
    notes = notes[notes["measure"] != "note_apparent"]
    return [f"{info.protocol.partition_label(str(row['partition']))}: {row['method']}." for _, row in notes.iterrows()]


def _not_predicted(table: pd.DataFrame, info: RunInfo) -> list[str]:
    """How many patients of each partition the model could not predict, and why; who they are is in the file."""
    remarks = []
    for (partition, column, found), rows in table.groupby(["partition", "column", "found"], sort=False):
        where, label = info.protocol.partition_label(str(partition)), info.protocol.column_label(str(column))
        level = info.protocol.level_label(str(column), str(found))
        why = f"{label} was missing" if not found else f"{label} '{level}' did not occur in training"
        remarks.append(f"{where}: no prediction for {len(rows)} patient{'s' * (len(rows) > 1)}; {why}.")
    return remarks


def _formula(coefficients: pd.DataFrame, info: RunInfo) -> tuple[str, ...]:
    """Terms of the linear predictor, the intercept first, each with its sign."""
    parts: list[str] = []
    for _, row in coefficients.iterrows():
        beta, term = float(row["beta"]), str(row["term"])
        sign = ("− " if beta < 0 else "+ ") if parts else ("−" if beta < 0 else "")
        size = fmt.fixed(abs(beta), 4)
        parts.append(f"{sign}{size}" if term.lower() in INTERCEPT else f"{sign}{size} × {term_label(term, info)}")
    return tuple(parts)


def _coefficients(table: pd.DataFrame, info: RunInfo) -> Grid:
    headings, rows = ["Term", "β"], []
    full = "odds_ratio" in table.columns and table["odds_ratio"].notna().any()
    if full:
        headings += ["SE", "OR (95% CI)", "p"]
    for _, row in table.iterrows():
        cells = [term_label(str(row["term"]), info), fmt.fixed(float(row["beta"]), 4)]
        if full:
            cells.append(fmt.fixed(float(row["se"]), 4))
            cells.append(fmt.ratio_interval(*(float(row[n]) for n in ("odds_ratio", "ci_low", "ci_high"))))
            cells.append(fmt.p_value(float(row["p"])))
        rows.append(tuple(true_minus(cell) for cell in cells))
    return Grid(tuple(headings), tuple(rows))


def _selection(table: pd.DataFrame, info: RunInfo) -> Grid:
    """Steps of a model's own; those of its parts are given with the parts."""
    names = names_of(info)
    part = [name.rpartition(": ")[0] for name in table["name"]]
    given = [names.model(name) for name in dict.fromkeys(part) if name in info.protocol.models]
    rows = [(f"Steps of {fmt.listing(given)}", "", "", "as given with these models")] if given else []
    rows += [
        (
            step_label(row["name"], info),
            str(row["features_in"]),
            str(row["features_out"]),
            names.in_words(str(row["note"])),
        )
        for name, (_, row) in zip(part, table.iterrows(), strict=True)
        if name not in info.protocol.models
    ]
    return Grid(("Step", "Before", "After", "Remark"), tuple(rows))
