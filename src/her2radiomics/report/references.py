"""References of the methods that a run used, to go with its methods section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from her2radiomics.report.info import RunInfo

REFERENCES = {
    "pyradiomics": "van Griethuysen JJM, et al. Computational radiomics system to decode the radiographic phenotype. "
    "Cancer Res. 2017;77:e104–e107.",
    "ibsi": "Zwanenburg A, et al. The Image Biomarker Standardization Initiative: standardized quantitative radiomics for "
    "high-throughput image-based phenotyping. Radiology. 2020;295:328–338.",
    "n4": "Tustison NJ, et al. N4ITK: improved N3 bias correction. IEEE Trans Med Imaging. 2010;29:1310–1320.",
    "icc_filter": "McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients. Psychol Methods. "
    "1996;1:30–46.",
    "lasso": "Tibshirani R. Regression shrinkage and selection via the lasso. J R Stat Soc B. 1996;58:267–288.",
    "glmnet": "Friedman J, Hastie T, Tibshirani R. Regularization paths for generalized linear models via coordinate "
    "descent. J Stat Softw. 2010;33(1):1–22.",
    "elastic_net": "Zou H, Hastie T. Regularization and variable selection via the elastic net. J R Stat Soc B. "
    "2005;67:301–320.",
    "mrmr": "Peng H, Long F, Ding C. Feature selection based on mutual information: criteria of max-dependency, "
    "max-relevance, and min-redundancy. IEEE Trans Pattern Anal Mach Intell. 2005;27:1226–1238.",
    "recursive_elimination": "Guyon I, et al. Gene selection for cancer classification using support vector machines. "
    "Mach Learn. 2002;46:389–422.",
    "stability_selection": "Meinshausen N, Bühlmann P. Stability selection. J R Stat Soc B. 2010;72:417–473.",
    "combat": "Johnson WE, Li C, Rabinovic A. Adjusting batch effects in microarray expression data using empirical Bayes "
    "methods. Biostatistics. 2007;8:118–127.",
    "random_forest": "Breiman L. Random forests. Mach Learn. 2001;45:5–32.",
    "linear_svm": "Cortes C, Vapnik V. Support-vector networks. Mach Learn. 1995;20:273–297.",
    "ridge": "Hoerl AE, Kennard RW. Ridge regression: biased estimation for nonorthogonal problems. Technometrics. "
    "1970;12:55–67.",
    "firth": "Heinze G, Schemper M. A solution to the problem of separation in logistic regression. Stat Med. "
    "2002;21:2409–2419.",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more correlated receiver operating "
    "characteristic curves: a nonparametric approach. Biometrics. 1988;44:837–845.",
    "binomial_exact": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the "
    "binomial. Biometrika. 1934;26:404–413.",
    "bootstrap": "Efron B, Tibshirani RJ. An introduction to the bootstrap. New York: Chapman and Hall; 1993.",
    "holm": "Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat. 1979;6:65–70.",
    "youden": "Youden WJ. Index for rating diagnostic tests. Cancer. 1950;3:32–35.",
    "optimism": "Harrell FE, Lee KL, Mark DB. Multivariable prognostic models: issues in developing models, evaluating "
    "assumptions and adequacy, and measuring and reducing errors. Stat Med. 1996;15:361–387.",
    "hosmer_lemeshow": "Hosmer DW, Lemeshow S. Goodness of fit tests for the multiple logistic regression model. Commun "
    "Stat Theory Methods. 1980;9:1043–1069.",
    "decision": "Vickers AJ, Elkin EB. Decision curve analysis: a novel method for evaluating prediction models. Med Decis "
    "Making. 2006;26:565–574.",
    "reclassification": "Pencina MJ, et al. Evaluating the added predictive ability of a new marker: from area under the "
    "ROC curve to reclassification and beyond. Stat Med. 2008;27:157–172.",
    "kaplan_meier": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc. "
    "1958;53:457–481.",
    "cox": "Cox DR. Regression models and life-tables. J R Stat Soc B. 1972;34:187–220.",
}


def references(info: RunInfo) -> tuple[str, ...]:
    """References of what the run used, in the order of its methods."""
    used = set(_used(info))
    return tuple(text for key, text in REFERENCES.items() if key in used)


def _used(info: RunInfo) -> Iterator[str]:
    if info.extracted:
        yield from ("pyradiomics", "ibsi")
        if any((item.get("preprocessing") or {}).get("n4") for item in info.get("sequences", {}).values()):
            yield "n4"
    for model in info.models.values():
        yield from _of_model(model)
    settings = info.protocol["evaluation"]
    yield from ("delong", "holm", "youden", "hosmer_lemeshow", "decision")
    yield settings.get("ci_method", "delong")
    if settings.get("calibration_bootstrap") or settings.get("pipeline_bootstrap"):
        yield "optimism"
    if settings.get("comparisons"):
        yield "reclassification"
    kinds = {item["kind"] for item in (*info.get("figures", []), *info.get("tables", []))}
    if kinds & {"kaplan_meier", "survival"}:
        yield "kaplan_meier"
    if "survival" in kinds:
        yield "cox"


def _of_model(model: Mapping[str, Any]) -> Iterator[str]:
    blocks = [model, model.get("features") or {}]
    steps = [step["step"] for block in blocks for step in block.get("steps", [])]
    if (model.get("selection") or {}).get("by") == "lasso":
        steps.append("lasso")
    yield from steps
    if {"lasso", "elastic_net"} & set(steps):
        yield "glmnet"
    estimator = model.get("estimator") or model
    kind = estimator.get("kind", "logistic")
    yield "elastic_net" if kind == "elastic_net_logistic" else kind
    if estimator.get("method", "auto") in ("auto", "firth") and kind not in (
        "ridge",
        "random_forest",
        "linear_svm",
    ):
        yield "firth"
