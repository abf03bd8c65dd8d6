"""A study on features that were extracted otherwise from the same images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from her2radiomics.core.libraries import pd
from her2radiomics.evidence.extractions import Purpose
from her2radiomics.evidence.study import EvidenceStudy, Facts


def described(facts: Facts, name: str) -> str:
    """What is otherwise in an extraction, as pages print it."""
    return facts.about.others[name].description or name.replace("_", " ")


def left_out(facts: Facts, purpose: Purpose, what: str) -> str:
    """A sentence on what cannot be done without other extractions, with a space before it; empty: there are some."""
    if facts.extractions(purpose):
        return ""
    why = "no such extraction was made" if facts.about.extracted else "the features were brought, without images"
    return f" {what} are left out: {why}."


def on_other_features(study: EvidenceStudy, name: str) -> EvidenceStudy:
    """The study on the features of another extraction, with the patients whom it holds."""
    features = study.other_features[name]
    known = study.people["patient_id"].isin(features["patient_id"].astype(str))
    return replace(study, features=features, people=study.people[known])


def of_all(study: EvidenceStudy, other: EvidenceStudy, probability: np.ndarray) -> np.ndarray:
    """Probabilities of another study's patients, in the rows of this one; not a number for those whom it lacks."""
    found: np.ndarray = pd.Series(probability, index=other.table.index).reindex(study.table.index).to_numpy()
    return found
