# From patients on disk (or a generator) to participants, manifest and partitions.
SIMULATED = [name for name, dataset in DATASETS.items() if dataset.simulated]
REAL = [name for name in DATASETS if name not in SIMULATED]


rule simulate_tables:
    output:
        **paths_of("registered", "manifest", "truth", "simulated_note"),
    log:
        "logs/{dataset}/simulate_tables.log",
    benchmark:
        "logs/{dataset}/simulate_tables.benchmark.tsv"
    wildcard_constraints:
        dataset=one_of(SIMULATED),
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=400,
        runtime=5,
    params:
        simulation=lambda w: settings_of(dataset_of(w).protocol.simulation),
        size=PLAN.config.size,
        seed=PLAN.config.seed,
        strength=PLAN.config.strength,
    message:
        "simulated participants: {wildcards.dataset}"
    script:
        "../../scripts/simulate_tables.py"


# one rule for each batch of patients: which files a patient has is known from the roster alone
for name in SIMULATED:
    for number, paths in enumerate(simulated_batches(DATASETS[name])):

        rule:
            name:
                f"simulate_{name}_{number}"
            output:
                paths,
            log:
                f"logs/{name}/simulate/{number:04d}.log",
            benchmark:
                f"logs/{name}/simulate/{number:04d}.benchmark.tsv"
            conda:
                "../../envs/study.yaml"
            resources:
                mem_mb=600,
                runtime=10,
            params:
                simulation=settings_of(DATASETS[name].protocol.simulation),
                size=PLAN.config.size,
                seed=PLAN.config.seed,
            message:
                f"simulated images: {descriptions.patients_in_words(sorted({Path(path).parent.name for path in paths}))}"
            script:
                "../../scripts/simulate_patients.py"


rule import_cohort:
    input:
        lambda w: dataset_of(w).data.files,
    output:
        **paths_of("registered", "manifest", "brought_features", "key"),
    log:
        "logs/{dataset}/import.log",
    benchmark:
        "logs/{dataset}/import.benchmark.tsv"
    wildcard_constraints:
        dataset=one_of(REAL),
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        cohort=lambda w: settings_of(dataset_of(w).cohort),
        root=lambda w: str(dataset_of(w).root),
        manifest=lambda w: dataset_of(w).manifest_fingerprint,
        columns=lambda w: PLAN.columns_of(w.dataset),
    message:
        "participants and manifest: {wildcards.dataset}"
    script:
        "../../scripts/import_cohort.py"


rule cohort:
    input:
        registered=lambda w: run_of(w).dataset.path("registered"),
        qc=lambda w: run_of(w).path("qc") if run_of(w).extracted else [],
        measured=lambda w: PLAN.measuring[w.run].paths("batch_measured"),
    output:
        **paths_of("participants", "flow", "measured"),
        software=path_of("software", job="cohort"),
    log:
        "logs/{run}/cohort.log",
    benchmark:
        "logs/{run}/cohort.benchmark.tsv"
    group:
        "cohort"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        columns=lambda w: settings_of(protocol_of(w).columns),
        label=lambda w: settings_of(protocol_of(w).label),
        exclusions=lambda w: protocol_of(w).exclusions,
        partition=lambda w: run_of(w).partition.to_dict(),
        reader=lambda w: run_of(w).dataset.readers.reference,
        failed_cases=settings_of(PLAN.config.failed_cases),
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "exclusions and partitions: {wildcards.run}"
    script:
        "../../scripts/cohort.py"


rule partition:
    input:
        **paths_of("participants", "features"),
    output:
        **paths_of("partition_participants", "partition_features"),
    log:
        "logs/{run}/partition_{partition}.log",
    benchmark:
        "logs/{run}/partition_{partition}.benchmark.tsv"
    group:
        "cohort"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "{wildcards.partition} rows: {wildcards.run}"
    script:
        "../../scripts/partition.py"
