"""Files of each model of a run: ``results/<run>/models/<model>/``.

What a kind of model does not have is a table without rows, so that every declared file exists.
"""

from dataclasses import replace

from her2radiomics.core.contracts.cohort_files import OUTCOME, PARTITION, PATIENT, SEQUENCE
from her2radiomics.core.contracts.declare import FROM_0_TO_1, Contract, number, text, truth, whole

TERM = text("term", "Predictor, `<column>[<level>]` for a level of a column, or the intercept.")
REGRESSION = (
    number("beta", "Coefficient.", "β"),
    number("se", "Standard error of the coefficient.", "SE"),
    number("wald", "Wald's statistic."),
    number("odds_ratio", "Odds ratio.", "OR"),
    number("ci_low", "Lower bound of the odds ratio's 95% confidence interval."),
    number("ci_high", "Upper bound of the odds ratio's 95% confidence interval."),
    number("p", "p value.", "p"),
)
VARIABLE = text("variable", "Column or score that the term belongs to.")
BY_VARIABLE = (
    number("p_variable", "p value of the variable with all its terms."),
    text("method", "How the regression was fitted: `ml` (maximum likelihood) or `firth`."),
)
FEATURE = text("feature", "Name of the feature.")
#: Where the reader's agreement was measured; ``features/reproducibility.csv`` gathers these tables.
REPRODUCIBILITY = (
    FEATURE,
    replace(SEQUENCE, meaning="Sequence that the feature was extracted from."),
    text("form", "Form of the intraclass correlation coefficient."),
    number("icc", "Intraclass correlation coefficient between the readers.", "ICC"),
    number("low", "Lower bound of its 95% confidence interval."),
    number("high", "Upper bound of its 95% confidence interval."),
    whole("n", "Training patients read twice."),
    text("kept", "Whether the feature passed.", values=("yes", "no", "not assessed")),
)
MEASURED = (
    text("measure", "Name of the measure; `note_…` is a remark, written in `method`."),
    number("value", "Value of the measure."),
    number("low", "Lower bound of its interval."),
    number("high", "Upper bound of its interval."),
    text("method", "How it was computed."),
)


def _of_model(name: str, meaning: str, *columns: object, ending: str = "csv") -> Contract:
    return Contract(name, f"models/{{model}}/{name}.{ending}", meaning, columns)  # type: ignore[arg-type]


