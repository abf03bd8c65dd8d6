"""The steps of a model on image features, one after the other: their order, their fit, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.modelling.base import FittedStep, SelectionStep, Training, fit_steps
from her2radiomics.modelling.steps.lasso import PenaltyPath

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.rules import Adjustment

#: Name and printed names of the rule that runs before all steps.
NUMBERS = "numbers"
NUMBERS_LABEL, NUMBERS_SHORT = "Numeric in all training patients", "Numeric in training"


# magnitude above which squares overflow, and spread below whose inverse they vanish
EXTREME = 1e150


@dataclass(frozen=True)
class FittedNumbers(FittedStep):
    """Features that are a number for every training row, and whose squares are; later gaps are filled with the medians.

    Attributes
    ----------
    training
        The training rows of the features that are kept, shape (rows, features).
    extreme
        Features that were dropped since they lie beyond 1e150, or vary by less than 1e-150.
    copies
        ``b = a`` for every feature that equals an earlier one in all training rows; both stay.
    """

    training: np.ndarray
    extreme: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()

    @classmethod
    def fit(cls, X: pd.DataFrame) -> FittedNumbers:
        """Learn which features are usable numbers for every training row, and their medians."""
        values = X.to_numpy(dtype=float)
        finite = np.isfinite(values).all(axis=0)
        known = np.where(finite, values, 0.0)
        spread = np.ptp(known, axis=0)
        extreme = (np.abs(known).max(axis=0) > EXTREME) | ((spread > 0) & (spread < 1 / EXTREME))
        keep, first = finite & ~extreme, dict[bytes, str]()
        # only features that share their value in the first row can be copies
        _, group, size = np.unique(known[:1], return_inverse=True, return_counts=True)
        alike = np.flatnonzero(keep & (size[group.ravel()] > 1) if len(known) else keep)
        named = zip(X.columns[alike], known[:, alike].T + 0.0, strict=True)
        pairs = [(name, first.setdefault(column.tobytes(), name)) for name, column in named]
        lost, odd = int((~finite).sum()), int(extreme.sum())
        parts = [f"{lost} not a number for every training patient"] if lost else []
        parts += [f"{odd} beyond 1e150, or varying by less than 1e-150"] if odd else []
        return cls.of(
            X,
            keep,
            ", ".join(parts),
            training=values[:, keep],
            extreme=tuple(X.columns[extreme]),
            copies=tuple(f"{name} = {of}" for name, of in pairs if of != name),
        )

    def notes(self) -> list[str]:
        """How many features were dropped, and which are copies."""
        lost = len(self.names_in) - len(self.names_out) - len(self.extreme)
        notes = [f"{lost} features were not a number in training and were dropped"] if lost else []
        for names, what in (
            (self.extreme, "features are too large or vary too little for squares, and were dropped"),
            (self.copies, "features are exact copies of others in training"),
        ):
            if names:
                notes.append(f"{len(names)} {what}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}")
        return notes

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Keep the numeric features; missing and infinite values become the training medians."""
        names = list(self.names_out)
        values = X[names].to_numpy(dtype=float)
        finite = np.isfinite(values)
        if not finite.all():
            values = np.where(finite, values, np.median(self.training, axis=0))
        return pd.DataFrame(values, index=X.index, columns=names)


