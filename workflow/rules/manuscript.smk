# Figures, tables and pages. A figure's or table's kind says what it is made from; nothing else here depends on the kinds.
# One job makes all figures, or tables, of a run that wait for the same: starting a job takes as long as drawing one.
# their paths name the run: Snakemake looks up a path with a wildcard at its beginning for each file of the workflow
for RUN, STAGE in manuscript_jobs("figure"):

    rule:
        name:
            f"figures_{STAGE}_{RUN.id}"
        input:
            manuscript.inputs_of(RUN, "figure", STAGE),
        output:
            **manuscript.outputs_of(RUN, "figure", STAGE),
        log:
            f"logs/{RUN.id}/figures/{STAGE}.log",
        benchmark:
            f"logs/{RUN.id}/figures/{STAGE}.benchmark.tsv"
        group:
            "manuscript"
        conda:
            "../../envs/study.yaml"
        resources:
            mem_mb=1000,
            runtime=15,
        params:
            run=RUN.id,
            fingerprint=fingerprint(RUN, "figure", STAGE),
            figures=given(RUN, "figure", STAGE),
            study=lambda w, input, name=RUN.id: study_text_of(name),
        message:
            f"figures {manuscript.STAGES[STAGE]}: {RUN.id}"
        script:
            "../../scripts/figure.py"


# a figure as a press asks for it, made when it is asked for by name
rule figure_for_print:
    input:
        lambda w: manuscript.files_of(run_of(w), figure_of(w)),
    output:
        path_of("figure").removesuffix("svg") + "{ending}",
    log:
        "logs/{run}/figures/{figure}.{ending}.log",
    benchmark:
        "logs/{run}/figures/{figure}.{ending}.benchmark.tsv"
    wildcard_constraints:
        ending="tiff|eps",
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=3,
    params:
        run=lambda w: w.run,
        figures=lambda w: {w.figure: manuscript.given_for(run_of(w), figure_of(w))},
        study=lambda w: study_text_of(w.run),
    message:
        "{wildcards.figure}.{wildcards.ending}: {wildcards.run}"
    script:
        "../../scripts/figure.py"


for RUN, STAGE in manuscript_jobs("table"):

    rule:
        name:
            f"tables_{STAGE}_{RUN.id}"
        input:
            manuscript.inputs_of(RUN, "table", STAGE),
        output:
            **manuscript.outputs_of(RUN, "table", STAGE),
        log:
            f"logs/{RUN.id}/tables/{STAGE}.log",
        benchmark:
            f"logs/{RUN.id}/tables/{STAGE}.benchmark.tsv"
        group:
            "manuscript"
        conda:
            "../../envs/study.yaml"
        resources:
            mem_mb=1000,
            runtime=10,
        params:
            fingerprint=fingerprint(RUN, "table", STAGE),
            tables=given(RUN, "table", STAGE),
            study=lambda w, input, name=RUN.id: study_text_of(name),
            columns=lambda w, input, run=RUN: settings_of(run.protocol.columns),
            outcome=lambda w, input, run=RUN: settings_of(run.protocol.label),
        message:
            f"tables {manuscript.STAGES[STAGE]}: {RUN.id}"
        script:
            "../../scripts/table.py"


rule published:
    input:
        lambda w: run_of(w).published_files(),
    output:
        **paths_of("published"),
    log:
        "logs/{run}/published.log",
    benchmark:
        "logs/{run}/published.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=3,
    params:
        numbers=lambda w: settings_of(run_of(w).published),
        columns=lambda w: settings_of(protocol_of(w).columns),
        names=lambda w: descriptions.printed_names(run_of(w)),
        folder=lambda w: run_of(w).folder,
        simulated=lambda w: run_of(w).dataset.simulated,
    message:
        "published numbers: {wildcards.run}"
    script:
        "../../scripts/published.py"


# for those who take all figures or tables home at once
rule bundles:
    input:
        figures=lambda w: run_of(w).targets("figures"),
        tables=lambda w: run_of(w).targets("tables"),
    output:
        **paths_of("all_figures", "all_tables"),
    log:
        "logs/{run}/bundles.log",
    benchmark:
        "logs/{run}/bundles.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    message:
        "figures and tables as one file each: {wildcards.run}"
    script:
        "../../scripts/bundles.py"


rule provenance:
    input:
        lambda w: run_of(w).targets("tables"),
    output:
        path_of("record"),
    log:
        "logs/{run}/provenance.log",
    benchmark:
        "logs/{run}/provenance.benchmark.tsv"
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=200,
        runtime=5,
    params:
        run=lambda w: descriptions.run_description(run_of(w), PLAN.config),
    message:
        "provenance: {wildcards.run}"
    script:
        "../../scripts/provenance.py"


REPORTED = [name for name, run in RUNS.items() if run.request.until == "report"]


