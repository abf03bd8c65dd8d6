"""What planning found, in the study's words: who, which outcome, which values, which files, and how long it will take."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.contracts import PARTITIONS
from her2radiomics.study.files import absent_files, lines_of
from her2radiomics.study.run import Run

#: Seconds of one core: the start of a job, a case (sequence, two readers), a fit of a model with its selection.
JOB_S, CASE_S, FIT_S = 2.0, 0.5, 0.4
MOST_COLUMNS = 40


def summary(run: Run, cores: int, logs: Path = Path("logs")) -> str:
    """A run as planned: a heading, then a line a fact."""
    lines = [*_people(run), *_outcome(run), *_columns(run), *run.notes, *_files(run), _time(run, cores, logs)]
    return "\n".join([f"{run.id}: {run.protocol.title}", *(f"    {line}" for line in lines if line)])


def _people(run: Run) -> list[str]:
    table = run.participants
    out = table.loc[table["exclude_reason"] != "", "exclude_reason"].value_counts()
    left = f", {int(out.sum())} excluded ({', '.join(f'{r}: {n}' for r, n in out.items())})" if len(out) else ""
    lines = [f"Patients: {len(table)} registered{left}, {len(run.patients)} included."]
    included = table[table["exclude_reason"] == ""].set_index("patient_id")
    for centre, patients in included.groupby("centre").groups.items():
        where = run.partition.reindex(patients)
        parts = [f"{int((where == name).sum())} {name}" for name in PARTITIONS if (where == name).any()]
        lines.append(
            f"Centre {run.protocol.centre_label(str(centre))}: {', '.join(parts) or f'{len(patients)} patients'}."
        )
    return lines


def _outcome(run: Run) -> list[str]:
    if not run.partitions:
        return []
    label = run.protocol.label
    parts = []
    for name in run.partitions:
        labels = run.labels[run.partition == name]
        parts.append(f"{name} {int(labels.sum())} {label.positive}, {int((labels == 0).sum())} {label.negative}")
    return [f"Outcome ({label.column}): {'; '.join(parts)}."]


def _columns(run: Run) -> list[str]:
    if not run.partitions:
        return []
    typed, lines = run.typed, []
    for name, column in run.protocol.columns.items():
        values, missing = typed[name].dropna(), int(typed[name].isna().sum())
        if column.kind == "continuous":
            said = f"{values.min():g} to {values.max():g}" if len(values) else "no value"
        else:
            counts = values.value_counts()
            said = ", ".join(f"{text} {counts.get(level, 0)}" for level, text in column.levels.items())
        lines.append(f"{column.heading} ({name}): {said}{f'; {missing} missing' if missing else ''}.")
    more = [f"and {len(lines) - MOST_COLUMNS} more columns."] if len(lines) > MOST_COLUMNS else []
    return lines[:MOST_COLUMNS] + more


def _files(run: Run) -> list[str]:
    if not run.extracted or run.dataset.simulated:
        return []
    absent = absent_files(run)
    if not absent:
        return [f"Files: image and masks of all {len(run.cases())} cases are there."]
    return [f"Files that are not there, of {len(absent)} patients:", *(f"  {line}" for line in lines_of(absent))]


def _time(run: Run, cores: int, logs: Path) -> str:
    protocol, evaluation = run.protocol, run.protocol.evaluation
    seconds = 0.0
    if run.extracted:
        measured = _measured(run, logs)
        seconds += len(run.cases()) * (CASE_S if measured is None else measured)
        seconds += len(run.batches("batch_qc")) * (JOB_S if measured is None else 0)
    if run.request.until == "report":
        refits = 1 + evaluation.pipeline_bootstrap + evaluation.calibration_bootstrap / 20
        seconds += len(protocol.models) * (2 * JOB_S + refits * FIT_S)
        seconds += (len(protocol.figures) + len(protocol.tables) + 10) * JOB_S
    minutes = max(1, round(seconds / 60 / max(1, cores)))
    return f"Time from nothing: roughly {_count(minutes, 'minute')} on {_count(cores, 'core')}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def _measured(run: Run, logs: Path) -> float | None:
    """Seconds a case in earlier jobs of this cohort; ``None`` where there were none."""
    seconds = []
    for file in logs.glob(f"{run.dataset.id}/extraction/*/*/*.benchmark.tsv"):
        heading, *rows = file.read_text(encoding="utf-8").splitlines() or [""]
        seconds += [float(row.split("\t")[0]) for row in rows[:1] if heading.startswith("s\t")]
    return sum(seconds) / (len(seconds) * run.dataset.patients_per_job) if seconds else None
