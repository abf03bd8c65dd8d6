"""JSON schemas of all settings, for editors: every key with its meaning and examples, in all the forms that a file may use.

Examples are taken from the project's own files, so that none is invented; where no file uses a key they are its default or
the values that it may have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from her2radiomics.core.libraries import radiomics
from her2radiomics.core.settings import read_yaml
from her2radiomics.manuscript import figures, tables

ROOT = Path(__file__).parents[3]
SCHEMAS = "workflow/schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Schema to the settings class, and to the project's files that it is of.
MODELS = {
    "config": ("her2radiomics.study.config:Config", ("config.yaml",)),
    "protocol": ("her2radiomics.study.protocol:Protocol", ("workflow/studies/*.yaml",)),
    "cohort": ("her2radiomics.cohort.settings:Cohort", ("workflow/cohorts/*.yaml",)),
    "audit": ("her2radiomics.audit.paper:Audit", ("workflow/audits/*.yaml",)),
    "checklist": ("her2radiomics.checklists.settings:Checklist", ("workflow/checklists/*.yaml",)),
    "journal": ("her2radiomics.article.journals:Journal", ("workflow/journals/*.yaml",)),
    "parameters": ("", ("workflow/extraction/*.yaml",)),
}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
#: What a settings class takes beside its mapping, and keys by which it finds the required ones elsewhere.
BARE = {"Condition": (TEXT, TEXTS), "Evidence": (TEXT,)}
#: Keys of lists that may also be one text.
ONE_OR_MORE = {"RocOptions": ("band", "cross_validated")}
ELSEWHERE = {"Cohort": "extends", "Column": "definition"}
#: Lists that may be written as a mapping from id.
BY_ID = ("figures", "tables")
MOST_EXAMPLES, LONGEST, LONGEST_OF_ALL = 3, 120, 1000
Node = dict[str, Any]


def editor_line(schema: str, folder: str) -> str:
    """First line of a settings file in a folder: by it editors complete and explain its keys."""
    path = os.path.relpath(f"{SCHEMAS}/{schema}.schema.json", folder)
    return f"# yaml-language-server: $schema={Path(path).as_posix()}"


def of_project(schema: str) -> list[Path]:
    """Files of the project that a schema is of."""
    return [path for pattern in MODELS[schema][1] for path in sorted(ROOT.glob(pattern))]


@cache
def editor_schema(name: str) -> Node:
    """The JSON schema of a kind of settings file (:data:`MODELS`)."""
    home = MODELS[name][0]
    if not home:
        return {"$schema": DIALECT} | _parameters()
    module, model = home.split(":")
    schema: Node = deepcopy(getattr(import_module(module), model).model_json_schema())
    found: dict[int, list[Any]] = {}
    contents = [read_yaml(path) for path in of_project(name)]
    if name == "protocol":
        kinds = [(f"{kinds.what}s", kind) for kinds in (figures.KINDS, tables.KINDS) for kind in kinds.values()]
        contents += [{section: yaml.safe_load(kind.about.example)} for section, kind in kinds]
    for content in contents:
        _collect(schema, content, schema, found)
    _add_examples(schema, found)
    for key in BY_ID if name in ("protocol", "audit") else ():
        if key in schema["properties"]:
            _or_by_id(schema["properties"][key], schema)
    for title, node in [(model, schema), *schema.get("$defs", {}).items()]:
        if title in ELSEWHERE and node.get("required"):
            node["anyOf"] = [{"required": node.pop("required")}, {"required": [ELSEWHERE[title]]}]
    for title in schema.get("$defs", {}):
        if title in BARE:
            schema["$defs"][title] = {"anyOf": [schema["$defs"][title], *map(dict, BARE[title])]}
    for title, keys in ONE_OR_MORE.items():
        for key in keys if title in schema.get("$defs", {}) else ():
            child = schema["$defs"][title]["properties"][key]
            child["anyOf"] = [{part: child.pop(part) for part in ("type", "items")}, dict(TEXT)]
    for node in _nodes(schema):
        if node.get("type") == "string" and not {"const", "enum", "pattern", "format"} & set(node):
            node["type"] = ["string", "number"]  # a number where text is wanted is its text
    return {"$schema": DIALECT} | schema


def _parameters() -> Node:
    """The schema of PyRadiomics' parameter files: its feature classes with their features."""
    classes = {
        name: {
            "description": f"Features of the class {name}; an empty list takes all that are not deprecated.",
            "type": ["array", "null"],
            "items": {"enum": sorted(kind.getFeatureNames())},
            "examples": [[]],
        }
        for name, kind in sorted(radiomics.getFeatureClasses().items())
    }
    images = {
        name: {
            "description": f"Image type {name}, with its own settings.",
            "type": ["object", "null"],
            "examples": [{}],
        }
        for name in sorted(radiomics.getImageTypes())
    }
    own = [read_yaml(path) for path in of_project("parameters")]
    settings = sorted({key for content in own for key in content.get("setting", {})})
    known = {key: [content["setting"][key] for content in own if key in content.get("setting", {})] for key in settings}
    keys = {
        name: {"description": f"Setting {name} of PyRadiomics.", "examples": _different(values)}
        for name, values in known.items()
    }
    about = "Settings of PyRadiomics, for all image types (https://pyradiomics.readthedocs.io/en/latest/customization.html)."
    parts = {
        "setting": ({"type": "object", "properties": keys}, about, [{"binWidth": 25}]),
        "imageType": (_closed(images), "Image types that features are computed of.", [{"Original": {}}]),
        "featureClass": (_closed(classes), "Classes of features.", [{"firstorder": [], "glcm": []}]),
    }
    properties = {name: node | {"description": text, "examples": shown} for name, (node, text, shown) in parts.items()}
    return {"title": "Parameters", "description": "A parameter file of PyRadiomics."} | _closed(properties)


