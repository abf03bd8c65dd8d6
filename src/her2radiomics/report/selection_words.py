"""Selection steps in the wording of a methods section, with what each left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript.formatting import listing
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import model_phrase

TESTS = {"f_classif": "one-way analysis of variance", "mann_whitney": "the Mann–Whitney test"}
SCALINGS = {"min_max": "min-max scaling", "z_score": "z-scoring"}
UNCOUNTED = (*SCALINGS, "combat")
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


def _penalty(step: Mapping[str, Any], method: str) -> str:
    family = FAMILIES.get(step.get("family", "gaussian"), str(step.get("family")))
    rule = RULES.get(step.get("rule", "min"), str(step.get("rule")))
    return (
        f"features with a coefficient other than zero were kept by {method}: {family}, penalty at {rule} in "
        f"{step.get('folds', 10)}-fold cross-validation, features standardised inside each fold"
    )


def _mrmr(step: Mapping[str, Any]) -> str:
    relevance = {"f_classif": "the F statistic", "mutual_information": "mutual information"}
    redundancy = {"correlation": "absolute Pearson correlation", "mutual_information": "mutual information"}
    return (
        f"{step['k']} features were taken by minimum redundancy and maximum relevance: the {step.get('scheme', 'quotient')} "
        f"of {relevance[step.get('relevance', 'f_classif')]} with the outcome and the mean "
        f"{redundancy[step.get('redundancy', 'correlation')]} with the features taken before"
    )


def _stability(step: Mapping[str, Any]) -> str:
    alpha = step.get("alpha", 1.0)
    method = "LASSO" if alpha == 1 else f"an elastic net (alpha {alpha:g})"
    family = FAMILIES.get(step.get("family", "gaussian"), str(step.get("family")))
    taken = (
        f"among the first {step['q']} to enter its path"
        if step.get("q")
        else f"kept at {step['penalty']:g} of the largest penalty"
    )
    return (
        f"features {taken} on at least {100 * step.get('threshold', 0.75):g} % of {step.get('samples', 100)} random halves "
        f"of the training patients were kept (stability selection with {method}: {family})"
    )


def _combat(step: Mapping[str, Any]) -> str:
    batch = step.get("batch", "centre")
    parts = ["locations alone"] if step.get("mean_only") else []
    parts.append(f"{'parametric' if step.get('parametric', True) else 'non-parametric'} empirical Bayes")
    if step.get("reference"):
        parts.append(f"reference {step['reference']}")
    kept = [*step.get("covariates", ()), *(["the outcome in training"] if step.get("preserve_label") else [])]
    if kept:
        parts.append(f"beside the effect of {listing(kept)}")
    unseen = {
        "refuse": f"another {batch} was refused",
        "pass_through": f"values of another {batch} were left as they are",
        "adapt": f"another {batch} was adapted to, without outcomes, from {step.get('minimum', 20)} or more of its patients "
        "predicted together (transductive)",
    }
    return (
        f"features were harmonised between the training {batch}s by ComBat ({', '.join(parts)}), learned on training "
        f"patients only; {unseen[step.get('unseen', 'refuse')]}"
    )


def _variance(step: Mapping[str, Any], before: Sequence[str]) -> str:
    scaled = [SCALINGS[name] for name in before if name in SCALINGS]
    of = f"after {listing(scaled)}" if scaled else "of the measured values"
    return f"features with a variance of {step.get('threshold', 0):g} or less ({of}) were dropped"


SENTENCES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "min_max": lambda s: (
        "features were scaled to [0, 1] by their training minimum and maximum, without clipping"
    ),
    "z_score": lambda s: "features were standardised by their training mean and standard deviation",
    "icc_filter": lambda s: (
        f"features with an intraclass correlation between readers, {_form(s)}, of at least "
        f"{s.get('threshold', 0.75):g} were kept"
    ),
    "univariate": _univariate,
    "redundancy": lambda s: (
        f"of two features with an absolute {str(s.get('method', 'pearson')).capitalize()} correlation above "
        f"{s.get('threshold', 0.9):g}, the one more related to the outcome was kept"
    ),
    "mrmr": _mrmr,
    "lasso": lambda s: _penalty(s, "LASSO"),
    "elastic_net": lambda s: _penalty(s, f"an elastic net (alpha {s.get('alpha', 0.5):g})"),
    "stability_selection": _stability,
    "combat": _combat,
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


def sentence(step: Mapping[str, Any], before: Sequence[str] = ()) -> str:
    """One step in words, given the kinds of the steps before it; one of an unknown kind is given by its settings."""
    kind = step["step"]
    if kind == "variance":
        return _variance(step, before)
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
        text = sentence(step, [earlier["step"] for earlier in steps[: number - 1]])
        kept = left.get(step["step"], [])
        if kept:
            text += f" ({kept.pop(0)} left)"
        parts.append(f"({number}) {text}")
    return f"In this order, {'; '.join(parts)}."


def _left(counts: pd.DataFrame | None) -> dict[str, list[int]]:
    """Features left by each step of a name, in order; scaling and harmonisation leave all and are not counted."""
    left: dict[str, list[int]] = {}
    if counts is None:
        return left
    for _, row in counts.iterrows():
        name = str(row["name"]).removesuffix("_after").rstrip("0123456789").rstrip("_")
        if name not in UNCOUNTED:
            left.setdefault(name, []).append(int(row["features_out"]))
    return left


def reproducibility(info: RunInfo, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
    """How readers agreed, by model with an ICC step; or that it was not assessed."""
    texts: dict[str, list[str]] = {}
    reached: dict[tuple[str, int, float], list[tuple[str, int, int]]] = {}
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
            texts.setdefault(text, []).append(info.model_label(name))
            continue
        how = (_form(steps[0]), int(table["n"].max()), float(steps[0]["threshold"]))
        kept = int((table["kept"].astype(str) == "yes").sum())
        reached.setdefault(how, []).append((info.model_label(name), kept, len(table)))
    said = [_reached(*how, models) for how, models in reached.items()]
    for text, names in texts.items():
        only = said or len(texts) > 1
        said.append(f"{text[:-1]} (for {listing([model_phrase(name) for name in names])})." if only else text)
    return tuple(said)


def _reached(form: str, patients: int, threshold: float, models: Sequence[tuple[str, int, int]]) -> str:
    """Features that agreed well enough, by model where there are several numbers."""
    text = f"Agreement between readers was measured by {form} on {patients} training patients read twice; "
    counts = dict.fromkeys((kept, count) for _, kept, count in models)
    if len(counts) == 1:
        ((kept, count),) = counts
        return f"{text}{kept} of {count} features reached {threshold:g}."
    each = [f"{kept} of {count} ({name})" for name, kept, count in models]
    return f"{text}of the features, {listing(each)} reached {threshold:g}."
