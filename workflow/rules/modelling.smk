# Models learn from training rows, and from nothing else: no other row is among a training job's inputs.
MODEL_FILES = (
    "model.json",
    "coefficients.csv",
    "selection.csv",
    "reproducibility.csv",
    "univariate.csv",
    "multivariate.csv",
    "lasso_path.csv",
    "lasso_cv.csv",
    "stability.csv",
    "nomogram.csv",
    "missing.csv",
)


rule train:
    input:
        participants="results/{run}/cohort/participants_training.csv",
        features="results/{run}/features/training.parquet",
        parameters=lambda w: parameter_files(run_of(w)),
    output:
        **{
            name.replace(".", "_"): f"results/{{run}}/models/{{model}}/{name}"
            for name in MODEL_FILES
        },
    log:
        "logs/{run}/train_{model}.log",
    benchmark:
        "logs/{run}/train_{model}.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=20,
    params:
        models=lambda w: {
            name: settings_of(model)
            for name, model in run_of(w).protocol.models.items()
        },
        columns=lambda w: {
            name: settings_of(column)
            for name, column in run_of(w).protocol.columns.items()
        },
        sequences=lambda w: {
            name: settings_of(item)
            for name, item in run_of(w).protocol.sequences.items()
        },
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "model {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/train.py"


rule predict:
    input:
        model="results/{run}/models/{model}/model.json",
        parameters=lambda w: parameter_files(run_of(w)),
        participants=lambda w: [
            f"results/{w.run}/cohort/participants_{name}.csv"
            for name in run_of(w).partitions
        ],
        features=lambda w: [
            f"results/{w.run}/features/{name}.parquet" for name in run_of(w).partitions
        ],
    output:
        predictions="results/{run}/models/{model}/predictions.csv",
        not_predicted="results/{run}/models/{model}/not_predicted.csv",
    log:
        "logs/{run}/predict_{model}.log",
    benchmark:
        "logs/{run}/predict_{model}.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        columns=lambda w: {
            name: settings_of(column)
            for name, column in run_of(w).protocol.columns.items()
        },
        sequences=lambda w: {
            name: settings_of(item)
            for name, item in run_of(w).protocol.sequences.items()
        },
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "predictions of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/predict.py"


# everything that resamples training rows: calibration, optimism and cross-validation; other partitions are only observed
rule calibrate:
    input:
        participants="results/{run}/cohort/participants_training.csv",
        features="results/{run}/features/training.parquet",
        predictions="results/{run}/models/{model}/predictions.csv",
    output:
        calibration="results/{run}/models/{model}/calibration.csv",
        validation="results/{run}/models/{model}/validation.csv",
        cross_validation="results/{run}/models/{model}/cross_validation.csv",
    log:
        "logs/{run}/calibrate_{model}.log",
    benchmark:
        "logs/{run}/calibrate_{model}.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=30,
    params:
        models=lambda w: {
            name: settings_of(model)
            for name, model in run_of(w).protocol.models.items()
        },
        columns=lambda w: {
            name: settings_of(column)
            for name, column in run_of(w).protocol.columns.items()
        },
        evaluation=lambda w: settings_of(run_of(w).protocol.evaluation),
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "calibration of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/calibrate.py"


rule evaluate:
    input:
        models=lambda w: [
            f"results/{w.run}/models/{name}/model.json"
            for name in run_of(w).protocol.models
        ],
        predictions=lambda w: [
            f"results/{w.run}/models/{name}/predictions.csv"
            for name in run_of(w).protocol.models
        ],
        validations=lambda w: [
            f"results/{w.run}/models/{name}/validation.csv"
            for name in run_of(w).protocol.models
        ],
        selections=lambda w: [
            f"results/{w.run}/models/{name}/selection.csv"
            for name in run_of(w).protocol.models
        ],
        features="results/{run}/features/training.parquet",
    output:
        performance="results/{run}/tables/performance.csv",
        extra="results/{run}/tables/performance_extra.csv",
        delong="results/{run}/tables/delong.csv",
        published="results/{run}/tables/published.csv",
    log:
        "logs/{run}/evaluate.log",
    benchmark:
        "logs/{run}/evaluate.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        models=lambda w: list(run_of(w).protocol.models),
        evaluation=lambda w: settings_of(run_of(w).protocol.evaluation),
        published=lambda w: [
            settings_of(number) for number in run_of(w).protocol.published
        ],
        seed=PLAN.config.seed,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "performance: {wildcards.run}"
    script:
        "../../scripts/evaluate.py"


rule reproducibility:
    input:
        lambda w: [
            f"results/{w.run}/models/{name}/reproducibility.csv"
            for name in run_of(w).protocol.models
        ],
    output:
        "results/{run}/features/reproducibility.csv",
    log:
        "logs/{run}/reproducibility.log",
    benchmark:
        "logs/{run}/reproducibility.benchmark.tsv"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        models=lambda w: list(run_of(w).protocol.models),
    message:
        "reproducibility of the features: {wildcards.run}"
    script:
        "../../scripts/reproducibility.py"
