"""Schemas and reference pages are those of the settings classes; the shipped protocols and cohorts fit them."""

from __future__ import annotations

import json

import jsonschema
import pytest

from her2radiomics.core.settings import read_yaml
from her2radiomics.study import reference


@pytest.mark.parametrize("path", sorted(reference.files()))
def test_reference_has_not_drifted(root, path):
    assert (root / path).read_text(encoding="utf-8") == reference.files()[path], (
        "run 'python -m her2radiomics.study.reference'"
    )


@pytest.mark.parametrize("kind", ["cohort", "config"])
def test_schemas_accept_what_is_shipped_and_refuse_what_is_not(root, kind):
    schema = json.loads((root / f"workflow/schemas/{kind}.schema.json").read_text(encoding="utf-8"))
    shipped = {"cohort": root / "workflow/cohorts/simulated.yaml", "config": root / "config.yaml"}[kind]
    content = read_yaml(shipped)
    jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError, match="nonsense"):
        jsonschema.validate(content | {"nonsense": 1}, schema)


def test_every_key_is_described(root):
    """A key without a meaning in the reference is a key that a user has to guess."""
    own = ("configuration", "cohort")
    for page in own:
        for line in (root / f"docs/{page}.md").read_text(encoding="utf-8").splitlines():
            if line.startswith("| `"):
                assert line.rstrip(" |").count("|") >= 4 and line.split("|")[4].strip(), line
