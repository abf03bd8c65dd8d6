"""Selection steps in the wording of a methods section, with what each left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from her2radiomics.manuscript.tables.formatting import listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import model_phrase

if TYPE_CHECKING:
    import pandas as pd

TESTS = {"f_classif": "one-way analysis of variance", "mann_whitney": "the Mann–Whitney test"}
FAMILIES = {"gaussian": "least squares on the 0/1 outcome", "binomial": "logistic"}
RULES = {
    "min": "the smallest cross-validated error (lambda.min)",
    "1se": "one standard error above it (lambda.1se)",
}


def _univariate(step: Mapping[str, Any]) -> str:
    test = TESTS.get(step.get("test", "f_classif"), str(step.get("test")))
    if step.get("k"):
        return f"the {step['k']} features most related to the outcome by {test} were kept"
    return f"features related to the outcome by {test} (p < {step['p']:g}) were kept"


def _lasso(step: Mapping[str, Any]) -> str:
    family = FAMILIES.get(step.get("family", "gaussian"), str(step.get("family")))
    rule = RULES.get(step.get("rule", "min"), str(step.get("rule")))
    return (
        f"features with a coefficient other than zero were kept by LASSO: {family}, penalty at {rule} in "
        f"{step.get('folds', 10)}-fold cross-validation, features standardised inside each fold"
    )


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "min_max": lambda s: (
        "features were scaled to [0, 1] by their training minimum and maximum, without clipping"
    ),
    "z_score": lambda s: "features were standardised by their training mean and standard deviation",
    "icc_filter": lambda s: (
        f"features with an intraclass correlation between readers, {_form(s)}, of at least "
        f"{s.get('threshold', 0.75):g} were kept"
    ),
    "variance": lambda s: f"features with a variance of {s.get('threshold', 0):g} or less were dropped",
    "univariate": _univariate,
    "redundancy": lambda s: (
        f"of two features with an absolute {str(s.get('method', 'pearson')).capitalize()} correlation above "
        f"{s.get('threshold', 0.9):g}, the one more related to the outcome was kept"
    ),
    "lasso": _lasso,
    "forced_retention": lambda s: (
        "a sequence from which nothing was left got its best feature back, by "
        f"{TESTS.get(s.get('ranking', 'f_classif'), s.get('ranking'))}"
    ),
    "recursive_elimination": lambda s: (
        f"the feature with the smallest logistic weight was eliminated until {s['k']} were left"
    ),
}


def _form(step: Mapping[str, Any]) -> str:
    form = str(step.get("form", "ICC2,1"))
    return f"{form[:3]}({form[3:]})"


def sentence(step: Mapping[str, Any]) -> str:
    """One step in words; a step of an unknown kind is given by its settings."""
    kind = step["step"]
    if kind in SENTENCES:
        return SENTENCES[kind](step)
    rest = ", ".join(f"{key} {value}" for key, value in step.items() if key != "step")
    return f"{kind.replace('_', ' ')}{f' ({rest})' if rest else ''} was applied"


def chain(steps: Sequence[Mapping[str, Any]], counts: pd.DataFrame | None) -> str:
    """All steps in their order, each with the number of features that it left where there is a ``selection.csv``."""
    if not steps:
        return "All features entered the model; none was selected."
    left = _left(counts)
    parts = []
    for number, step in enumerate(steps, 1):
        text = sentence(step)
        kept = left.get(step["step"], [])
        if kept:
            text += f" ({kept.pop(0)} left)"
        parts.append(f"({number}) {text}")
    return f"In this order, {'; '.join(parts)}."


def _left(counts: pd.DataFrame | None) -> dict[str, list[int]]:
    """Features left by each step of a name, in order; scaling steps leave all and are not counted."""
    left: dict[str, list[int]] = {}
    if counts is None:
        return left
    for _, row in counts.iterrows():
        name = str(row["name"]).removesuffix("_after").rstrip("0123456789").rstrip("_")
        if name not in ("min_max", "z_score"):
            left.setdefault(name, []).append(int(row["features_out"]))
    return left


def reproducibility(info: RunInfo, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """How readers agreed, by model with an ICC step; or that it was not assessed."""
    texts: dict[str, list[str]] = {}
    for name, model in info.models.items():
        steps = [step for step in model.get("steps", []) if step["step"] == "icc_filter"]
        if not steps:
            continue
        table = tables.get(name)
        if table is None or (table["kept"].astype(str) == "not assessed").all():
            text = (
                f"Agreement between readers was not assessed, because fewer than {steps[0]['minimum_patients']} "
                "training patients were read twice; all features passed."
            )
        else:
            kept = int((table["kept"].astype(str) == "yes").sum())
            text = (
                f"Agreement between readers was measured by {_form(steps[0])} on {int(table['n'].max())} training "
                f"patients read twice; {kept} of {len(table)} features reached {steps[0]['threshold']:g}."
            )
        texts.setdefault(text, []).append(model_phrase(info.model_label(name)))
    if len(texts) == 1:
        return tuple(texts)
    return tuple(f"{text[:-1]} (for {listing(names)})." for text, names in texts.items())
