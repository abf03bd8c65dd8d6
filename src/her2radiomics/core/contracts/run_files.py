"""Files of a run, ``results/<run>/``, and the page over all runs."""

from dataclasses import replace

from her2radiomics.core.contracts.cohort_files import (
    CENTRE,
    FEATURE_KEYS,
    FEATURES,
    MEASURED_COLUMNS,
    OUTCOME,
    PARTITION,
    PATIENT,
    QC_COLUMNS,
)
from her2radiomics.core.contracts.declare import FROM_0_TO_1, SHARE, Contract, number, text, truth, whole
from her2radiomics.core.contracts.model_files import MEASURED, REPRODUCIBILITY

MODEL = text("model", "Name of the model in the protocol.", "Model")
PARTICIPANTS = (PATIENT, CENTRE, PARTITION, OUTCOME)
COLUMNS_OF_PROTOCOL = "the protocol's columns, as numbers and levels"
SIMULATED = truth("simulated", "Whether the patients are simulated.")
PRINTED = ("html", "tex", "docx")

COHORT = (
    Contract(
        "participants",
        "cohort/participants.csv",
        "Participants after exclusions and failed extractions.",
        PARTICIPANTS,
        others=COLUMNS_OF_PROTOCOL,
    ),
    Contract(
        "partition_participants",
        "cohort/participants_{partition}.csv",
        "Participants of one partition: the only ones that a job on this partition reads.",
        PARTICIPANTS,
        others=COLUMNS_OF_PROTOCOL,
    ),
    Contract(
        "flow",
        "cohort/flow.csv",
        "Flow of patients: each step, how many left, and why.",
        (
            text("step", "Kind of step.", values=("registered", "excluded", "failed", "partition")),
            text("reason", "Why patients left, as printed."),
            replace(PARTITION, meaning="The partition of a row `partition`.", values=()),
            whole("excluded", "Patients who left here."),
            whole("remaining", "Patients who are left, or who are in the partition."),
            whole("events", "Patients of the partition with the positive outcome.", empty=True),
        ),
    ),
    Contract(
        "measured",
        "cohort/measured.csv",
        "Columns measured from images, one row per patient and column; without rows where the protocol or cohort has none.",
        (
            *MEASURED_COLUMNS,
            text(
                "origin",
                "Where the cohort's value is from: the images or, where they allow no measurement, the participants table.",
                "Origin",
                values=("images", "participants table", "missing"),
            ),
        ),
    ),
    Contract("qc", "cohort/qc.csv", "Quality control: one row per patient, sequence, reader and region.", QC_COLUMNS),
    Contract(
        "grey_levels",
        "cohort/grey_levels.svg",
        "Figure: grey levels of every region, drawn from `qc.csv`; the CSV holds the numbers drawn.",
        also=("png", "pdf", "csv"),
    ),
    Contract(
        "features",
        "features/cohort.parquet",
        "Feature table: one row per patient and reader who has every sequence.",
        FEATURE_KEYS,
        others=FEATURES,
    ),
    Contract(
        "partition_features",
        "features/{partition}.parquet",
        "Feature table of one partition, all readers.",
        FEATURE_KEYS,
        others=FEATURES,
    ),
    Contract(
        "features_reproducibility",
        "features/reproducibility.csv",
        "Agreement between the readers, as the training of every model found it.",
        (MODEL, *REPRODUCIBILITY),
    ),
    Contract(
        "ibsi",
        "features/ibsi.csv",
        "How every feature of the parameter files relates to IBSI-1.",
        (
            text("parameters", "Name of the parameter file."),
            text("feature", "PyRadiomics' name, `<image>_<class>_<name>`."),
            text("image", "Image type."),
            text("kind", "Feature class."),
            text("name", "Name in the class."),
            text("code", "IBSI-1's permanent identifier; empty where it has no such feature."),
            text("ibsi_name", "IBSI-1's name."),
            text(
                "status",
                "As IBSI-1 defines it, after a stated conversion, IBSI-1's name with PyRadiomics' own definition, not in "
                "IBSI-1, or of a filtered image.",
                values=("ibsi", "converted", "own", "absent", "filtered"),
            ),
            text("grey_levels", "How intensities were discretised; empty where they were not."),
            text("why", "What differs from IBSI-1."),
        ),
    ),
)

