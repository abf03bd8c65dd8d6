"""Brought features that give the outcome away: they equal it or another participants column, or separate it."""

from __future__ import annotations

import fnmatch
import re
from math import comb

import numpy as np

from her2radiomics.core.columns import MISSING
from her2radiomics.core.contracts import FIRST_READER, TRAINING, contract
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.study.run import Run

KEYS = contract("brought_features").names
#: Fewer features than this may be expected to separate the training patients by chance for a run to be stopped.
BY_CHANCE = 0.05
#: Two columns of fewer levels than this are compared level by level, of more by their numbers or ranks.
LEVELS = 8
DROP_OR_VOUCH = (
    "List it under 'drop' in the cohort file; if it is a feature nevertheless, set features: vouched: ['{}']."
)
FEWEST = 8
_LATER = re.compile(
    r"(^|[\W_])(post(op|treatment|surgery|nac|nact)?|after|delta|change|follow-?up|fu|surgery|surgical)([\W_\d]|$)",
    re.I,
)


def check_brought(run: Run) -> list[str]:
    """Refuse brought features that give the outcome away, and patients whose features are the same.

    Returns
    -------
    list of str
        What is no reason to stop, and what a reader of the results must know.

    Raises
    ------
    SettingsError, TableError
        With the feature or the two patients, and what to do.
    """
    source, features = run.dataset.cohort.features, run.dataset.data.features
    if source is None or features is None or not any(model.block for model in run.protocol.models.values()):
        return []
    file, column = run.dataset.data.files[-1], run.protocol.label.column
    names = [name for name in features.columns if name not in KEYS]
    if column in names:
        raise TableError(
            file=file,
            column=column,
            found="the outcome's own column among the features",
            expected="features alone",
            remedy=f"List it under 'drop' in the cohort file (features: drop: [{column}]).",
        )
    reference = run.dataset.readers.reference
    reader = reference if (features["reader"] == reference).any() else FIRST_READER
    first = features[features["reader"] == reader].set_index("patient_id")
    first = first.loc[first.index.intersection(run.labels.index), names]
    _refuse_same_patients(first, file)
    vouched = [n for n in names if any(fnmatch.fnmatchcase(n, pattern) for pattern in source.vouched)]
    declared = [name for name in names if name in run.protocol.columns]
    looked_at = first.drop(columns=[*vouched, *(name for name in declared if name not in vouched)])
    _refuse_twins(run, looked_at, file)
    notes = (
        [f"Left out of the features as participants columns of the protocol: {', '.join(declared)}."]
        if declared
        else []
    )
    if vouched:
        notes.append(f"Features that the cohort file vouches for: {', '.join(vouched)}.")
    return notes + _separating(run, looked_at, file)


def unstated(run: Run) -> list[str]:
    """Features of which the cohort file does not say when they are known: asked for.

    Raises
    ------
    SettingsError
        The file says it of some of them alone, or a feature's name speaks of a later time.
    """
    source, features = run.dataset.cohort.features, run.dataset.data.features
    if source is None or features is None or not any(model.block for model in run.protocol.models.values()):
        return []
    names = [n for n in features.columns if n not in KEYS and n not in run.protocol.columns]
    silent = [n for n in names if not any(fnmatch.fnmatchcase(n, pattern) for pattern in source.available_at)]
    later = [name for name in silent if _LATER.search(name)]
    if later or (silent and source.available_at):
        shown = ", ".join(f"'{name}'" for name in (later or silent)[:5])
        raise SettingsError(
            f"workflow/cohorts/{run.dataset.cohort_id}.yaml: features.available_at does not say when {shown}"
            f"{f' and {len(later or silent) - 5} more' if len(later or silent) > 5 else ''} are known; expected a stage for "
            'each feature. Say, for example, available_at: {"delta_*": during_treatment, "*": before_treatment}.'
        )
    if not silent:
        return []
    return [
        f"When are the {len(silent)} features of the table known? The cohort file does not say; they are taken as known "
        'before treatment. State it: features: available_at: {"*": before_treatment}.'
    ]


