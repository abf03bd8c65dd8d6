"""What all selection steps share: settings with words, what a fit may look at, and what it leaves.

A step is one settings class: :meth:`SelectionStep.fit` learns from training rows and returns a :class:`FittedStep`, which
transforms any rows. Nothing here imports scikit-learn, so that protocols are read without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.core.registry import Kinds
from her2radiomics.core.settings import Settings
from her2radiomics.modelling.people import People
from her2radiomics.modelling.saved.rules import Adjustment

if TYPE_CHECKING:
    from her2radiomics.modelling.readers import SecondReader

# relative spread below which a column counts as constant: rounding of a mean, not a measurement
CONSTANT = 1e-12

#: What a step does to a table: only a reduction counts as selection of features, scaling and harmonisation keep them all.
Role = Literal["scaling", "harmonisation", "reproducibility", "reduction", "restoration"]


def is_constant(values: np.ndarray) -> np.ndarray:
    """Mark the columns of a finite (rows × features) array that do not vary beyond rounding."""
    if values.shape[0] == 0:
        return np.ones(values.shape[1], dtype=bool)
    spread = values.max(axis=0) - values.min(axis=0)
    return spread <= CONSTANT * np.abs(values).max(axis=0)


@dataclass(frozen=True)
class Training:
    """What a step may look at beside its rows and their labels.

    Attributes
    ----------
    seed
        Seed of folds and halves.
    first_reader
        Reader 1's unscaled features of the rows that the chain is fitted on.
    second_reader
        The second reader's unscaled features.
    people
        Centre and covariates of the patients.
    persons
        Patient to person, of those who share one with another patient: they share a fold and a half.
    sequences
        Sequences that the model was asked to use; none: all.
    before
        Steps that ran before this one.
    inner
        Steps that a restoring step runs itself, before it restores.
    """

    seed: int = 0
    first_reader: pd.DataFrame | None = None
    second_reader: SecondReader | None = None
    people: People | None = None
    persons: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[str, ...] = ()
    before: tuple[SelectionStep, ...] = ()
    inner: tuple[SelectionStep, ...] = ()


@dataclass(frozen=True)
class FittedStep:
    """What a step learned; this one keeps columns as they are.

    Attributes
    ----------
    names_in, names_out
        Features that the step was given and that it keeps, in the order of the columns.
    note
        What the selection report says about the step.
    """

    names_in: tuple[str, ...]
    names_out: tuple[str, ...]
    note: str

    @classmethod
    def of(cls, X: pd.DataFrame, keep: np.ndarray | None, note: str, **learned: Any) -> Self:
        """Make one from the rows it was fitted on, and which of their columns it keeps (``None``: all)."""
        names = tuple(X.columns)
        kept = names if keep is None else tuple(n for n, k in zip(names, keep, strict=True) if k)
        return cls(names, kept, note, **learned)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Keep the selected columns."""
        return X if tuple(X.columns) == self.names_out else X[list(self.names_out)]

    def scalings(self, feature: str) -> tuple[tuple[float, float] | Adjustment, ...]:
        """What the step does to a feature: ``(shift, scale)`` for ``(x - shift) / scale``, or ComBat's adjustment."""
        return ()

    def flat(self) -> tuple[FittedStep, ...]:
        """Return the step, after those that it ran itself."""
        return (self,)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the fit that are kept beside the model, by name."""
        return {}

    def notes(self) -> list[str]:
        """Sentences on the fit for ``model.json`` and the report."""
        return []

    def selection_rows(self, step: str) -> list[dict[str, Any]]:
        """Rows of the selection report."""
        counts = {"features_in": len(self.names_in), "features_out": len(self.names_out)}
        return [{"name": step, **counts, "note": self.note}]


@dataclass(frozen=True)
class StepKind:
    """What is printed and known about a kind of step.

    Attributes
    ----------
    name
        As protocols write it.
    label
        Printed name in the report.
    role
        What the step does to a table.
    short
        Printed name in figures and checklists; without it the label.
    noun
        Its name inside a sentence, "after z-scoring"; without it the label.
    references
        Keys of ``report/references.json``.
    once
        Whether a chain may hold the step only once.
    """

    name: str
    label: str
    role: Role
    short: str = ""
    noun: str = ""
    references: tuple[str, ...] = ()
    once: bool = False

    def __post_init__(self) -> None:
        """Fill the names that are not given."""
        object.__setattr__(self, "short", self.short or self.label)
        object.__setattr__(self, "noun", self.noun or self.label)

    @property
    def reduces(self) -> bool:
        """Whether the step counts as selection of features."""
        return self.role == "reduction"

    @property
    def keeps_all(self) -> bool:
        """Whether every feature stays."""
        return self.role in ("scaling", "harmonisation")


class SelectionStep(Settings):
    """Base of the steps; a subclass has the field ``step``, the fields of its settings, and what is abstract here.

    The docstring of a step says what it does and by which convention: reference page and handbook print it.
    """

    about: ClassVar[StepKind]
    if TYPE_CHECKING:
        step: str

    @abstractmethod
    def sentence(self, before: Sequence[SelectionStep]) -> str:
        """Return the step in the wording of a methods section, given the steps before it."""

    @abstractmethod
    def fit(self, X: pd.DataFrame, y: np.ndarray, training: Training) -> FittedStep:
        """Learn from training rows.

        Parameters
        ----------
        X
            Patients × features, finite numbers.
        y
            Labels, 0 or 1, in the order of the rows.
        training
            What else there is.
        """

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns that the step reads."""
        return ()


#: Every kind of step by its name; filled when the package ``steps`` is imported.
STEPS: Kinds[SelectionStep] = Kinds("selection step", SelectionStep, "step", StepKind)  # type: ignore[type-abstract]
selection_step = STEPS.register


def fit_steps(
    steps: Sequence[SelectionStep], X: pd.DataFrame, y: np.ndarray, training: Training
) -> tuple[tuple[tuple[str, FittedStep], ...], pd.DataFrame]:
    """Fit steps one after the other, each on what the one before leaves.

    Returns
    -------
    tuple
        The fitted steps by name (a kind that occurs twice is numbered), and the features that are left.
    """
    ran: list[tuple[str, FittedStep]] = []
    count: dict[str, int] = {}
    for place, step in enumerate(steps):
        fitted = step.fit(X, y, replace(training, before=(*training.before, *steps[:place])))
        X = fitted.transform(X)
        name = step.about.name
        count[name] = count.get(name, 0) + 1
        ran.append((name if count[name] == 1 else f"{name}_{count[name]}", fitted))
    return tuple(ran), X