PERFORMANCE = (
    MODEL,
    PARTITION,
    whole("n", "Patients predicted.", "Patients"),
    whole("events", "Those with the positive outcome.", "Events"),
    number("auc", "Area under the receiver operating characteristic curve.", "AUC", FROM_0_TO_1),
    number("auc_low", "Lower bound of its confidence interval.", "AUC, lower bound", FROM_0_TO_1),
    number("auc_high", "Upper bound of its confidence interval.", "AUC, upper bound", FROM_0_TO_1),
    text("ci_method", "Method of the interval: `delong`, `delong_logit`, `bootstrap`, `binomial_exact`.", "Interval"),
    number("threshold", "Probability from which on patients are called positive.", unit="probability"),
    number("sensitivity", "Positive patients who are called positive.", unit=SHARE),
    number("specificity", "Negative patients who are called negative.", unit=SHARE),
    number("ppv", "Patients called positive who are.", "Positive predictive value", SHARE, short="PPV"),
    number("npv", "Patients called negative who are.", "Negative predictive value", SHARE, short="NPV"),
    number("accuracy", "Patients who are called rightly.", unit=SHARE),
    number("brier", "Mean squared difference between probability and outcome.", "Brier score", FROM_0_TO_1),
    number(
        "calibration_intercept", "Intercept of the calibration: 0 if predictions are right on average.", unit="log-odds"
    ),
    number("calibration_slope", "Slope of the calibration: below 1 where predictions are too extreme."),
    number("auc_delong_low", "Lower bound of DeLong's interval, whatever the method.", unit=FROM_0_TO_1),
    number("auc_delong_high", "Upper bound of DeLong's interval.", unit=FROM_0_TO_1),
)
TABLES = (
    Contract("performance", "tables/performance.csv", "Performance of every model on every partition.", PERFORMANCE),
    Contract(
        "performance_extra",
        "tables/performance_extra.csv",
        "Further measures: intervals by every method, exact intervals of the rates, tests, corrected and cross-validated "
        "measures, comparisons of models, and remarks.",
        (MODEL, PARTITION, *MEASURED),
        for_people=True,
    ),
    Contract(
        "delong",
        "tables/delong.csv",
        "DeLong's test of every pair of models on the patients whom both predicted.",
        (
            PARTITION,
            text("model_a", "First model.", "First model"),
            text("model_b", "Second model.", "Second model"),
            whole("n", "Patients.", "Patients"),
            number("auc_a", "AUC of the first model.", unit=FROM_0_TO_1),
            number("auc_b", "AUC of the second model.", unit=FROM_0_TO_1),
            number("difference", "AUC of the first model less that of the second."),
            number("z", "z statistic."),
            number("p", "p value.", "p"),
            number("p_holm", "p value after Holm's correction within the partition.", "p (Holm)"),
        ),
    ),
    Contract(
        "published",
        "tables/published.csv",
        "Numbers, names and claims of the paper, compared with those of the run by stated rules.",
        (
            text(
                "quantity",
                "What the number is: a number of `performance.csv`, a measure of `performance_extra.csv`, or "
                "one of the quantities below.",
            ),
            replace(MODEL, meaning="The model, or `a vs b` for a comparison; empty for numbers of the cohort."),
            replace(PARTITION, meaning="The partition; empty for numbers of no partition.", values=()),
            number("published", "The paper's number; empty for bounds, names and claims of order."),
            number("published_low", "Lower bound of its interval, where printed."),
            number("published_high", "Upper bound of its interval, where printed."),
            number("reproduced", "The run's number; empty where the run has no such model or partition."),
            number("low", "Lower bound of its interval."),
            number("high", "Upper bound of its interval."),
            whole("n", "Patients.", empty=True),
            text("label", "What the number is called in print."),
            text("item", "Of what the number is: term, row, level, group, or which features."),
            text("published_text", "What the paper prints, as printed.", "Published"),
            text("reproduced_text", "The run's own, as printed; empty where there is none.", "This run"),
            text(
                "agreement", "Whether the two agree by the rule.", values=("agrees", "differs", "not made in this run")
            ),
            text("rule", "When numbers of this kind are said to agree."),
            text("place", "Where in the paper it is printed."),
            SIMULATED,
        ),
        for_people=True,
    ),
    Contract(
        "table",
        "tables/{table}.csv",
        "A table of the protocol as printed, by the paper's numbering: `table_<n>_<what>`.",
        also=PRINTED,
    ),
    Contract(
        "figure",
        "figures/{figure}.svg",
        "A figure of the protocol, by the paper's numbering: `figure_<n><letter>_<what>`; the CSV holds the numbers drawn.",
        also=("png", "pdf", "csv"),
    ),
    Contract(
        "all_tables", "tables.zip", "All tables in all their forms as one file; the same bytes for the same tables."
    ),
    Contract(
        "all_figures", "figures.zip", "All figures in all their forms as one file; the same bytes for the same figures."
    ),
)
ABOUT = (
    Contract(
        "audit",
        "tables/audit.csv",
        "Audit of the paper: arithmetic on its own printed numbers.",
        (
            text("id", "Name of the check in the audit file."),
            text("check", "Kind of check."),
            text("place", "Where in the paper the statement is printed."),
            text("claim", "What the paper states."),
            text("quote", "Its words."),
            text(
                "verdict",
                "Whether the statement fits the other printed numbers.",
                values=("consistent", "inconsistent", "cannot be checked"),
            ),
            text("arithmetic", "The calculation."),
            text("note", "Remark of the audit file."),
        ),
        also=("html", "docx"),
    ),
    Contract(
        "checklists",
        "checklists.csv",
        "Reporting checklists, one row per item, filled from what the run declares and has made.",
        (
            text("checklist", "Name of the checklist."),
            text("number", "Number of the item."),
            text("section", "Section of the checklist."),
            text("item", "What the item asks for."),
            text(
                "status",
                "Whether the run shows it.",
                values=("filled", "partly", "for the author", "not done", "not applicable"),
            ),
            text("statement", "What the run says."),
            text("files", "Files that show it, parted by `;`."),
            text("place", "Where the manuscript writes of it, as its headings print it, or that it does not."),
            text("paragraphs", "Identifiers of these paragraphs, parted by `;`."),
            text("points", "Points of the item, where the checklist has a score."),
            SIMULATED,
        ),
        also=("html", "docx"),
    ),
    Contract(
        "overlays",
        "overlays",
        "Pictures `<patient>/<sequence>.png` for quality control, so that a run's folder is whole by itself.",
    ),
    Contract(
        "extraction_page",
        "extraction.html",
        "Page of a run until the extraction: who was extracted, quality control, regions on images.",
    ),
    Contract(
        "extracted",
        "cohort/extracted.txt",
        "Of a run until the extraction: how many patients were extracted, who failed and why.",
    ),
    Contract(
        "refused",
        "refused.txt",
        "Never made: its job says why a run of config.yaml is not carried out, while the other runs go on.",
    ),
    Contract(
        "manuscript_settings",
        "manuscript/settings.json",
        "Every setting that texts print: protocol and cohort as run, seed, software, parameter files, rules.",
    ),
    Contract(
        "numbers",
        "manuscript/numbers.csv",
        "Every number in the manuscript's text: where it is printed, and the cell that it comes from.",
        (
            text("number", "As printed."),
            text("unit", "Its unit, where one is printed behind it."),
            text("section", "Heading that it is printed under."),
            text("paragraph", "Identifier of the paragraph, table or figure."),
            text("file", "File below the run's folder; several parted by ` | `, as are rows and columns."),
            text("row", "What tells the row from the others: `column=value`, parted by `; `; empty in a JSON file."),
            text("column", "Column, or the path of keys in a JSON file."),
            text("rounding", "How the cell is printed: the steps of `her2radiomics.manuscript.cells`, parted by `; `."),
            text("key", "Name of the number: the tag of its content control in Word, its macro in LaTeX."),
            SIMULATED,
        ),
        for_people=True,
    ),
    Contract(
        "manuscript_places",
        "manuscript/places.csv",
        "Paragraphs, tables and figures of the manuscript in order, and where they are printed: what checklists point to.",
        (
            text("paragraph", "Identifier of the paragraph, table or figure."),
            text("place", "Section and heading that it is printed under."),
            SIMULATED,
        ),
    ),
    Contract(
        "manuscript",
        "manuscript/manuscript.docx",
        "Manuscript of the run: text, tables and figures in the form of the journal that config.yaml names; every number is "
        "bound to its cell by a content control (Word) or a macro (LaTeX).",
        also=("tex",),
    ),
    Contract(
        "references",
        "manuscript/references.bib",
        "References that the manuscript cites, as BibTeX, RIS and CSL-JSON.",
        also=("ris", "json"),
    ),
    Contract(
        "journal_notes",
        "manuscript/journal.txt",
        "What in the manuscript is not as the journal asks, a line each: words of the abstract, resolution of figures.",
    ),
    Contract("report", "report.html", "The run's page: one file that loads nothing."),
    Contract(
        "record",
        "provenance/run.json",
        "What made the run: command, commit, time, cores, versions, hashes; no host, no user, no path. It differs "
        "between two runs of the same input.",
    ),
    Contract(
        "software",
        "provenance/software/{job}.json",
        "Libraries that a job's own code used, with their versions: what the methods section names.",
    ),
    Contract("input_hashes", "provenance/inputs.sha256", "SHA-256 of every table, image and mask that went in."),
    Contract(
        "workflow_copies",
        "provenance/workflow",
        "Copies of the workflow, the protocol as run, cohort and parameter files, and the lock file.",
    ),
    Contract(
        "crate", "ro-crate-metadata.json", "The run as a Workflow Run RO-Crate. Its date and version are the commit's."
    ),
    Contract("index", "index.html", "The page over all runs.", home="results"),
)