def _refuse_same_patients(first: pd.DataFrame, file: object) -> None:
    """Two patients with the same features are one, registered twice."""
    measured = first.loc[:, first.nunique() > 1].dropna(how="all")
    if measured.shape[1] < 3:
        return
    twice = measured.index[measured.duplicated(keep=False)]
    if len(twice):
        same = [p for p in twice if measured.loc[p].equals(measured.loc[twice[0]])]
        raise TableError(
            file=str(file),
            patient=str(same[1]),
            found=f"the same value in every feature as patient {same[0]}",
            expected="a patient once",
            remedy="Is one patient registered under two names? Remove one of the rows, or give it an exclude_reason.",
        )


def _refuse_twins(run: Run, features: pd.DataFrame, file: object) -> None:
    """A feature that equals the outcome or another participants column one to one."""
    people = run.participants.set_index("patient_id").loc[features.index]
    others = {f"the outcome '{run.protocol.label.column}'": run.labels.loc[features.index].astype(str)}
    skipped = {"centre", "partition", "exclude_reason", run.protocol.label.column}
    others |= {f"the participants column '{name}'": people[name] for name in people.columns if name not in skipped}
    codes = {where: _codes(values) for where, values in others.items()}
    for name in features.columns:
        mine = _codes(features[name])
        for where, other in codes.items():
            if _one_to_one(mine, other):
                raise TableError(
                    file=str(file),
                    column=str(name),
                    found=f"a feature that equals {where} one to one",
                    expected="features alone",
                    remedy=DROP_OR_VOUCH.format(name),
                )


def _codes(values: pd.Series) -> np.ndarray:
    """Ranks of numbers (equal ones share a rank), or codes of texts; a missing value is -1."""
    text = values.astype("string").str.strip()
    text = text.mask(text.isin(MISSING))
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    usable = numbers if numbers.notna().sum() == text.notna().sum() else text
    return pd.factorize(usable, sort=True)[0]


def _one_to_one(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two columns are one under two names: the same levels, or in the same or the reverse order."""
    levels = int(a.max()) + 1
    if len(a) < FEWEST or levels < 2 or levels != int(b.max()) + 1:
        return False
    if ((a < 0) != (b < 0)).any():
        return False
    if levels < LEVELS:
        return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(set(a.tolist()))
    kept = a >= 0
    return bool((a[kept] == b[kept]).all() or (a[kept] + b[kept] == levels - 1).all())


def _separating(run: Run, features: pd.DataFrame, file: object) -> list[str]:
    """Features that alone tell the training patients' outcome; by their values, or by whether there is one."""
    training = run.partition.index[run.partition == TRAINING].intersection(features.index)
    rows, labels = features.loc[training], run.labels.loc[training].to_numpy(dtype=bool)
    if not 0 < labels.sum() < len(labels):
        return []
    values = rows.to_numpy(dtype=float)
    empty = np.isnan(values)
    with np.errstate(invalid="ignore"):
        low, high = np.where(empty, np.inf, values), np.where(empty, -np.inf, values)
    apart = (high[labels].max(0) < low[~labels].min(0)) | (high[~labels].max(0) < low[labels].min(0))
    whole = ~empty.any(0)
    told_by_absence = (empty == labels[:, None]).all(0) | (empty == ~labels[:, None]).all(0)
    found = rows.columns[(apart & whole) | told_by_absence]
    if not len(found):
        return []
    expected = 2 * rows.shape[1] / comb(len(labels), int(labels.sum()))
    shown = ", ".join(f"'{name}'" for name in found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    said = f"{len(found)} feature(s) alone separate all {len(labels)} training patients by outcome: {shown}"
    if expected >= BY_CHANCE:
        return [f"{said}. Of {rows.shape[1]} features {expected:.2g} would do so by chance in so few patients."]
    raise TableError(
        file=str(file),
        column=str(found[0]),
        found=said,
        expected="features that do not hold the outcome",
        remedy=DROP_OR_VOUCH.format(found[0]),
    )
