# Figures, tables and pages. A figure's or table's kind says what it is made from; nothing else here knows the kinds.
rule figure:
    message:
        "{wildcards.figure}: {wildcards.run}"
    input:
        lambda w: figure_files(run_of(w), w.figure),
    output:
        **{ending: f"results/{{run}}/figures/{{figure}}.{ending}" for ending in FIGURE_FORMATS},
    params:
        figure=lambda w: settings_of(item_of(run_of(w).protocol.figures, w.figure)),
        study=lambda w: study_text_of(w.run),
        inputs=lambda w: figure_inputs(run_of(w), w.figure),
        examples=lambda w: example_cases(run_of(w), w.figure),
    log:
        "logs/{run}/figures/{figure}.log",
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/study.yaml"
    script:
        "../../scripts/figure.py"


rule table:
    message:
        "{wildcards.table}: {wildcards.run}"
    input:
        lambda w: table_files(run_of(w), w.table),
    output:
        **{ending: f"results/{{run}}/tables/{{table}}.{ending}" for ending in TABLE_FORMATS},
    params:
        table=lambda w: settings_of(item_of(run_of(w).protocol.tables, w.table)),
        study=lambda w: study_text_of(w.run),
        columns=lambda w: {name: settings_of(column) for name, column in run_of(w).protocol.columns.items()},
        outcome=lambda w: settings_of(run_of(w).protocol.label),
        inputs=lambda w: table_inputs(run_of(w), w.table),
    log:
        "logs/{run}/tables/{table}.log",
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/study.yaml"
    script:
        "../../scripts/table.py"


rule provenance:
    message:
        "provenance: {wildcards.run}"
    input:
        lambda w: run_of(w).targets("tables"),
    output:
        "results/{run}/provenance/run.json",
    params:
        run=lambda w: run_description(w.run),
    log:
        "logs/{run}/provenance.log",
    resources:
        mem_mb=200,
        runtime=5,
    conda:
        "../../envs/study.yaml"
    script:
        "../../scripts/provenance.py"


rule page:
    message:
        "report: {wildcards.run}"
    input:
        figures=lambda w: run_of(w).targets("figures"),
        tables=lambda w: run_of(w).targets("tables"),
        models=lambda w: [
            f"results/{w.run}/models/{name}/model.json" for name in run_of(w).protocol.models
        ],
        details=lambda w: [
            f"results/{w.run}/models/{name}/{file}.csv"
            for name in run_of(w).protocol.models
            for file in ("selection", "coefficients", "calibration", "reproducibility")
        ],
        cohort=lambda w: [f"results/{w.run}/cohort/{file}.csv" for file in ("flow", "participants")],
        reproducibility="results/{run}/features/reproducibility.csv",
        qc=lambda w: qc_file(run_of(w)),
        overlays=lambda w: overlay_files(run_of(w)),
        parameters=lambda w: parameter_files(run_of(w)),
    output:
        "results/{run}/report.html",
    params:
        info=lambda w: run_info(w.run),
    log:
        "logs/{run}/report.log",
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/study.yaml"
    script:
        "../../scripts/report.py"


REPORTED = [name for name, run in RUNS.items() if run.request.until == "report"]


rule index:
    message:
        "index of all runs"
    input:
        pages=[f"results/{name}/report.html" for name in REPORTED],
        performance=[f"results/{name}/tables/performance.csv" for name in REPORTED],
        flow=[f"results/{name}/cohort/flow.csv" for name in REPORTED],
    output:
        "results/index.html",
    params:
        runs=[run_info(name) for name in REPORTED],
    log:
        "logs/index.log",
    resources:
        mem_mb=500,
        runtime=5,
    conda:
        "../../envs/study.yaml"
    script:
        "../../scripts/index.py"
