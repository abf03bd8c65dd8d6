"""What the evidence jobs of the workflow do with the library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from her2radiomics.core.columns import read_participants
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import validate
from her2radiomics.core.tables import read
from her2radiomics.evidence.analyses import ANALYSES
from her2radiomics.evidence.analysis import Analysis
from her2radiomics.evidence.extractions import laid_over
from her2radiomics.evidence.resamples import RULE
from her2radiomics.evidence.study import About, EvidenceStudy, Facts
from her2radiomics.modelling.saved.refits import refits_content


def analysis_from(content: Mapping[str, Any]) -> Analysis:
    """An analysis from a rule's parameter."""
    return validate(ANALYSES[content["analysis"]], dict(content), "parameters of the rule")


def facts_from(about: Mapping[str, Any], participants: str) -> Facts:
    """What is known of a study without its features."""
    known = validate(About, dict(about), "parameters of the rule")
    return Facts(about=known, people=read_participants(participants, known.columns))


def study_from(
    about: Mapping[str, Any], participants: str, features: str, others: Mapping[str, str] | None = None
) -> EvidenceStudy:
    """A study with the features of all of its patients, and further feature tables by name."""
    facts = facts_from(about, participants)
    own = read("features", features)
    tables = {
        name: laid_over(own, read("features", path), facts.about.others[name].regions)
        for name, path in (others or {}).items()
    }
    return EvidenceStudy(about=facts.about, people=facts.people, features=own, other_features=tables)


def all_batches(files: list[str]) -> pd.DataFrame:
    """Repetitions of all batches, in their order."""
    table = pd.concat([read("evidence_batch", file) for file in files], ignore_index=True)
    return table.sort_values("repetition", kind="stable", ignore_index=True)


def refits_of(about: Mapping[str, Any], model: str, rows: pd.DataFrame, sha256: str) -> dict[str, Any]:
    """Content of a model's ``instability.json`` from the repetitions that keep the refits' rules."""
    columns = validate(About, dict(about), "parameters of the rule").columns
    told = rows.loc[(rows["measure"] == RULE) & (rows["model"] == model), "note"]
    return refits_content(model, [json.loads(text) for text in told], columns, sha256)
