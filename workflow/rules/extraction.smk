# Features of some patients' images of one sequence: all readers and regions of an image from one reading. A case that
# is unchanged comes from the store beside the outputs, so that a batch costs what changed in it. Then the cohort's table.
# A case that needs more memory than an attempt has is tried again with more, and then recorded as failed.
ATTEMPTS = 3


rule extract:
    input:
        files=lambda w: batch_files(extraction_of(w), w.batch),
        parameters="workflow/extraction/{parameters}.yaml",
    output:
        **paths_of("batch_features", "batch_qc"),
        software=path_of("batch_software"),
        batch_overlays=directory(path_of("batch_overlays")),
    log:
        "logs/{dataset}/extraction/{parameters}.{regions}{preprocessing}/{sequence}/{batch}.log",
    benchmark:
        "logs/{dataset}/extraction/{parameters}.{regions}{preprocessing}/{sequence}/{batch}.benchmark.tsv"
    wildcard_constraints:
        parameters="[A-Za-z0-9_]+",
        regions="[a-z0-9_+.]+",
        preprocessing=r"(?:\.[a-z0-9]+(?:-[a-z0-9]+)*-[0-9a-f]{8})?",
        batch="batch_[0-9]+",
    # on a cluster's node the attempt is the one that was submitted
    retries: ATTEMPTS - 1 if workflow.is_main_process else 0
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * 2 ** (attempt - 1),
        runtime=lambda w: 5 + PLAN.config.patients_per_job,
        # not a parameter: a parameter that differs from the last run's would run the job again
        attempt=lambda w, attempt: attempt,
    params:
        # an argument 'input' keeps what may be long out of the engine's records; the fingerprint represents it there
        cases=lambda w, input: batch_cases(extraction_of(w), w.batch),
        fingerprint=lambda w: batch_fingerprint(extraction_of(w), w.batch),
        regions=lambda w: w.regions.split("+"),
        features=lambda w: extraction_of(w).settings.features,
        options=lambda w: extraction_of(w).options,
        root=lambda w: dataset_of(w).image_root,
        simulated=lambda w: dataset_of(w).simulated,
        numbered=lambda w: bool(dataset_of(w).data.key),
        attempts=ATTEMPTS,
        patients=lambda w: descriptions.patients_in_words(
            extraction_of(w).dataset.batches[w.batch]
        ),
    message:
        "features: {params.patients}, {wildcards.sequence}"
    script:
        "../../scripts/extract.py"


# Columns that a protocol measures from images: curves, ADC, sizes. A batch of patients is a job, a patient a case of the store.
rule measure:
    input:
        files=lambda w: measuring_at(w).files(w.batch),
    output:
        **paths_of("batch_measured"),
        software=path_of("measured_software"),
    log:
        "logs/{dataset}/measured/{measures}/{batch}.log",
    benchmark:
        "logs/{dataset}/measured/{measures}/{batch}.benchmark.tsv"
    wildcard_constraints:
        measures="[0-9a-f]{8}",
        batch="batch_[0-9]+",
    retries: ATTEMPTS - 1 if workflow.is_main_process else 0
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1000 * 2 ** (attempt - 1),
        runtime=lambda w: 5 + PLAN.config.patients_per_job // 4,
        attempt=lambda w, attempt: attempt,
    params:
        # an argument 'input' keeps what may be long out of the engine's records; the fingerprint represents it there
        cases=lambda w, input: measuring_at(w).cases(w.batch),
        fingerprint=lambda w: measuring_at(w).fingerprint(w.batch),
        columns=lambda w: settings_of(measuring_at(w).columns),
        reader=lambda w: dataset_of(w).readers.reference,
        resampled=lambda w: list(measuring_at(w).resampled),
        simulated=lambda w: dataset_of(w).simulated,
        attempts=ATTEMPTS,
        patients=lambda w: descriptions.patients_in_words(
            dataset_of(w).batches[w.batch]
        ),
    message:
        "measured columns: {params.patients}"
    script:
        "../../scripts/measure.py"


rule merge:
    input:
        features=lambda w: run_of(w).batches("batch_features"),
        qc=lambda w: run_of(w).batches("batch_qc"),
    output:
        **paths_of("features", "qc"),
    log:
        "logs/{run}/merge.log",
    benchmark:
        "logs/{run}/merge.benchmark.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in (RUNS | SHADOWS).items() if run.extracted),
    group:
        "cohort"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=10,
    params:
        sequences=lambda w: list(protocol_of(w).sequences),
        persons=lambda w: run_of(w).shared_persons,
        models=lambda w: run_of(w).request.until == "report",
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "cohort feature table: {wildcards.run}"
    script:
        "../../scripts/merge.py"


rule bring_features:
    input:
        lambda w: run_of(w).dataset.path("brought_features"),
    output:
        path_of("features"),
    log:
        "logs/{run}/bring_features.log",
    benchmark:
        "logs/{run}/bring_features.benchmark.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if not run.extracted),
    group:
        "cohort"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    message:
        "brought feature table: {wildcards.run}"
    script:
        "../../scripts/bring_features.py"


rule grey_levels:
    input:
        **paths_of("qc"),
    output:
        **forms_of("grey_levels"),
        software=path_of("software", job="grey_levels"),
    log:
        "logs/{run}/grey_levels.log",
    benchmark:
        "logs/{run}/grey_levels.benchmark.tsv"
    group:
        "cohort"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        text=lambda w: descriptions.grey_level_text(run_of(w)),
    message:
        "grey levels of the regions: {wildcards.run}"
    script:
        "../../scripts/grey_levels.py"


rule standards:
    input:
        lambda w: parameter_files(run_of(w)),
    output:
        path_of("ibsi"),
    log:
        "logs/{run}/standards.log",
    benchmark:
        "logs/{run}/standards.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        bins_from_low=lambda w: protocol_of(w).bins_from_low,
    message:
        "image biomarker standards: {wildcards.run}"
    script:
        "../../scripts/standards.py"