def _closed(properties: Node) -> Node:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _or_by_id(node: Node, schema: Node) -> None:
    """Let a list of items with an id also be a mapping from id to the rest."""
    item = node["items"]
    members = [_resolved(member, schema) for member in item.get("oneOf", item.get("anyOf", [item]))]
    for member in members:
        if "id" in member.get("required", ()):
            member["required"] = [key for key in member["required"] if key != "id"]
    listed = {key: node.pop(key) for key in ("type", "items") if key in node}
    node["anyOf"] = [listed, {"type": "object", "additionalProperties": item}]


def _resolved(node: Node, schema: Node) -> Node:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


def _nodes(node: Any) -> Iterator[Node]:
    """Every schema within a schema; values of examples, defaults and constants are none."""
    if isinstance(node, Mapping):
        yield node  # type: ignore[misc]
        for key, value in node.items():
            if key not in ("examples", "default", "const", "enum"):
                yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _members(node: Node, value: Any, schema: Node) -> list[Node]:
    """Plain schemas that a value may be of: references followed, unions decided by discriminator or the value's type."""
    node = _resolved(node, schema)
    union = node.get("oneOf") or node.get("anyOf")
    if not union:
        return [node] if _fits(node, value) else []
    tag = node.get("discriminator", {}).get("propertyName")
    members = [_resolved(member, schema) for member in union]
    if tag and isinstance(value, Mapping):
        members = [member for member in members if value.get(tag) in _values(member["properties"].get(tag, {}))]
    return [plain for member in members for plain in _members(member, value, schema)]


def _all_members(node: Node, schema: Node) -> list[Node]:
    """Plain schemas of a union, or the schema itself."""
    node = _resolved(node, schema)
    return [_resolved(member, schema) for member in node.get("oneOf") or node.get("anyOf") or [node]]


def _values(node: Node) -> list[Any]:
    return [node["const"]] if "const" in node else node.get("enum", [node.get("default")])


def _fits(node: Node, value: Any) -> bool:
    kinds: dict[str, Any] = {"object": Mapping, "array": list, "string": (str, int, float), "boolean": bool}
    kinds |= {"number": (int, float), "integer": int, "null": type(None)}
    return "type" not in node or isinstance(value, kinds[node["type"]])


