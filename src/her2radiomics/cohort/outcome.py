"""The outcome: a participants column of 0 and 1, or one with levels of which two groups are compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from her2radiomics.cohort.tables import require_columns, type_columns
from her2radiomics.core.brought.numbers import number
from her2radiomics.core.brought.origins import Origins
from her2radiomics.core.columns import Column
from her2radiomics.core.derivation import with_sources
from her2radiomics.core.errors import Problems
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings


class Label(Settings):
    """The outcome to predict."""

    column: str = Field(description="Participants column that holds it, 1 positive and 0 negative.")
    positive: str = Field(description="Printed name of the positive class.")
    negative: str = Field(description="Printed name of the negative class.")
    definition: str = Field(description="How it was determined, as a methods section says it.")
    positive_levels: tuple[str, ...] = Field(
        (), description="Levels of the column that are the positive class, where it is no 0 and 1."
    )
    negative_levels: tuple[str, ...] = Field(
        (), description="Levels that are the negative class; patients of other levels are left out, with a reason."
    )

    @model_validator(mode="after")
    def _two_groups(self) -> Label:
        if bool(self.positive_levels) != bool(self.negative_levels):
            raise ValueError("positive_levels and negative_levels: expected both or none")
        both = set(self.positive_levels) & set(self.negative_levels)
        if both:
            raise ValueError(f"the level '{min(both)}' is in both classes")
        return self

    @property
    def compared(self) -> tuple[str, ...]:
        """Levels that are compared; none where the column holds 0 and 1."""
        return (*self.positive_levels, *self.negative_levels)


def outcome_columns(label: Label, columns: Mapping[str, Column]) -> set[str]:
    """The label's column and all that it is derived from: never predictors."""
    return with_sources([label.column], columns)


def set_apart(
    participants: pd.DataFrame, label: Label, columns: Mapping[str, Column], file: str | Path | Origins
) -> pd.DataFrame:
    """Participants, those whose level of the outcome is not compared with a reason for leaving.

    Parameters
    ----------
    participants
        The participants table, all text, with ``exclude_reason``.
    label
        The outcome.
    columns
        The protocol's columns.
    file
        The table's path, named in errors.
    """
    if not label.compared:
        return participants
    column = columns[label.column]
    typed = _typed(participants[participants["exclude_reason"] == ""], label, columns, file)
    apart = typed[typed.notna() & ~typed.isin(label.compared)]
    reasons = participants["patient_id"].map({p: f"Not compared: {column.levels[v]}" for p, v in apart.items()})
    return participants.assign(exclude_reason=participants["exclude_reason"].where(reasons.isna(), reasons))


def labels_of(
    participants: pd.DataFrame, label: Label, columns: Mapping[str, Column], file: str | Path | Origins
) -> pd.Series:
    """Return the label of every included patient as ``int`` 0 or 1, indexed by patient identifier.

    Raises
    ------
    TableError
        Every patient without an outcome, or with one that is neither 0 nor 1.
    """
    classes = dict.fromkeys(label.positive_levels, 1) | dict.fromkeys(label.negative_levels, 0) or {"1": 1, "0": 0}
    if label.compared or (label.column in columns and columns[label.column].derived):
        values = _typed(participants, label, columns, file)
        labels = values.map(classes)
    else:
        require_columns(participants, [label.column], file)
        values = participants.set_index("patient_id")[label.column]
        labels = pd.Series([number(cell) for cell in values], index=values.index, dtype=float)
        labels = labels.where(labels.isin([0, 1]))
    problems = Problems()
    for patient in values.index[labels.isna().to_numpy()]:
        value = values.loc[patient]
        problems.append(
            Origins.of(file).problem(
                patient=str(patient),
                column=label.column,
                found=f"'{value}'" if isinstance(value, str) else "no outcome",
                expected=" or ".join(label.compared) or "0 or 1",
                remedy="Code the outcome 1 (positive) or 0, recode it in the cohort file, or complete what it is made "
                "from; give a patient without one an exclude_reason.",
            )
        )
    problems.refuse()
    return labels.astype(int)


def _typed(
    participants: pd.DataFrame, label: Label, columns: Mapping[str, Column], file: str | Path | Origins
) -> pd.Series:
    needed = outcome_columns(label, columns)
    return type_columns(participants, {name: c for name, c in columns.items() if name in needed}, file)[label.column]