@dataclass(frozen=True)
class FittedChain:
    """A fitted chain of steps.

    Attributes
    ----------
    steps
        Name and fitted step, in the order in which they ran; the rule for values that are not numbers is the first.
    """

    steps: tuple[tuple[str, FittedStep], ...]

    def __getitem__(self, name: str) -> FittedStep:
        """Return the step of a name."""
        return dict(self.steps)[name]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the kept features of any rows, scaled as in training."""
        for _, step in self.steps:
            X = step.transform(X)
        return X

    def flat(self) -> list[FittedStep]:
        """Steps in the order in which they ran, those inside a forced retention before it."""
        return [part for _, step in self.steps for part in step.flat()]

    def median(self, feature: str) -> float:
        """Training median of a feature that is a number."""
        numbers = self[NUMBERS]
        assert isinstance(numbers, FittedNumbers)
        return float(np.median(numbers.training[:, numbers.names_out.index(feature)]))

    def scalings(self, feature: str) -> tuple[tuple[float, float] | Adjustment, ...]:
        """What the chain does to a feature, one after the other: ``(shift, scale)``, or ComBat's adjustment."""
        return tuple(pair for _, step in self.steps for pair in step.scalings(feature))

    def selection_rows(self) -> list[dict[str, Any]]:
        """Rows of ``selection.csv``, without the step numbers."""
        return [row for name, step in self.steps for row in step.selection_rows(name)]

    def tables(self) -> dict[str, pd.DataFrame]:
        """What the steps leave: ``reproducibility``, ``lasso_path`` and ``lasso_cv``, ``stability``."""
        return {name: table for step in self.flat() for name, table in step.tables().items()}

    def notes(self) -> list[str]:
        """Sentences on features that training dropped since they are not numbers, and on harmonisation."""
        return [note for step in self.flat() for note in step.notes()]


def fit_chain(
    steps: Sequence[SelectionStep], X: pd.DataFrame, y: np.ndarray, training: Training
) -> tuple[FittedChain, pd.DataFrame]:
    """Fit the steps of a model; the rule for values that are not numbers comes first.

    Parameters
    ----------
    steps
        The steps, in an order that :func:`check_order` allows.
    X
        Patients × features.
    y
        Labels, 0 or 1, in the order of the rows.
    training
        What the steps may look at beside these rows.

    Returns
    -------
    tuple
        The fitted chain, and the features that it keeps, scaled.
    """
    steps = tuple(steps)
    numbers = FittedNumbers.fit(X)
    X = numbers.transform(X)
    roles = [step.about.role for step in steps]
    if "restoration" not in roles:
        ran, X = fit_steps(steps, X, y, training)
        return FittedChain(((NUMBERS, numbers), *ran)), X
    place = roles.index("restoration")
    # what retention may restore from: the features after the reproducibility filter, and after ComBat, which learns
    # from all features together and cannot be learned again on the restored ones
    whole = ("reproducibility", "harmonisation")
    start = max((n for n, role in enumerate(roles[:place], start=1) if role in whole), default=0)
    first, X = fit_steps(steps[:start], X, y, training)
    retention = steps[place].fit(X, y, replace(training, before=steps[:start], inner=steps[start:place]))
    X = retention.transform(X)
    later, X = fit_steps(steps[place + 1 :], X, y, replace(training, before=steps[: place + 1]))
    seen = {step.about.name for step in steps[:place]}
    after = ((f"{name}_after" if name in seen else name, step) for name, step in later)
    return FittedChain(((NUMBERS, numbers), *first, (steps[place].about.name, retention), *after)), X


def check_order(steps: Sequence[SelectionStep]) -> None:
    """Refuse a chain that cannot run.

    Raises
    ------
    ValueError
        A step that may occur once occurs twice, or forced retention without what it needs before it.
    """
    names = [step.about.name for step in steps]
    for step in steps:
        if step.about.once and names.count(step.about.name) > 1:
            times = names.count(step.about.name)
            raise ValueError(f"the step '{step.about.name}' is given {times} times; once is enough")
    paths = [place for place, step in enumerate(steps) if isinstance(step, PenaltyPath)]
    if len(paths) > 1:
        raise ValueError(f"the steps 'lasso' and 'elastic_net' are given {len(paths)} times; one of them is enough")
    restoring = [place for place, step in enumerate(steps) if step.about.role == "restoration"]
    if not restoring:
        return
    name = names[restoring[0]]
    if not paths or paths[0] > restoring[0]:
        raise ValueError(f"'{name}' needs a 'lasso' or 'elastic_net' step before it")
    for step in steps[paths[0] :]:
        if step.about.role in ("reproducibility", "harmonisation"):
            raise ValueError(f"with '{name}' the '{step.about.name}' must come before the '{names[paths[0]]}'")
