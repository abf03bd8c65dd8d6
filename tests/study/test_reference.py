"""Schemas and reference pages are those of the settings classes; the shipped protocols and cohorts fit them."""

from __future__ import annotations

import json
from functools import cache

import jsonschema
import pytest

from her2radiomics.core.settings import read_yaml
from her2radiomics.study import reference, schemas

MADE = reference.files()


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Of a kind of file; the schema itself is checked once."""
    schema = schemas.editor_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", sorted(MADE))
def test_reference_has_not_drifted(root, path):
    assert (root / path).read_text(encoding="utf-8") == MADE[path], "run 'python -m her2radiomics.study.reference'"


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


FILES = [(name, path) for name in schemas.MODELS for path in schemas.of_project(name)]


@pytest.mark.parametrize(("name", "path"), FILES, ids=lambda item: getattr(item, "stem", item))
def test_every_settings_file_fits_its_schema_and_names_it(root, name, path):
    """What an editor underlines in a file of ours, it would underline in a user's."""
    validator(name).validate(read_yaml(path))
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == schemas.editor_line(name, path.parent.relative_to(root).as_posix())
    named = (path.parent / first.split("$schema=")[1]).resolve()
    assert named == root / f"workflow/schemas/{name}.schema.json" and named.is_file()


def test_every_settings_file_of_the_project_has_a_schema(root):
    """Of the YAML files below workflow and the configuration none is left out."""
    assert {path for _, path in FILES} == {root / "config.yaml", *(root / "workflow").rglob("*.yaml")}


@pytest.mark.parametrize("name", schemas.MODELS)
def test_every_key_has_a_meaning_and_examples_that_fit(name):
    schema = schemas.editor_schema(name)
    refs = {"$defs": schema.get("$defs", {})}
    keys = [(key, child) for node in schemas._nodes(schema) for key, child in _properties(node)]
    assert len(keys) > 3
    for key, child in keys:
        assert child.get("description") or "const" in child or "$ref" in child, key
        assert child["examples"], key
        for example in child["examples"]:
            jsonschema.Draft202012Validator(child | refs).validate(example)  # without checking the schema each time


def _properties(node):
    found = node.get("properties")
    return [(key, child) for key, child in found.items() if "type" in child or "description" in child] if found else []


def test_schemas_refuse_what_the_settings_refuse(root):
    content = read_yaml(root / "workflow/studies/nat_response.yaml")
    for change in (
        {"titel": "x"},
        {"prediction_at": "later"},
        {"figures": {"figure_1": {"kind": "none", "title": "x"}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validator("protocol").validate(content | change)
