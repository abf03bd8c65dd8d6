"""Public statistics: pure functions on arrays and tables, checked against R (see ``docs/statistics.md``).

Importing this costs numpy alone: scipy, pandas, statsmodels and lifelines are loaded by the functions that
use them.
"""

from her2radiomics.statistics.agreement import IntraclassCorrelation, icc, icc_table
from her2radiomics.statistics.calibration_plot import CalibrationCurve, calibration_curve
from her2radiomics.statistics.decision import DecisionCurve, decision_curve, net_benefit_difference
from her2radiomics.statistics.design import Coding, treatment_coding
from her2radiomics.statistics.goodness import (
    Calibration,
    HosmerLemeshow,
    brier,
    calibration,
    hosmer_lemeshow,
)
from her2radiomics.statistics.groups import GroupComparison, compare_groups
from her2radiomics.statistics.nomogram_scale import (
    CategoricalPredictor,
    ContinuousPredictor,
    LinearModel,
    Nomogram,
    nomogram,
    pretty,
)
from her2radiomics.statistics.proportions import (
    OperatingPoint,
    holm,
    operating_point,
    proportion_interval,
)
from her2radiomics.statistics.reclassification import (
    Improvement,
    integrated_discrimination,
    net_reclassification,
)
from her2radiomics.statistics.regression import LogisticRegression, logistic_regression
from her2radiomics.statistics.resampling import (
    OptimismCorrected,
    OptimismCorrectedAuc,
    logistic_refit,
    optimism_corrected,
    optimism_corrected_auc,
    remembered,
)
from her2radiomics.statistics.roc import (
    DeLongTest,
    YoudenThreshold,
    auc,
    auc_interval,
    delong_test,
    delong_test_unpaired,
    youden_threshold,
)
from her2radiomics.statistics.survival import Cox, KaplanMeier, LogRank, cox, kaplan_meier, logrank
from her2radiomics.statistics.variable_choice import (
    LikelihoodRatio,
    UnivariateThenMultivariate,
    likelihood_ratio_test,
    univariate_then_multivariate,
)

__all__ = [
    "Calibration",
    "CalibrationCurve",
    "CategoricalPredictor",
    "Coding",
    "ContinuousPredictor",
    "Cox",
    "DeLongTest",
    "DecisionCurve",
    "GroupComparison",
    "HosmerLemeshow",
    "Improvement",
    "IntraclassCorrelation",
    "KaplanMeier",
    "LikelihoodRatio",
    "LinearModel",
    "LogRank",
    "LogisticRegression",
    "Nomogram",
    "OperatingPoint",
    "OptimismCorrected",
    "OptimismCorrectedAuc",
    "UnivariateThenMultivariate",
    "YoudenThreshold",
    "auc",
    "auc_interval",
    "brier",
    "calibration",
    "calibration_curve",
    "compare_groups",
    "cox",
    "decision_curve",
    "delong_test",
    "delong_test_unpaired",
    "holm",
    "hosmer_lemeshow",
    "icc",
    "icc_table",
    "integrated_discrimination",
    "kaplan_meier",
    "likelihood_ratio_test",
    "logistic_refit",
    "logistic_regression",
    "logrank",
    "net_benefit_difference",
    "net_reclassification",
    "nomogram",
    "operating_point",
    "optimism_corrected",
    "optimism_corrected_auc",
    "pretty",
    "proportion_interval",
    "remembered",
    "treatment_coding",
    "univariate_then_multivariate",
    "youden_threshold",
]
