"""Names that stay importable from the packages, whatever moves within them."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest

from her2radiomics.study import python_reference

PUBLIC = {
    "her2radiomics": "CaseError StudyError __version__",
    "her2radiomics.evidence.discount": "ExpectedAuc chain_of coverage expected_auc read_benchmark read_chains",
    "her2radiomics.extraction": "extract_features extract_case draw_overlay",
    "her2radiomics.imaging": "read_image read_mask read_mask_onto",
    "her2radiomics.modelling": "load_model save_model gaussian_path lambda_grid binomial_path cross_validated_lasso "
    "univariate_test RedundancyFilter",
    "her2radiomics.statistics": ""
    "Calibration CalibrationCurve CategoricalPredictor Coding ContinuousPredictor Cox DeLongTest DecisionCurve "
    "GroupComparison HosmerLemeshow Improvement IntraclassCorrelation KaplanMeier LikelihoodRatio LinearModel "
    "LogRank LogisticRegression Nomogram OperatingPoint OptimismCorrected OptimismCorrectedAuc "
    "UnivariateThenMultivariate YoudenThreshold auc auc_interval brier calibration calibration_curve compare_groups "
    "cox decision_curve delong_test delong_test_unpaired holm hosmer_lemeshow icc icc_table "
    "integrated_discrimination kaplan_meier likelihood_ratio_test logistic_refit logistic_regression logrank "
    "net_benefit_difference net_reclassification nomogram operating_point optimism_corrected optimism_corrected_auc "
    "pretty proportion_interval remembered treatment_coding univariate_then_multivariate youden_threshold",
}


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_importable_and_listed(package):
    module = importlib.import_module(package)
    for name in PUBLIC[package].split():
        assert getattr(module, name) is not None
        assert name in module.__all__


def test_the_page_of_python_has_every_public_name(root):
    page = (root / "docs/python.md").read_text(encoding="utf-8")
    assert set(PUBLIC) <= set(python_reference.PACKAGES)
    for package, names in PUBLIC.items():
        part = page.split(f"## `{package}`\n")[1].split("\n## ")[0]
        shown = set(re.findall(r"^### `(\w+)`$", part, re.MULTILINE))
        assert set(names.split()) - {"__version__"} <= shown, package


@pytest.mark.parametrize(
    ("module", "words"), [("her2radiomics.modelling", ["predict", "--help"]), ("her2radiomics.extraction", ["--help"])]
)
def test_commands_of_the_packages(module, words):
    done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: python -m {module}")
