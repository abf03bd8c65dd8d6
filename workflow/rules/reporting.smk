# What speaks about a run rather than belongs to it: audit of the paper, reporting checklists, and the run as a crate.
rule audit:
    input:
        paper=lambda w: f"workflow/audits/{run_of(w).request.study}.yaml",
    output:
        **forms_of("audit"),
    log:
        "logs/{run}/audit.log",
    benchmark:
        "logs/{run}/audit.benchmark.tsv"
    group:
        "manuscript"
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
        places=path_of("manuscript_places"),
        made=lambda w: checklist_files.checklist_inputs(run_of(w)),
        models=lambda w: run_of(w).files(*MODEL_FILES),
    output:
        **forms_of("checklists"),
    log:
        "logs/{run}/checklists.log",
    benchmark:
        "logs/{run}/checklists.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        run=lambda w: settings_of(
            checklist_files.checklist_run(run_of(w), PLAN.config, PARAMETERS)
        ),
        folder=lambda w: run_of(w).folder,
    message:
        "reporting checklists: {wildcards.run}"
    script:
        "../../scripts/checklists.py"


rule crate:
    input:
        **paths_of("record"),
        outputs=lambda w: crate_files.crate_outputs(run_of(w)),
        copies=lambda w: crate_files.crate_copies(run_of(w), PLAN.base).values(),
        data=lambda w: crate_files.crate_tables(run_of(w)),
    output:
        **paths_of("crate", "input_hashes"),
        workflow_copies=directory(path_of("workflow_copies")),
    log:
        "logs/{run}/crate.log",
    benchmark:
        "logs/{run}/crate.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    threads: 2
    resources:
        mem_mb=400,
        runtime=60,
    params:
        folder=lambda w: run_of(w).folder,
        outputs=lambda w: crate_files.crate_outputs(run_of(w)),
        copies=lambda w: crate_files.crate_copies(run_of(w), PLAN.base),
        texts=lambda w: crate_files.crate_texts(run_of(w), PLAN.config),
        # every image of a cohort: not kept in the engine's records; an image that changes has its case extracted again
        data=lambda w, input: crate_files.crate_data(run_of(w)),
        names=lambda w, input: run_of(w).dataset.data.file_names(),
        manifest=lambda w: run_of(w).dataset.manifest_fingerprint,
        root=lambda w: str(run_of(w).dataset.root or run_of(w).dataset.folder),
        about=lambda w: crate_files.crate_about(run_of(w), PLAN.config),
    message:
        "crate: {wildcards.run}"
    script:
        "../../scripts/crate.py"


rule refused:
    output:
        path_of("refused"),
    log:
        "logs/{run}/refused.log",
    wildcard_constraints:
        run=one_of(PLAN.refused),
    localrule: True
    conda:
        "../../envs/study.yaml"
    params:
        why=lambda w: str(PLAN.refused[w.run]),
    message:
        "{wildcards.run} is not carried out: {params.why}"
    shell:
        "echo {params.why:q} > {log}; exit 1"
