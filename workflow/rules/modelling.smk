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


# what is written of each model's predictions, and of all models together
PREDICTED = ("predictions", "not_predicted", "calibration", "calculator")
JUDGED = ("performance", "performance_extra", "delong")


# Predicting and judging are one job for all models of a run: starting a job takes as long as predicting.
for RUN in RUNS.values():

    rule:
        name:
            f"evaluate_{RUN.id}"
        input:
            models=RUN.files("model"),
            refits=RUN.files("refits"),
            validations=RUN.files("validation"),
            parameters=parameter_files(RUN),
            participants=RUN.files("partition_participants"),
            features=RUN.files("partition_features"),
        output:
            **{
                f"predictions_of_{model}": [
                    *paths_of(*PREDICTED, run=RUN.id, model=model).values(),
                    path_of("software", run=RUN.id, job=f"predict_{model}"),
                ]
                for model in RUN.protocol.models
            },
            judged=[
                *paths_of(*JUDGED, run=RUN.id).values(),
                path_of("software", run=RUN.id, job="evaluate"),
            ],
        log:
            f"logs/{RUN.id}/evaluate.log",
        benchmark:
            f"logs/{RUN.id}/evaluate.benchmark.tsv"
        group:
            "manuscript"
        conda:
            "../../envs/study.yaml"
        resources:
            mem_mb=1000,
            runtime=30,
        params:
            predicted=PREDICTED,
            judged=JUDGED,
            models=list(RUN.protocol.models),
            columns=lambda w, run=RUN: settings_of(run.protocol.columns),
            sequences=lambda w, run=RUN: settings_of(run.protocol.sequences),
            calibration={
                name: getattr(RUN.protocol.evaluation, name)
                for name in ("calibration_bootstrap", "level")
            },
            evaluation=lambda w, run=RUN: settings_of(run.protocol.evaluation),
            reader=RUN.dataset.readers.reference,
            persons=lambda w, run=RUN: run.shared_persons,
            seed=PLAN.config.seed,
            simulated=RUN.dataset.simulated,
        message:
            f"predictions and performance: {RUN.id}"
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
