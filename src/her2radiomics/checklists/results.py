"""What a run knows after it: numbers of patients, selected features, whether readers were compared, AUCs."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.checklists.settings import ChecklistRun, Fact
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import formatting as fmt


def result_facts(folder: Path, run: ChecklistRun) -> dict[str, Fact]:
    """Facts from the tables that a run has made in ``folder``.

    Raises
    ------
    StudyError
        A table is missing, or says nothing of the primary model.
    """
    layout = Layout(folder)
    performance = layout.read("performance")
    rows = performance[performance["model"] == run.primary]
    if rows.empty:
        raise StudyError(
            f"{layout.path('performance')}: found no row of '{run.primary}'; expected the primary model. "
            "Evaluate the run again."
        )
    training = rows[rows["partition"] == TRAINING].iloc[0]
    smaller = min(int(training["events"]), int(training["n"]) - int(training["events"]))
    selections = {name: layout.read("selection", model=name) for name in run.radiomics}
    kept = {name: _kept(table) for name, table in selections.items() if len(table)}
    notes = [
        note
        for table in selections.values()
        for note in table.loc[table["name"] == "icc_filter", "note"]
        if not note.startswith("not assessed")
    ]
    most = max((after for _, after in kept.values()), default=0)
    return {
        "auc_words": "; ".join(
            f"{run.models[run.primary]}, {run.partitions[row['partition']]}: AUC {fmt.auc(row, 3)}"
            for _, row in rows.iterrows()
        ),
        "n_words": "; ".join(
            f"{run.partitions[row['partition']]}: {int(row['n'])} patients, {int(row['events'])} events"
            for _, row in rows.iterrows()
        ),
        "selected_words": "; ".join(
            f"{run.models[n]}: {after} of {before} features kept" for n, (before, after) in kept.items()
        ),
        "minority_per_feature": round(smaller / most, 1) if most else 0.0,
        "icc_assessed": bool(notes),
        "icc_words": "; ".join(dict.fromkeys(notes)),
    }


def _kept(selection: pd.DataFrame) -> tuple[int, int]:
    """Features before the first step and after the last."""
    return int(selection.iloc[0]["features_in"]), int(selection.iloc[-1]["features_out"])
