"""What a run tells its checklists: its facts, the files it declares, and which of them are which kind."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.checklists.settings import ChecklistRun
from her2radiomics.core.contracts import contract
from her2radiomics.study.checklist_facts import static_facts
from her2radiomics.study.config import Config
from her2radiomics.study.run import Run


def checklist_inputs(run: Run) -> list[str]:
    """Files that the checklists point to: all targets but the records themselves, the report, the record and ZIPs."""
    own = {*run.targets("records"), *run.files("report", "record", "all_figures", "all_tables")}
    declared = set(run.declared_files())
    return [file for file in run.targets("all") if file in declared - own]


def checklist_run(run: Run, config: Config, extraction: Path) -> ChecklistRun:
    """A run as its checklists see it before it starts; ``extraction`` is the folder of the parameter files."""
    protocol = run.protocol
    kinds: dict[str, list[str]] = {}
    for figure in protocol.figures:
        kinds.setdefault(f"figure:{figure.kind}", []).append(contract("figure").below(figure=figure.id))
    for table in protocol.tables:
        kinds.setdefault(f"table:{table.kind}", []).append(contract("table").below("html", table=table.id))
    # a clinical model's table of selection steps has no row, so that only these are shown
    radiomics = [name for name, model in protocol.models.items() if model.feature_steps()]
    for table_name in ("selection", "lasso_cv"):
        kinds[f"model:{table_name}"] = [contract(table_name).below(model=name) for name in radiomics]
    return ChecklistRun(
        title=protocol.title,
        facts=static_facts(run, config, extraction),
        declared=[str(Path(file).relative_to(run.folder)) for file in run.declared_files()],
        kinds=kinds,
        models={name: protocol.model_label(name) for name in protocol.models},
        partitions={name: protocol.partition_label(name) for name in run.partitions},
        primary=protocol.primary_model,
        radiomics=radiomics,
    )
