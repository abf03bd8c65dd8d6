"""What a harmonisation between centres needs of them: checked when a run is planned, and again when a model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd

if TYPE_CHECKING:
    from her2radiomics.modelling.steps.combat import CombatStep


def check_trained(step: CombatStep, counts: Mapping[str, int], where: str) -> None:
    """Refuse training centres from which nothing can be learned.

    Parameters
    ----------
    step
        The step's settings.
    counts
        Centre → training patients.
    where
        The model or run, named first in errors.

    Raises
    ------
    StudyError
        One training centre, a centre with too few training patients, or a reference that does not train.
    """
    names = sorted(counts)
    if len(names) < 2:
        raise StudyError(
            f"{where}: combat learns how centres differ, and found one training {step.batch}"
            f"{f' ({names[0]})' if names else ''}; expected two or more. "
            f"Remove the step, or train on patients of several."
        )
    needed = 1 if step.mean_only else 2
    for name in names:
        if counts[name] < needed:
            raise StudyError(
                f"{where}: combat found {counts[name]} training patient of {step.batch} '{name}', expected "
                f"{needed} or more, since it learns a spread of each. Say mean_only: true (locations alone), exclude "
                "these patients, or give them the name of a centre with the same scanner and protocol."
            )
    if step.reference is not None and step.reference not in counts:
        raise StudyError(
            f"{where}: combat.reference: found '{step.reference}', expected a {step.batch} that trains: "
            f"{', '.join(names)}."
        )


def check_unseen(step: CombatStep, trained: Mapping[str, int], counts: Mapping[str, int], where: str) -> None:
    """Refuse a partition with centres that did not train and that the step's ``unseen`` does not allow.

    Parameters
    ----------
    step
        The step's settings.
    trained, counts
        Centre → patients, of training and of the partition.
    where
        The partition, named first in errors.

    Raises
    ------
    StudyError
        Naming the centre, those known, and what to do.
    """
    for name in sorted(set(counts) - set(trained)):
        if step.unseen == "refuse":
            raise StudyError(
                f"{where}: found {step.batch} '{name}' ({counts[name]} patients), which combat did not learn; expected "
                f"{', '.join(sorted(trained))}. {unseen_remedy(step.minimum)}"
            )
        if step.unseen == "adapt" and counts[name] < step.minimum:
            raise StudyError(
                f"{where}: combat cannot adapt to {step.batch} '{name}': found {counts[name]} patients, expected "
                f"at least {step.minimum} predicted together. Say unseen: pass_through, or predict more of its patients at "
                "once."
            )


def unseen_remedy(minimum: int) -> str:
    """What can be done about a centre that did not train."""
    return (
        "Train with patients of it, or say unseen: pass_through (not adjusted, and marked) or unseen: adapt "
        f"(location and scale from {minimum} or more of its patients predicted together, without labels)."
    )


def check_partitions(step: CombatStep, centres: pd.Series, partition: pd.Series, where: str) -> None:
    """Check, before any job, what the partitions let ComBat learn and ask of it.

    Parameters
    ----------
    step
        The step's settings.
    centres, partition
        Centre and partition of every patient, indexed by patient.
    where
        The run and model, named first in errors.

    Raises
    ------
    StudyError
        As :func:`check_trained` and :func:`check_unseen`.
    """
    counts = {
        str(name): {str(c): int(n) for c, n in rows.value_counts().items()}
        for name, rows in centres.groupby(partition.loc[centres.index])
    }
    trained = counts.get("training", {})
    check_trained(step, trained, where)
    for name, others in counts.items():
        check_unseen(step, trained, others, f"{where}, {name} partition")
