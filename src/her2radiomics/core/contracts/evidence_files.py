"""Files of a run's evidence: repetitions of the whole study, their summary, and what they show."""

from her2radiomics.core.contracts.declare import Contract, TableColumn, number, text, truth, whole

ARM = text("arm", "What differs within the analysis: an order of steps, a split, a control, a patient; empty: nothing.")
MODEL = text("model", "Name of the model in the protocol; empty: it concerns none.", "Model")
SET = text(
    "partition",
    "`training`, `testing`, `external`, or `cross_validated` within the training set; empty: it concerns none.",
    "Set",
)
MEASURE = text("measure", "What the number is, such as `auc` or `difference`.", "Measure")
N = whole("n", "Patients that the number is of.", empty=True)
EVENTS = whole("events", "Those with the positive outcome.", empty=True)
REPETITIONS = (
    whole("repetition", "Number of the repetition; it and the seed decide on everything random in it."),
    ARM,
    MODEL,
    SET,
    MEASURE,
    number("value", "The number; empty where the repetition has none."),
    N,
    EVENTS,
    text("note", "Why there is no number, or what else is to be said."),
)
SUMMARY: tuple[TableColumn, ...] = (
    ARM,
    MODEL,
    SET,
    MEASURE,
    number("value", "The number."),
    number("low", "Lower bound of its interval."),
    number("high", "Upper bound of its interval."),
    N,
    EVENTS,
    text("method", "How number and interval were found."),
)
ANALYSIS = text("analysis", "Name of the analysis.", "Analysis")
FINDINGS = (
    text("verdict", "Whether the claim holds.", values=("holds", "does not hold", "cannot be told")),
    text("claim", "The claim."),
    text("sentence", "What was found, in words."),
    text("rule", "The rule by which the verdict follows from the numbers."),
)
SIMULATED = truth("simulated", "Whether the patients are simulated.")

EVIDENCE = (
    Contract(
        "evidence_batch",
        "evidence/{analysis}/batch_{batch}.parquet",
        "Some repetitions of an analysis: what one job computes.",
        REPETITIONS,
    ),
    Contract("evidence_repetitions", "evidence/{analysis}.csv", "All repetitions of an analysis.", REPETITIONS),
    Contract("evidence_analysis", "evidence/{analysis}_summary.csv", "An analysis in numbers with intervals.", SUMMARY),
    Contract(
        "evidence_analysis_findings",
        "evidence/{analysis}_findings.csv",
        "What an analysis shows, each sentence with the rule that it follows from.",
        FINDINGS,
    ),
    Contract("evidence_figure", "evidence/{analysis}_figure.svg", "The analysis as a figure.", also=("pdf", "png")),
    Contract(
        "instability_rules",
        "models/{model}/instability.json",
        "Refits of the primary model on resamples of its training patients: predictions of new patients have an interval "
        "by them. Forests have none.",
    ),
    Contract(
        "evidence_summary", "evidence/summary.csv", "All analyses in numbers with intervals.", (ANALYSIS, *SUMMARY)
    ),
    Contract(
        "evidence_findings",
        "evidence/findings.csv",
        "What all analyses show: what holds, what does not, and what cannot be told; analyses that are left out say why.",
        (ANALYSIS, *FINDINGS),
    ),
    Contract("evidence_page", "evidence.html", "The evidence on a separate page: one file that loads nothing."),
)