def _collect(node: Node, value: Any, schema: Node, found: dict[int, list[Any]]) -> None:
    """Note what a file says of each key, by the identity of the key's schema."""
    for plain in _members(node, value, schema):
        if isinstance(value, Mapping):
            inner = plain.get("additionalProperties")
            for key, own in value.items():
                child = plain.get("properties", {}).get(key, inner)
                if key in plain.get("properties", {}):
                    found.setdefault(id(child), []).append(own)
                if isinstance(child, Mapping):
                    _collect(child, own, schema, found)  # type: ignore[arg-type]
        elif isinstance(value, list) and isinstance(plain.get("items"), Mapping):
            for own in value:
                _collect(plain["items"], own, schema, found)
    listed = _resolved(node, schema)
    if isinstance(value, Mapping) and listed.get("type") == "array":  # a mapping from id
        for key, own in value.items():
            _collect(listed["items"], {"id": key, **(own or {})}, schema, found)


def _add_examples(schema: Node, found: Mapping[int, list[Any]]) -> None:
    """Short examples of each key: of the files, else its default, those of a key of the same name, or what it may hold."""
    keys = [
        (name, child)
        for node in list(_nodes(schema))
        if isinstance(node.get("properties"), Mapping)
        for name, child in node["properties"].items()
    ]
    named: dict[tuple[str, str], list[Any]] = {}
    for name, child in keys:
        free = not any("properties" in member for member in _all_members(child, schema))
        examples = _different(found.get(id(child), []), free=free)
        if not examples and child.get("default") not in (None, "", [], {}):
            examples = [child["default"]]
        if examples:
            child["examples"] = examples
            named.setdefault((name, _form(child)), examples)
    for name, child in keys:
        if "examples" not in child:
            child["examples"] = named.get((name, _form(child))) or _possible(child, schema)


def _form(node: Node) -> str:
    """What a key may hold, to compare it with another of the same name."""
    return str({part: node.get(part) for part in ("type", "anyOf", "$ref", "enum", "const", "items", "pattern")})


def _possible(node: Node, schema: Node) -> list[Any]:
    """What a key that no file uses may hold."""
    node = _resolved(node, schema)
    if "const" in node or "enum" in node:
        return _values(node)[:MOST_EXAMPLES]
    if "anyOf" in node or "oneOf" in node:
        return next(
            (found for member in node.get("anyOf") or node["oneOf"] if (found := _possible(member, schema))), []
        )
    if node.get("type") in ("integer", "number"):
        least: Any = node.get("minimum", node.get("exclusiveMinimum", 0))
        most = node.get("maximum", node.get("exclusiveMaximum"))
        return [(least + most) / 2 if most is not None and node["type"] == "number" else least + 1]
    if node.get("type") == "array":
        fewest = max(1, node.get("minItems", 1))
        items = node.get("prefixItems") or [node.get("items", {})] * fewest
        return [[_possible(item, schema)[0] for item in items]]
    if node.get("type") == "object" and "properties" not in node:
        inner = node.get("additionalProperties")
        names = [f"name_{number}" for number in range(1, 1 + max(1, node.get("minProperties", 1)))]
        return [{name: _possible(inner, schema)[0] for name in names} if isinstance(inner, dict) else {}]
    if "properties" in node:
        needed = node.get("required", [*node.get("properties", {})][:1])
        return [{key: (own := node["properties"][key]).get("examples", _possible(own, schema))[0] for key in needed}]
    if node.get("pattern"):
        return []
    return ["..."] if node.get("type") == "string" else [None]


def _different(values: list[Any], *, free: bool = True) -> list[Any]:
    """The first different ones of some values, as plain data; those of ``free`` keys are cut to what fits on a line."""
    shown: list[Any] = []
    for value in sorted(values, key=lambda value: len(str(value)) > LONGEST):
        plain = yaml.safe_load(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))
        plain = _cut(plain) if free else plain
        if plain not in (None, {}, []) and plain not in shown and len(str(plain)) <= LONGEST_OF_ALL:
            shown.append(plain)
        if len(shown) == MOST_EXAMPLES:
            break
    return shown


def _cut(value: Any) -> Any:
    """A list or mapping of many entries cut to as many as fit on a line, but at least one."""
    while isinstance(value, list | dict) and len(value) > 1 and len(str(value)) > LONGEST:
        value = value[:-1] if isinstance(value, list) else dict([*value.items()][:-1])
    return value
