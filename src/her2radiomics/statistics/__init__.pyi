from .agreement import IntraclassCorrelation as IntraclassCorrelation
from .agreement import icc as icc
from .agreement import icc_table as icc_table
from .calibration_errors import CalibrationErrors as CalibrationErrors
from .calibration_errors import calibration_errors as calibration_errors
from .calibration_plot import CalibrationCurve as CalibrationCurve
from .calibration_plot import calibration_curve as calibration_curve
from .collinearity import variance_inflation as variance_inflation
from .corrected_auc import CrossValidatedAuc as CrossValidatedAuc
from .corrected_auc import auc_632_plus as auc_632_plus
from .corrected_auc import cross_validated_auc as cross_validated_auc
from .correlation import RankCorrelation as RankCorrelation
from .correlation import rank_correlation as rank_correlation
from .cox_regression import Cox as Cox
from .cox_regression import cox as cox
from .decision import DecisionCurve as DecisionCurve
from .decision import decision_curve as decision_curve
from .decision import net_benefit_difference as net_benefit_difference
from .design import Coding as Coding
from .design import treatment_coding as treatment_coding
from .goodness import Calibration as Calibration
from .goodness import HosmerLemeshow as HosmerLemeshow
from .goodness import ObservedExpected as ObservedExpected
from .goodness import brier as brier
from .goodness import brier_skill as brier_skill
from .goodness import calibration as calibration
from .goodness import hosmer_lemeshow as hosmer_lemeshow
from .goodness import observed_expected as observed_expected
from .groups import GroupComparison as GroupComparison
from .groups import compare_groups as compare_groups
from .nomogram_scale import CategoricalPredictor as CategoricalPredictor
from .nomogram_scale import ContinuousPredictor as ContinuousPredictor
from .nomogram_scale import LinearModel as LinearModel
from .nomogram_scale import Nomogram as Nomogram
from .nomogram_scale import nomogram as nomogram
from .nomogram_scale import pretty as pretty
from .precision_recall import PrecisionRecall as PrecisionRecall
from .precision_recall import precision_recall as precision_recall
from .proportions import OperatingPoint as OperatingPoint
from .proportions import holm as holm
from .proportions import operating_point as operating_point
from .proportions import proportion_interval as proportion_interval
from .raters import Kappa as Kappa
from .raters import kappa as kappa
from .reclassification import Improvement as Improvement
from .reclassification import integrated_discrimination as integrated_discrimination
from .reclassification import net_reclassification as net_reclassification
from .regression import LogisticRegression as LogisticRegression
from .regression import logistic_regression as logistic_regression
from .resampling import OptimismCorrected as OptimismCorrected
from .resampling import OptimismCorrectedAuc as OptimismCorrectedAuc
from .resampling import Refitted as Refitted
from .resampling import logistic_refit as logistic_refit
from .resampling import optimism_corrected as optimism_corrected
from .resampling import optimism_corrected_auc as optimism_corrected_auc
from .resampling import remembered as remembered
from .roc import DeLongTest as DeLongTest
from .roc import YoudenThreshold as YoudenThreshold
from .roc import auc as auc
from .roc import auc_interval as auc_interval
from .roc import delong_test as delong_test
from .roc import delong_test_unpaired as delong_test_unpaired
from .roc import separation_bound as separation_bound
from .roc import youden_threshold as youden_threshold
from .survival import KaplanMeier as KaplanMeier
from .survival import LogRank as LogRank
from .survival import kaplan_meier as kaplan_meier
from .survival import logrank as logrank
from .survival import potential_follow_up as potential_follow_up
from .variable_choice import LikelihoodRatio as LikelihoodRatio
from .variable_choice import UnivariateThenMultivariate as UnivariateThenMultivariate
from .variable_choice import likelihood_ratio_test as likelihood_ratio_test
from .variable_choice import univariate_then_multivariate as univariate_then_multivariate

__all__ = [
    "Calibration",
    "CalibrationCurve",
    "CalibrationErrors",
    "CategoricalPredictor",
    "Coding",
    "ContinuousPredictor",
    "Cox",
    "CrossValidatedAuc",
    "DeLongTest",
    "DecisionCurve",
    "GroupComparison",
    "HosmerLemeshow",
    "Improvement",
    "IntraclassCorrelation",
    "KaplanMeier",
    "Kappa",
    "LikelihoodRatio",
    "LinearModel",
    "LogRank",
    "LogisticRegression",
    "Nomogram",
    "ObservedExpected",
    "OperatingPoint",
    "OptimismCorrected",
    "OptimismCorrectedAuc",
    "PrecisionRecall",
    "RankCorrelation",
    "Refitted",
    "UnivariateThenMultivariate",
    "YoudenThreshold",
    "auc",
    "auc_632_plus",
    "auc_interval",
    "brier",
    "brier_skill",
    "calibration",
    "calibration_curve",
    "calibration_errors",
    "compare_groups",
    "cox",
    "cross_validated_auc",
    "decision_curve",
    "delong_test",
    "delong_test_unpaired",
    "holm",
    "hosmer_lemeshow",
    "icc",
    "icc_table",
    "integrated_discrimination",
    "kaplan_meier",
    "kappa",
    "likelihood_ratio_test",
    "logistic_refit",
    "logistic_regression",
    "logrank",
    "net_benefit_difference",
    "net_reclassification",
    "nomogram",
    "observed_expected",
    "operating_point",
    "optimism_corrected",
    "optimism_corrected_auc",
    "potential_follow_up",
    "precision_recall",
    "pretty",
    "proportion_interval",
    "rank_correlation",
    "remembered",
    "separation_bound",
    "treatment_coding",
    "univariate_then_multivariate",
    "variance_inflation",
    "youden_threshold",
]
from .sample_size import DevelopmentSize as DevelopmentSize
from .sample_size import ValidationSize as ValidationSize
from .sample_size import c_statistic_error as c_statistic_error
from .sample_size import development_size as development_size
from .sample_size import expected_shrinkage as expected_shrinkage
from .sample_size import r2_max as r2_max
from .sample_size import r2_of_c as r2_of_c
from .sample_size import validation_size as validation_size
from .selection_stability import SelectionStability as SelectionStability
from .selection_stability import selection_stability as selection_stability
