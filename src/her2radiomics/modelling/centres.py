"""What the partitions of a run let a harmonisation between centres learn, and ask of it: checked before any job."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.modelling.saved.adjustment import unseen_remedy
from her2radiomics.modelling.steps.combat import CombatStep, check_trained


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
                f"at least {step.minimum} predicted together. Set unseen: pass_through, or predict more of its patients at "
                "once."
            )


#: Share of the outcomes beyond the commoner one that the centre alone tells: from here on the two are nearly one.
NEARLY_ONE = 0.8


def outcome_by_centre(step: CombatStep, centres: pd.Series, labels: pd.Series, where: str) -> list[str]:
    """Sentences on how the outcome differs between the centres that a harmonisation learns.

    Parameters
    ----------
    step
        The step's settings.
    centres, labels
        Centre, and label 0 or 1, of the training patients, indexed by patient.
    where
        The model, named first.

    Returns
    -------
    list of str
        Each centre's share of positive patients; and a warning where the centre nearly tells the outcome, by Goodman and
        Kruskal's λ (Journal of the American Statistical Association 49 (1954) 732–764).
    """
    counts = labels.loc[centres.index].groupby(centres).agg(["sum", "count"])
    shares = "; ".join(
        f"{name} {int(row['sum'])} of {int(row['count'])} ({row['sum'] / row['count']:.0%})"
        for name, row in counts.iterrows()
    )
    said = [f"{where}: positive training patients by {step.batch}, which combat equalises: {shares}"]
    positive, total = int(counts["sum"].sum()), int(counts["count"].sum())
    commoner = max(positive, total - positive)
    told = int(counts["sum"].combine(counts["count"] - counts["sum"], max).sum())
    if commoner < total and (told - commoner) / (total - commoner) >= NEARLY_ONE:
        effect = (
            "what it keeps of the label is mostly the difference between them"
            if step.preserve_label
            else "it takes away most of what the features say of the outcome"
        )
        said.append(
            f"{where}: {step.batch} and outcome are nearly one ({step.batch} alone tells the outcome of {told} of {total} "
            f"training patients): combat cannot part them, and {effect}"
        )
    return said


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
