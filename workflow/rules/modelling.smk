# Models learn from training rows, and from nothing else: no other row is among a training job's inputs. A job fits its model
# once and resamples it; a model that is made of others takes over their fits, which are theirs on the same training rows.
rule train:
    input:
        **paths_of("partition_participants", "partition_features", partition=TRAINING),
        parameters=lambda w: parameter_files(run_of(w)),
        parts=lambda w: [
            path_of("refits", run=w.run, model=name) for name in model_of(w).parts()
        ],
    output:
        **paths_of(*TRAINED_FILES),
        software=path_of("software", job="train_{model}"),
    log:
        "logs/{run}/train_{model}.log",
    benchmark:
        "logs/{run}/train_{model}.benchmark.tsv"
    group:
        "model_{model}"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=30,
    params:
        models=lambda w: {
            name: settings_of(protocol_of(w).models[name])
            for name in (w.model, *model_of(w).parts())
        },
        is_part=lambda w: any(
            w.model in model.parts() for model in protocol_of(w).models.values()
        ),
        evaluation=lambda w: {
            name: getattr(protocol_of(w).evaluation, name)
            for name in ("calibration_bootstrap", "pipeline_bootstrap")
        },
        columns=lambda w: settings_of(protocol_of(w).columns),
        sequences=lambda w: settings_of(protocol_of(w).sequences),
        readers=lambda w: settings_of(run_of(w).dataset.readers),
        persons=lambda w: run_of(w).shared_persons,
        about=lambda w: descriptions.model_about(run_of(w), w.model),
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "model {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/train.py"


rule predict:
    input:
        **paths_of("model", "refits"),
        parameters=lambda w: parameter_files(run_of(w)),
        participants=lambda w: run_of(w).files("partition_participants"),
        features=lambda w: run_of(w).files("partition_features"),
    output:
        **paths_of("predictions", "not_predicted", "calibration", "calculator"),
        software=path_of("software", job="predict_{model}"),
    log:
        "logs/{run}/predict_{model}.log",
    benchmark:
        "logs/{run}/predict_{model}.benchmark.tsv"
    group:
        "model_{model}"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        columns=lambda w: settings_of(protocol_of(w).columns),
        sequences=lambda w: settings_of(protocol_of(w).sequences),
        evaluation=lambda w: {
            name: getattr(protocol_of(w).evaluation, name)
            for name in ("calibration_bootstrap", "level")
        },
        reader=lambda w: run_of(w).dataset.readers.reference,
        persons=lambda w: run_of(w).shared_persons,
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "predictions of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/predict.py"


rule evaluate:
    input:
        models=lambda w: run_of(w).files("model"),
        predictions=lambda w: run_of(w).files("predictions"),
        validations=lambda w: run_of(w).files("validation"),
    output:
        **paths_of("performance", "performance_extra", "delong"),
        software=path_of("software", job="evaluate"),
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
        persons=lambda w: run_of(w).shared_persons,
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
