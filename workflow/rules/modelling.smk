# Models learn from training rows, and from nothing else: no other row is among a training job's inputs.
rule train:
    input:
        **paths_of("partition_participants", "partition_features", partition=TRAINING),
        parameters=lambda w: parameter_files(run_of(w)),
    output:
        **paths_of(*TRAINED_FILES),
    log:
        "logs/{run}/train_{model}.log",
    benchmark:
        "logs/{run}/train_{model}.benchmark.tsv"
    group:
        "model"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=20,
    params:
        models=lambda w: settings_of(protocol_of(w).models),
        columns=lambda w: settings_of(protocol_of(w).columns),
        sequences=lambda w: settings_of(protocol_of(w).sequences),
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "model {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/train.py"


rule predict:
    input:
        **paths_of("model"),
        parameters=lambda w: parameter_files(run_of(w)),
        participants=lambda w: run_of(w).files("partition_participants"),
        features=lambda w: run_of(w).files("partition_features"),
    output:
        **paths_of("predictions", "not_predicted"),
    log:
        "logs/{run}/predict_{model}.log",
    benchmark:
        "logs/{run}/predict_{model}.benchmark.tsv"
    group:
        "model"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        columns=lambda w: settings_of(protocol_of(w).columns),
        sequences=lambda w: settings_of(protocol_of(w).sequences),
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "predictions of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/predict.py"


# everything that resamples training rows: calibration, optimism and cross-validation; other partitions are only observed
rule calibrate:
    input:
        **paths_of("partition_participants", "partition_features", partition=TRAINING),
        predictions=path_of("predictions"),
    output:
        **paths_of("calibration", "validation", "cross_validation"),
    log:
        "logs/{run}/calibrate_{model}.log",
    benchmark:
        "logs/{run}/calibrate_{model}.benchmark.tsv"
    group:
        "model"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=30,
    params:
        models=lambda w: settings_of(protocol_of(w).models),
        columns=lambda w: settings_of(protocol_of(w).columns),
        evaluation=lambda w: settings_of(protocol_of(w).evaluation),
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "calibration of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/calibrate.py"


rule evaluate:
    input:
        models=lambda w: run_of(w).files("model"),
        predictions=lambda w: run_of(w).files("predictions"),
        validations=lambda w: run_of(w).files("validation"),
        selections=lambda w: run_of(w).files("selection"),
        features=path_of("partition_features", partition=TRAINING),
    output:
        **paths_of("performance", "performance_extra", "delong", "published"),
    log:
        "logs/{run}/evaluate.log",
    benchmark:
        "logs/{run}/evaluate.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        models=lambda w: list(protocol_of(w).models),
        evaluation=lambda w: settings_of(protocol_of(w).evaluation),
        published=lambda w: settings_of(protocol_of(w).published),
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "performance: {wildcards.run}"
    script:
        "../../scripts/evaluate.py"


rule reproducibility:
    input:
        lambda w: run_of(w).files("reproducibility"),
    output:
        path_of("features_reproducibility"),
    log:
        "logs/{run}/reproducibility.log",
    benchmark:
        "logs/{run}/reproducibility.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        models=lambda w: list(protocol_of(w).models),
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "reproducibility of the features: {wildcards.run}"
    script:
        "../../scripts/reproducibility.py"
