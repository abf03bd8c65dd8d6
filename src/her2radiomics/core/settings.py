"""Typed settings: every key is declared and described once, and unknown keys are refused by name.

All of ``config.yaml``, the study protocols and the cohort files are read through :func:`load`. Each model
describes its fields, so that the JSON schemas in ``workflow/schemas`` are made from the same place.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.yaml_text import loader_of

#: Names that become parts of paths: of studies, variants, cohorts, sequences and models.
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
#: A YAML file larger than this, or one whose aliases expand to more values than this, is not one of ours.
MOST_BYTES, MOST_VALUES = 5_000_000, 500_000


class Settings(BaseModel):
    """Base of every settings model: immutable, strict about unknown keys; a number where text is wanted is its text."""

    # built when it is used: a job uses few of the kinds that there are
    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), coerce_numbers_to_str=True, defer_build=True
    )


Model = TypeVar("Model", bound=Settings)


def dump(item: Any) -> Any:
    """Settings, also within mappings and lists, as plain data: what a rule hands to its script, and what a change reruns."""
    if isinstance(item, BaseModel):
        return item.model_dump(mode="json")
    if isinstance(item, Mapping):
        return {name: dump(value) for name, value in item.items()}
    return [dump(value) for value in item] if isinstance(item, list | tuple) else item


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping; a missing, broken or non-mapping file is a :class:`SettingsError`."""
    path = Path(path)
    if not path.is_file():
        near = difflib.get_close_matches(path.stem, [p.stem for p in path.parent.glob("*.yaml")], n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise SettingsError(f"{path}: no such file.{hint}")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SettingsError(f"{path}: found {size} bytes, expected at most {MOST_BYTES}. Is it a settings file?")
        loader, node = loader_of(path.read_text(encoding="utf-8"), str(path))
        _refuse_bomb(node, path)
        content = None if node is None else loader.construct_document(node)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid YAML: {error}") from error
    except RecursionError:
        raise SettingsError(f"{path}: found values nested hundreds of levels deep. Flatten them.") from None
    if not isinstance(content, dict):
        raise SettingsError(f"{path}: found {type(content).__name__}, expected a mapping of keys to values.")
    return content


def _refuse_bomb(root: yaml.Node | None, path: Path) -> None:
    """Refuse aliases that expand to too many values ('billion laughs') or hold themselves, before anything expands."""
    sizes: dict[int, int] = {}
    inside: set[int] = set()

    def size(node: yaml.Node) -> int:
        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in inside:
            raise SettingsError(
                f"{path}, line {node.start_mark.line + 1}: found a value that contains itself through an "
                "alias. Write it out."
            )
        if id(node) not in sizes:
            inside.add(id(node))
            values = node.value if isinstance(node, yaml.SequenceNode) else [n for pair in node.value for n in pair]
            sizes[id(node)] = 1 + sum(map(size, values))
            inside.remove(id(node))
        return sizes[id(node)]

    if root is not None and size(root) > MOST_VALUES:
        raise SettingsError(
            f"{path}: found aliases that expand to {size(root)} values, expected at most {MOST_VALUES}. "
            "Write the values out."
        )


def overlay(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``changes`` over ``base``: mappings merge key by key, everything else is replaced, null removes."""
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def validate(model: type[Model], content: Mapping[str, Any], source: str | Path) -> Model:
    """Check ``content`` against ``model``; every problem becomes one line of a :class:`SettingsError`.

    Parameters
    ----------
    model
        The settings class.
    content
        The mapping to check.
    source
        Where it came from: named in the error.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = [_explain(model, content, problem) for problem in error.errors()]
        raise SettingsError(f"{source}:\n" + "\n".join(f"  - {line}" for line in lines)) from None


def load(model: type[Model], path: str | Path) -> Model:
    """Read and check a settings file."""
    return validate(model, read_yaml(path), path)


def _explain(model: type[BaseModel], content: Any, problem: Mapping[str, Any]) -> str:
    """One line for one pydantic problem: where, what was found, what was expected, what to do."""
    location = problem["loc"]
    where = ".".join(str(part) for part in location) or "(top level)"
    if problem["type"] == "extra_forbidden":
        known = sorted(_sibling_keys(model, content, location))
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        advice = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key '{where}': {advice}"
    if problem["type"] == "union_tag_invalid":
        tag, known = str(problem["ctx"]["tag"]), problem["ctx"]["expected_tags"]
        near = difflib.get_close_matches(tag, known.replace("'", "").split(", "), n=1)
        advice = f"did you mean '{near[0]}'?" if near else f"expected: {known}"
        return f"'{where}.{problem['ctx']['discriminator'].strip(chr(39))}': found '{tag}'; {advice}"
    if problem["type"] == "string_type" and isinstance(problem["input"], bool):
        word = str(problem["input"]).lower()
        return f"'{where}': found the truth value {word}; expected a text. Put it into quotes: '{word}'"
    if problem["type"] == "missing":
        return f"the key '{where}' is missing"
    if problem["type"] == "value_error":
        message = str(problem["ctx"]["error"])
        return f"'{where}': {message}" if location else message
    return f"'{where}': found {problem['input']!r}; expected: {problem['msg'].removeprefix('Input should be ')}"


def _sibling_keys(model: type[BaseModel], content: Any, location: tuple) -> set[str]:
    """Names that could replace an unknown key, found in the model's JSON schema."""
    schema = model.model_json_schema()
    nodes = [schema]
    value = content
    for part in location[:-1]:
        step_nodes: list[dict] = []
        consumed = False
        for node in _expand(nodes, schema):
            if isinstance(part, int) and "items" in node:
                step_nodes.append(node["items"])
                consumed = True
            elif isinstance(part, str) and part in node.get("properties", {}):
                step_nodes.append(node["properties"][part])
                consumed = True
            elif isinstance(node.get("additionalProperties"), dict) and isinstance(value, Mapping) and part in value:
                step_nodes.append(node["additionalProperties"])
                consumed = True
        if consumed:
            nodes = step_nodes
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
        else:  # the tag of a discriminated union: keep the member that carries it
            tagged = [n for n in _expand(nodes, schema) if part in _constants(n)]
            nodes = tagged or nodes
    return {key for node in _expand(nodes, schema) for key in node.get("properties", {})}


def _expand(nodes: list[dict], schema: dict) -> list[dict]:
    """Follow ``$ref`` and unions until only plain schemas are left."""
    plain: list[dict] = []
    for node in nodes:
        if "$ref" in node:
            plain += _expand([schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]], schema)
        elif any(union in node for union in ("anyOf", "oneOf", "allOf")):
            members = [m for union in ("anyOf", "oneOf", "allOf") for m in node.get(union, [])]
            plain += _expand(members, schema)
        else:
            plain.append(node)
    return plain


def _constants(node: dict) -> set:
    return {p.get("const") for p in node.get("properties", {}).values() if isinstance(p, dict)}
