"""What refits of a model on resamples of its training patients say of new patients, where the file beside it keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved.reference import LEVEL
from her2radiomics.modelling.saved.refits import FILE, Refits, read_refits
from her2radiomics.prediction.results import Refitted

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel

#: Share of the refits that must predict a patient: those that cannot are not a random choice.
MOST = 0.9


def refits_beside(path: Path, sha256: str, notes: list[str]) -> Refits | None:
    """Refits beside a ``model.json``; ``None`` where there are none, or where they are those of another model.

    Parameters
    ----------
    path
        The ``model.json``.
    sha256
        Its hash.
    notes
        Takes why refits are left out.
    """
    refits = read_refits(path.with_name(FILE))
    if refits is None or not refits.rules:
        return None
    if refits.sha256 != sha256:
        notes.append(f"{FILE} holds refits of another model.json; they are left out")
        return None
    return refits


def refitted(
    model: FittedModel, refits: Refits, features: pd.DataFrame | None, people: pd.DataFrame
) -> Sequence[Refitted | None]:
    """Percentiles of the refits' probabilities, a patient each, in the order of ``people``.

    Parameters
    ----------
    model
        The model.
    refits
        Its refits.
    features, people
        As for :func:`~her2radiomics.prediction.predicting.predict_patients`.
    """
    columns = {name: column for name, column in refits.columns.items() if name in people.columns}
    try:
        table = replace(model, columns={**columns, **model.columns}).table_of(features, people, typed=False)
        bounds, used = refits.interval(table, LEVEL)
    except StudyError as error:
        return [Refitted(level=LEVEL, refits=len(refits.rules), used=0, reason=str(error))] * len(people)
    return [_told(low, high, int(count), len(refits.rules)) for (low, high), count in zip(bounds, used, strict=True)]


def _told(low: float, high: float, used: int, refits: int) -> Refitted:
    if used < MOST * refits:
        why = f"{refits - used} of {refits} refits use features or columns that were not given"
        return Refitted(level=LEVEL, refits=refits, used=used, reason=why)
    return Refitted(level=LEVEL, refits=refits, used=used, low=float(low), high=float(high))