# what the texts of a run are written from: its page and its manuscript
WRITTEN_FROM = {
    "figures": lambda w: run_of(w).targets("figures"),
    "tables": lambda w: run_of(w).targets("tables"),
    "models": lambda w: run_of(w).files("model"),
    "details": lambda w: run_of(w).files(*MODEL_FILES),
    "cohort": lambda w: run_of(w).files(
        "flow",
        "participants",
        "partition_participants",
        "measured",
        "features_reproducibility",
    ),
    "qc": lambda w: run_of(w).quality_files(),
    "parameters": lambda w: parameter_files(run_of(w)),
    # of every job that computed or drew: the libraries that it used
    "software": lambda w: run_of(w).software_records()
    + PLAN.measuring[w.run].paths("measured_software"),
}


rule article:
    input:
        **WRITTEN_FROM,
        journal=lambda w: run_of(w).journal_files,
    output:
        **forms_of("manuscript"),
        **forms_of("references"),
        **paths_of(
            "journal_notes", "numbers", "manuscript_settings", "manuscript_places"
        ),
    log:
        "logs/{run}/article.log",
    benchmark:
        "logs/{run}/article.benchmark.tsv"
    wildcard_constraints:
        run=one_of(REPORTED),
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        info=lambda w: run_info(w.run),
        spelling=PLAN.config.spelling,
    message:
        "manuscript: {wildcards.run}"
    script:
        "../../scripts/article.py"


rule page:
    input:
        **WRITTEN_FROM,
        manuscript=lambda w: run_of(w).files("manuscript"),
        bundles=lambda w: run_of(w).files("all_figures", "all_tables"),
        overlays=lambda w: run_of(w).batches("batch_overlays"),
        # audit and checklists; the crate describes the page itself
        records=lambda w: [
            file for file in run_of(w).targets("records") if not file.endswith(".json")
        ],
        # minutes of work: on the page where it was made
        evidence=lambda w: [
            file
            for file in run_of(w).files("evidence_findings")
            if os.path.isfile(file)
        ],
    output:
        **paths_of("report"),
        # in full size, by patient and sequence: the page links to these and not to batches
        overlays=directory(path_of("overlays")),
    log:
        "logs/{run}/report.log",
    benchmark:
        "logs/{run}/report.benchmark.tsv"
    wildcard_constraints:
        run=one_of(REPORTED),
    group:
        "manuscript"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        info=lambda w: run_info(w.run),
        centres=lambda w: centres_of(run_of(w)),
    message:
        "report: {wildcards.run}"
    script:
        "../../scripts/report.py"


rule index:
    input:
        [
            path_of(name, run=run)
            for run in REPORTED
            for name in ("report", "performance", "flow")
        ],
    output:
        path_of("index"),
    log:
        "logs/index.log",
    benchmark:
        "logs/index.benchmark.tsv"
    localrule: True  # links to finished pages: not worth a place in a cluster's queue
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        runs=[run_info(name) for name in REPORTED],
    message:
        "index of all runs"
    script:
        "../../scripts/index.py"


# of a run that ends with the extraction: its page, which is made whatever failed, and then the limit of failed cases
EXTRACTED = [name for name in RUNS if name not in REPORTED]


rule extraction_page:
    input:
        qc=path_of("qc"),
        grey_levels=lambda w: run_of(w).files("grey_levels", "ibsi"),
        overlays=lambda w: run_of(w).batches("batch_overlays"),
    output:
        **paths_of("extraction_page"),
        overlays=directory(path_of("overlays")),
    log:
        "logs/{run}/extraction_page.log",
    benchmark:
        "logs/{run}/extraction_page.benchmark.tsv"
    wildcard_constraints:
        run=one_of(EXTRACTED),
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        title=lambda w: protocol_of(w).title,
        patients=lambda w: run_of(w).patients,
        reader=lambda w: run_of(w).dataset.readers.reference,
        simulated=lambda w: run_of(w).dataset.simulated,
        centres=lambda w: centres_of(run_of(w)),
        sequences=lambda w: descriptions.printed_names(run_of(w))["sequences"],
    message:
        "page of the extraction: {wildcards.run}"
    script:
        "../../scripts/extraction_page.py"


rule extracted:
    input:
        **paths_of("qc", "extraction_page"),
    output:
        path_of("extracted"),
    log:
        "logs/{run}/extracted.log",
    benchmark:
        "logs/{run}/extracted.benchmark.tsv"
    wildcard_constraints:
        run=one_of(EXTRACTED),
    localrule: True
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=300,
        runtime=5,
    params:
        patients=lambda w: run_of(w).patients,
        reader=lambda w: run_of(w).dataset.readers.reference,
        failed_cases=settings_of(PLAN.config.failed_cases),
    message:
        "failed cases: {wildcards.run}"
    script:
        "../../scripts/extracted.py"


onsuccess:
    for name in EXTRACTED:
        sentence = Path(path_of("extracted", run=name))
        if sentence.is_file():
            logger.info(f"{name}: {sentence.read_text(encoding='utf-8').strip()}")
