# What speaks about a run rather than belongs to it: audit of the paper, reporting checklists, and the run as a crate.
import yaml

from her2radiomics import crate
from her2radiomics.checklists import wiring as checklist_wiring


def evidence_inputs(run):
    """Files that the checklists point to: all targets but the evidence itself, the report and the record."""
    own = {
        *run.targets("evidence"),
        f"{run.folder}/report.html",
        f"{run.folder}/provenance/run.json",
    }
    return [file for file in run.targets("all") if file not in own]


def model_files(run):
    """Tables of every model that the checklists and the crate name."""
    return [
        f"{run.folder}/models/{name}/{file}"
        for name in run.protocol.models
        for file in checklist_wiring.MODEL_FILES
    ]


def crate_outputs(run):
    """Files of a run that its crate describes."""
    names = checklist_wiring.declared_files(run)
    return [f"{run.folder}/{name}" for name in names if name != crate.METADATA]


def crate_copies(run):
    """Name in the crate to file: the workflow, the study, its cohort and parameters, and the lock file."""
    names = [
        *sorted(map(str, Path("workflow/rules").glob("*.smk"))),
        f"workflow/studies/{run.request.study}.yaml",
        f"workflow/cohorts/{run.request.cohort}.yaml",
        *parameter_files(run),
    ]
    lock = Path(workflow.basedir) / "requirements.lock"
    found = {name: name for name in names} | {
        "Snakefile": f"{workflow.basedir}/Snakefile"
    }
    return found | ({"requirements.lock": str(lock)} if lock.exists() else {})


def crate_texts(run):
    """The protocol as run, with its variant and cohort laid over it, and the configuration without local paths."""
    settings = {
        "protocol.yaml": settings_of(run.protocol),
        "config.yaml": PLAN.config.model_dump(mode="json", exclude={"data"}),
    }
    return {
        name: yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        for name, content in settings.items()
    }


def crate_data(run):
    """Tables, images and masks that the run was made from."""
    manifest = run.dataset.data.manifest
    images = {path for name in ("image", "mask") for path in manifest[name] if path}
    tables = (
        [f"{run.dataset.folder}/{name}.tsv" for name in ("participants", "images")]
        if run.dataset.simulated
        else list(map(str, run.dataset.data.files))
    )
    return sorted({*images, *tables})


rule audit:
    input:
        paper=lambda w: f"workflow/audits/{run_of(w).request.study}.yaml",
    output:
        csv="results/{run}/tables/audit.csv",
        html="results/{run}/tables/audit.html",
        docx="results/{run}/tables/audit.docx",
    log:
        "logs/{run}/audit.log",
    benchmark:
        "logs/{run}/audit.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=400,
        runtime=5,
    message:
        "audit of the paper's numbers: {wildcards.run}"
    script:
        "../../scripts/audit.py"


rule checklists:
    input:
        checklists=sorted(map(str, Path("workflow/checklists").glob("*.yaml"))),
        made=lambda w: evidence_inputs(run_of(w)),
        models=lambda w: model_files(run_of(w)),
    output:
        html="results/{run}/checklists.html",
        csv="results/{run}/checklists.csv",
        docx="results/{run}/checklists.docx",
    log:
        "logs/{run}/checklists.log",
    benchmark:
        "logs/{run}/checklists.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        run=lambda w: checklist_wiring.checklist_run(
            run_of(w), PLAN.config, Path(workflow.basedir) / "workflow/extraction"
        ),
        folder=lambda w: run_of(w).folder,
    message:
        "reporting checklists: {wildcards.run}"
    script:
        "../../scripts/checklists.py"


rule crate:
    input:
        record="results/{run}/provenance/run.json",
        outputs=lambda w: crate_outputs(run_of(w)),
        copies=lambda w: list(crate_copies(run_of(w)).values()),
        # files that are absent were the extraction's to record
        data=lambda w: [
            file
            for file in crate_data(run_of(w))
            if run_of(w).dataset.simulated or Path(file).exists()
        ],
    output:
        metadata="results/{run}/ro-crate-metadata.json",
        hashes="results/{run}/provenance/inputs.sha256",
        copies=directory("results/{run}/provenance/workflow"),
    log:
        "logs/{run}/crate.log",
    benchmark:
        "logs/{run}/crate.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    threads: 2
    resources:
        mem_mb=400,
        runtime=60,
    params:
        folder=lambda w: run_of(w).folder,
        outputs=lambda w: crate_outputs(run_of(w)),
        copies=lambda w: crate_copies(run_of(w)),
        texts=lambda w: crate_texts(run_of(w)),
        data=lambda w: crate_data(run_of(w)),
        root=lambda w: str(run_of(w).dataset.root or run_of(w).dataset.folder),
        about=lambda w: {
            "title": run_of(w).protocol.title,
            "description": run_of(w).protocol.question,
            "run": run_description(w.run),
            "simulated": run_of(w).dataset.simulated,
            "licence": run_of(w).dataset.cohort.licence,
            "citation": run_of(w).protocol.paper.citation,
        },
    message:
        "crate: {wildcards.run}"
    script:
        "../../scripts/crate.py"
