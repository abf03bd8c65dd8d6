# Features of one patient's sequence: all readers and regions of the image in one job, then the cohort's table.
rule extract:
    input:
        files=lambda w: case_files(dataset_of(w), w.patient, w.sequence),
        parameters="workflow/extraction/{parameters}.yaml",
    output:
        features="results/cohorts/{dataset}/extraction/{parameters}.{regions}/{patient}/{sequence}.features.csv",
        qc="results/cohorts/{dataset}/extraction/{parameters}.{regions}/{patient}/{sequence}.qc.csv",
        overlay="results/cohorts/{dataset}/extraction/{parameters}.{regions}/{patient}/{sequence}.png",
    log:
        "logs/{dataset}/extraction/{parameters}.{regions}/{patient}/{sequence}.log",
    benchmark:
        "logs/{dataset}/extraction/{parameters}.{regions}/{patient}/{sequence}.benchmark.tsv"
    wildcard_constraints:
        parameters="[A-Za-z0-9_]+",
        regions="[a-z0-9_+.]+",
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=10,
    params:
        rows=lambda w: dataset_of(w).case_rows(w.patient, w.sequence),
        regions=lambda w: w.regions.split("+"),
        features=lambda w: expected_features(w.parameters),
        simulated=lambda w: dataset_of(w).simulated,
    message:
        "features: patient {wildcards.patient}, {wildcards.sequence}"
    script:
        "../../scripts/extract.py"


rule merge:
    input:
        features=lambda w: [
            f"{run_of(w).case_stem(*case)}.features.csv" for case in run_of(w).cases()
        ],
        qc=lambda w: [
            f"{run_of(w).case_stem(*case)}.qc.csv" for case in run_of(w).cases()
        ],
    output:
        features="results/{run}/features/cohort.parquet",
        qc="results/{run}/cohort/qc.csv",
    log:
        "logs/{run}/merge.log",
    benchmark:
        "logs/{run}/merge.benchmark.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if run.extracted),
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        sequences=lambda w: list(run_of(w).protocol.sequences),
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "cohort feature table: {wildcards.run}"
    script:
        "../../scripts/merge.py"


rule bring_features:
    input:
        lambda w: f"{run_of(w).dataset.folder}/features.parquet",
    output:
        "results/{run}/features/cohort.parquet",
    log:
        "logs/{run}/bring_features.log",
    benchmark:
        "logs/{run}/bring_features.benchmark.tsv"
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if not run.extracted),
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    message:
        "brought feature table: {wildcards.run}"
    shell:
        "cp {input} {output} 2> {log}"