#: What training writes: the fit, and what resampling the training rows gave.
TRAINED = (
    _of_model(
        "model",
        "The fitted model: all that prediction needs, from the settings of its extraction to the names of its classes.",
        ending="json",
    ),
    _of_model(
        "coefficients",
        "Terms of the final regression; a random forest has none. A penalised estimator has no columns from `se` on.",
        TERM,
        REGRESSION[0],
        *(replace(column, optional=True) for column in REGRESSION[1:]),
    ),
    _of_model(
        "selection",
        "How many features each step left.",
        whole("step", "Number of the step."),
        text("name", "Name of the step; that of a part's step begins with the part's name."),
        whole("features_in", "Features before the step."),
        whole("features_out", "Features after the step."),
        text("note", "What the step did or found."),
    ),
    _of_model("reproducibility", "Agreement between the readers, of every feature.", *REPRODUCIBILITY),
    _of_model(
        "univariate",
        "Logistic regression on one candidate at a time.",
        VARIABLE,
        TERM,
        *REGRESSION,
        *BY_VARIABLE,
        text("note", "Why a variable was not fitted."),
    ),
    _of_model(
        "multivariate",
        "Logistic regression on the candidates that were kept.",
        VARIABLE,
        TERM,
        *REGRESSION,
        *BY_VARIABLE,
    ),
    _of_model(
        "lasso_path",
        "Coefficients along the penalty.",
        number("lambda", "Penalty."),
        TERM,
        number("coefficient", "Coefficient at this penalty."),
    ),
    _of_model(
        "lasso_cv",
        "Cross-validated error along the penalty.",
        number("lambda", "Penalty."),
        number("mean_error", "Mean error over the folds."),
        number("se", "Standard error of the mean."),
        whole("n_features", "Terms with a coefficient."),
        truth("min", "Whether this is the penalty with the smallest error."),
        truth("one_se", "Whether this is the largest penalty within one standard error of it."),
    ),
    _of_model(
        "stability",
        "How often resamples selected each feature.",
        FEATURE,
        replace(SEQUENCE, meaning="Sequence that the feature was extracted from."),
        number("frequency", "Share of the resamples that selected it.", unit=FROM_0_TO_1),
        text("kept", "Whether the feature passed.", values=("yes", "no")),
    ),
    _of_model(
        "nomogram",
        "Axes of the nomogram, one row a tick.",
        text("axis", "`points`, a predictor, `total_points` or `probability`."),
        text("label", "Text at the tick."),
        text("value", "Value of the axis at the tick: a number or a level."),
        number("position", "Where the tick is: points, or total points on the last two axes.", unit="points"),
    ),
    _of_model(
        "missing",
        "Missing training values of the clinical candidates.",
        text("column", "Participants column."),
        whole("rows", "Training patients."),
        whole("missing", "Patients without a value."),
        text("handling", "What was done.", values=("imputed", "left out")),
        text("filled_with", "Value that fills empty cells, also when the model is applied."),
    ),
    _of_model(
        "validation", "Optimism, likelihood-ratio tests and cross-validation, from refits on training rows.", *MEASURED
    ),
    _of_model(
        "cross_validation",
        "AUC of every fold.",
        text("target", "What was refitted.", values=("pipeline", "final")),
        text("fold", "Number of the fold; `mean`, `sd` and `pooled` sum up."),
        whole("n", "Patients of the fold."),
        whole("events", "Those with the positive outcome."),
        number("auc", "Area under the curve.", "AUC", FROM_0_TO_1),
        number("low", "Lower bound of its interval."),
        number("high", "Upper bound of its interval."),
    ),
    _of_model(
        "held_out",
        "Cross-validated predictions: each training patient by the fit without the patient's fold.",
        PATIENT,
        text("target", "What was refitted.", values=("pipeline", "final")),
        whole("fold", "Number of the fold."),
        OUTCOME,
        number("probability", "Predicted probability; empty where the fold has none.", unit=FROM_0_TO_1),
    ),
    _of_model(
        "kept",
        "How often bootstrap refits of the whole pipeline kept each variable.",
        VARIABLE,
        whole("refits", "Bootstrap refits."),
        whole("kept", "Refits that kept it."),
        text("in_model", "Whether the model has it.", values=("yes", "no")),
    ),
    _of_model(
        "refits",
        "What training leaves to later jobs: the training curves of `calibration`, and, where other models are made "
        "of this one, its fit and refits as rules, each under a hash of the patients and labels that it was fitted on.",
        ending="json",
    ),
)
#: What is made with a trained model.
APPLIED = (
    _of_model(
        "predictions",
        "Prediction of every patient whom the model can predict.",
        PATIENT,
        PARTITION,
        OUTCOME,
        number("score", "Score: log-odds."),
        number("probability", "Predicted probability of the positive outcome.", unit=FROM_0_TO_1),
        text(
            "harmonisation",
            "What was done to the patient's centre, where the model adjusts for centres.",
            values=("learned", "passed_through", "adapted"),
            optional=True,
        ),
    ),
    _of_model(
        "not_predicted",
        "Values that keep patients from being predicted: missing, or a category that training never saw.",
        PATIENT,
        PARTITION,
        text("column", "Participants column."),
        text("found", "Value found; empty where it is missing."),
        text("expected", "What the model can predict from."),
    ),
    _of_model(
        "calibration",
        "Calibration curves. `apparent`, `bias_corrected` (the final regression refitted) and `pipeline_corrected` (the "
        "whole pipeline refitted) belong to training, `observed` to the others.",
        PARTITION,
        text("curve", "Which curve.", values=("apparent", "bias_corrected", "pipeline_corrected", "observed")),
        number("predicted", "Predicted probability.", unit=FROM_0_TO_1),
        number("observed", "Observed proportion by a smoother; it may leave 0 to 1."),
        number("low", "Lower bound of its bootstrap band."),
        number("high", "Upper bound of its bootstrap band."),
    ),
    _of_model(
        "calculator",
        "The model as a page with a control for each predictor, which works offline; of a kind that has none, why.",
        ending="html",
    ),
)
