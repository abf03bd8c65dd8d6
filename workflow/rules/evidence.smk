# How much of a run's performance would survive: repetitions of the whole study in jobs of about a minute, their summary, the page.
rule evidence_batch:
    input:
        **paths_of("participants", "features"),
        others=lambda w: evidence_files.others(run_of(w), w.analysis, SEED).values(),
    output:
        **paths_of("evidence_batch"),
    log:
        "logs/{run}/evidence/{analysis}_{batch}.log",
    benchmark:
        "logs/{run}/evidence/{analysis}_{batch}.benchmark.tsv"
    wildcard_constraints:
        batch="[0-9]+",
    group:
        "evidence"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=lambda w, attempt: 1500 * attempt,
        runtime=30,
    params:
        about=lambda w: evidence_files.parameters(run_of(w), SEED),
        analysis=lambda w: settings_of(evidence_files.analyses(run_of(w))[w.analysis]),
        repetitions=lambda w: evidence_files.repetitions(
            run_of(w), w.analysis, w.batch, SEED
        ),
        others=lambda w: evidence_files.others(run_of(w), w.analysis, SEED),
    message:
        "evidence, {wildcards.analysis}, batch {wildcards.batch}: {wildcards.run}"
    script:
        "../../scripts/evidence_batch.py"


rule evidence_analysis:
    input:
        **paths_of("participants", "features"),
        others=lambda w: evidence_files.others(run_of(w), w.analysis, SEED).values(),
        batches=lambda w: evidence_files.batches(run_of(w), w.analysis, SEED),
    output:
        **paths_of(
            "evidence_repetitions", "evidence_analysis", "evidence_analysis_findings"
        ),
        **forms_of("evidence_figure"),
    log:
        "logs/{run}/evidence/{analysis}.log",
    benchmark:
        "logs/{run}/evidence/{analysis}.benchmark.tsv"
    group:
        "evidence"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        about=lambda w: evidence_files.parameters(run_of(w), SEED),
        analysis=lambda w: settings_of(evidence_files.analyses(run_of(w))[w.analysis]),
        others=lambda w: evidence_files.others(run_of(w), w.analysis, SEED),
    message:
        "evidence, {wildcards.analysis}: {wildcards.run}"
    script:
        "../../scripts/evidence_analysis.py"


# what predictions of new patients have their interval from, beside the model
rule evidence_rules:
    input:
        model=path_of("model"),
        batches=lambda w: evidence_files.batches(run_of(w), "instability", SEED),
    output:
        **paths_of("instability_rules"),
    log:
        "logs/{run}/evidence/rules_{model}.log",
    benchmark:
        "logs/{run}/evidence/rules_{model}.benchmark.tsv"
    group:
        "evidence"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=800,
        runtime=5,
    params:
        about=lambda w: evidence_files.parameters(run_of(w), SEED),
    message:
        "evidence, refits of {wildcards.model}: {wildcards.run}"
    script:
        "../../scripts/evidence_rules.py"


rule evidence_page:
    input:
        rules=lambda w: evidence_files.instability_rules(run_of(w), SEED),
        participants=path_of("participants"),
        evidence_analysis=lambda w: evidence_of(w, "evidence_analysis"),
        evidence_analysis_findings=lambda w: evidence_of(
            w, "evidence_analysis_findings"
        ),
        figures=lambda w: evidence_of(w, "evidence_figure"),
        repetitions=lambda w: evidence_of(w, "evidence_repetitions"),
    output:
        **paths_of("evidence_summary", "evidence_findings", "evidence_page"),
    log:
        "logs/{run}/evidence/page.log",
    benchmark:
        "logs/{run}/evidence/page.benchmark.tsv"
    group:
        "evidence"
    conda:
        "../../envs/study.yaml"
    resources:
        mem_mb=800,
        runtime=5,
    params:
        about=lambda w: evidence_files.parameters(run_of(w), SEED),
        analyses=lambda w: {
            name: settings_of(analysis)
            for name, analysis in evidence_files.analyses(run_of(w)).items()
        },
        made=lambda w: evidence_files.made(run_of(w), SEED),
        obstacles=lambda w: evidence_files.obstacles(run_of(w), SEED),
    message:
        "evidence: {wildcards.run}"
    script:
        "../../scripts/evidence_page.py"
