"""JSON schemas and reference pages of all settings, made from where the settings are defined.

``python -m her2radiomics.study.reference`` writes them; a test fails when they drift.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from textwrap import indent
from typing import Any

from her2radiomics.core.contracts import CONTRACTS, HOMES, Contract, TableColumn
from her2radiomics.core.measures import MEASURES, needs_of
from her2radiomics.core.settings import Settings
from her2radiomics.imaging.formats import FORMATS, formats_in_words
from her2radiomics.imaging.segmentations import SEGMENTATIONS
from her2radiomics.manuscript import figures, tables
from her2radiomics.manuscript.published.settings import RULES, quantities
from her2radiomics.study.python_reference import python_page
from her2radiomics.study.schemas import MODELS, SCHEMAS, editor_schema

PAGES = {
    "configuration": (
        "Configuration",
        "What `config.yaml` may say. Unknown keys are refused by name, with the nearest known one.",
        {"config": "her2radiomics.study.config:Config"},
    ),
    "protocol": (
        "Study protocol",
        "What a study in `workflow/studies/*.yaml` may say.",
        {"protocol": "her2radiomics.study.protocol:Protocol"},
    ),
    "cohort": (
        "Cohorts",
        "What a cohort file in `workflow/cohorts/*.yaml` may say, and the two tables of a cohort in our own form.",
        {
            "cohort": "her2radiomics.cohort.settings:Cohort",
            "participants": "her2radiomics.cohort.settings:ParticipantRow",
            "manifest": "her2radiomics.cohort.manifest:ManifestRow",
        },
    ),
    "journal": (
        "Journal profiles",
        "What a profile in `workflow/journals/*.yaml` may say; what they do is described in `manuscript.md`.",
        {"journal": "her2radiomics.article.journals:Journal"},
    ),
    "audit_keys": (
        "Audit files",
        "What a file of printed numbers in `workflow/audits/*.yaml` may say; how to write one is described in `audit.md`.",
        {"audit": "her2radiomics.audit.paper:Audit"},
    ),
}
#: Tables inside a handbook page, between two comments: page, name of the table, and where its kinds are.
TABLES = {
    "docs/modelling.md": {
        "steps": "her2radiomics.modelling.steps:STEPS",
        "estimators": "her2radiomics.modelling.estimators:ESTIMATORS",
    },
    "docs/extraction.md": {"perturbations": "her2radiomics.imaging.perturbation_settings:PERTURBATIONS"},
    "docs/measures.md": {"measures": "her2radiomics.core.measures:MEASURES"},
    "docs/outputs.md": {
        "files of a run": "her2radiomics.core.contracts:CONTRACTS",
        "files of a cohort": "her2radiomics.core.contracts:CONTRACTS",
    },
}
ROOT = Path(__file__).parents[3]
#: Pictures of the kinds of figure, below ``docs``: drawn by ``python tests/gallery.py``.
PICTURES = "images/kinds"
NOTE = "Made by `python -m her2radiomics.study.reference` from the settings classes: do not edit."


def files() -> dict[str, str]:
    """Path, relative to the project, of every file to its text."""
    made = {}
    for page, (title, intro, models) in PAGES.items():
        parts = [f"# {title}\n\n<!-- {NOTE} -->\n\n{intro}\n"]
        for name, home in models.items():
            model = _model(home)
            schema = model.model_json_schema()
            if name not in MODELS:  # of a table
                made[f"{SCHEMAS}/{name}.schema.json"] = _json(schema)
            parts.append(_sections(name, schema))
        made[f"docs/{page}.md"] = "\n".join(parts)
    made |= {f"{SCHEMAS}/{name}.schema.json": _json(editor_schema(name)) for name in MODELS}
    made |= {"docs/contracts.md": contracts_page(), "docs/formats.md": _formats(), "docs/kinds.md": _manuscript()}
    made["docs/python.md"] = python_page(NOTE.replace("the settings classes", "docstrings"))
    for page, homes in TABLES.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name, home in homes.items():
            before, rest = text.split(f"<!-- {name}: made by `", 1)
            after = rest.split(f"<!-- end of {name} -->", 1)[1]
            if page == "docs/outputs.md":
                table = _files_of(name)
            else:
                table = _measures(name) if name == "measures" else _kinds(name, _model(home))
            text = f"{before}{table}<!-- end of {name} -->{after}"
        made[page] = text
    return made


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _formats() -> str:
    """The page of image formats: of each what its checks say of themselves."""
    lines = [
        f"# Image formats\n\n<!-- {NOTE.replace('settings', 'format')} -->\n",
        f"An image or mask is a {formats_in_words()}. The ending of its name alone decides how it is read; one that is not "
        "here is refused. Before anything is computed:\n",
        "| format | endings | of its header | of its voxels |\n|---|---|---|---|",
    ]
    for form in FORMATS.values():
        endings = [f"`{ending}`" for ending in form.endings] + [f"folder with {form.folder}"] * bool(form.folder)
        told = (" ".join(str(getdoc(check)).split()) for check in (form.check_header, form.check_content))
        lines.append(f"| {form.name} | {', '.join(endings)} | {' | '.join(told)} |")
    lines.append(
        "\nA format is one class in one module of `src/her2radiomics/imaging/formats/`, and is found there by itself. The "
        "class has the name, the endings, both checks (their docstrings make this table) and the reading; one that lacks a "
        "part cannot be registered."
    )
    lines.append(
        "\n## Masks\n\nA mask is a file of these formats that holds a label map (ITK-SNAP writes such files): 0 outside, "
        "one whole number for each structure. Or it is a segmentation, which is recognised by its content and never read "
        "as an image. `mask_label` in the manifest chooses the region, and a segment of a segmentation by its name, in "
        "any case, or by its number. With several segments and none chosen, or a single one that is called as a normal "
        "tissue, the mask is refused and its segments are listed.\n\n| segmentation | files | how it is read | by what "
        "|\n|---|---|---|---|"
    )
    for segmentation in SEGMENTATIONS.values():
        read = " ".join(str(getdoc(segmentation.read)).split())
        lines.append(
            f"| {segmentation.name} | {segmentation.files} | {read} | {' '.join(str(getdoc(segmentation)).split())} |"
        )
    lines.append(
        "\nA value of a label map is a whole number. `1+3` is the union of two values. Where the values are powers of "
        "two and their sums, and the sums lie where structures meet, the mask is taken for a bit-coded one and refused: "
        "`1+3` takes a structure with its overlaps, `only 1` says that each value is a structure of its own. A label map "
        "lies on the image's grid. A segmentation may be smaller than the image, with its axes in another order: each of "
        "its voxels must be one of the image's, and is placed there by its position."
    )
    return "\n".join(lines) + "\n"


def _measures(name: str) -> str:
    """The table of what is measured from images."""
    lines = [f"<!-- {name}: made by `python -m her2radiomics.study.reference`: do not edit. -->"]
    lines.append("| measure | unit | from | definition | source |\n|---|---|---|---|---|")
    for measure, about in MEASURES.items():
        cells = (f"`{measure}`", about.unit, needs_of(measure), about.definition, about.source)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _manuscript() -> str:
    """The page of the kinds of figure and table, each with an example."""
    parts = [
        f"# Gallery: kinds of figure and table\n\n<!-- {NOTE} -->\n\nWhat a protocol's `figures:` and `tables:` "
        "sections may ask for, with the lines that make an example of each. The pictures are drawn from invented numbers by "
        "these very lines; a test draws them again. All keys are described in [protocol.md](protocol.md), sizes, palettes "
        "and files in [figures.md](figures.md).\n"
    ]
    for kinds in (figures.KINDS, tables.KINDS):
        parts.append(f"## {kinds.what.capitalize()}s\n")
        for name, options in kinds.items():
            about, heading = options.about, options.__name__
            said = [" ".join(str(options.__doc__).split())]
            said += [f"Made from {', '.join(f'`{need}`' for need in about.needs)}."] if about.needs else []
            said += [f"Keys: [{heading}](protocol.md#{heading.lower()})."]
            said += [f"Caption in the report: “{about.caption}”"] if hasattr(about, "caption") else []
            if kinds is figures.KINDS:
                said[-1] += f"\n\n![Example of a figure of the kind {name}]({PICTURES}/{name}.png)"
            example = (
                f'```yaml title="workflow/studies/my_study.yaml"\n{kinds.what}s:\n{indent(about.example, "  ")}\n```\n'
            )
            parts.append(f"### `{name}`\n\n{' '.join(said)}\n\n{example}")
    return "\n".join(parts)


def contracts_page() -> str:
    """Every table and file that passes between jobs, with its columns."""
    parts = [f"# Data contracts\n\n<!-- {NOTE.replace('the settings classes', 'her2radiomics.core.contracts')} -->\n"]
    parts.append(
        "Tables and files that pass between jobs, and the results that users read. Cells of numbers may be empty, those of "
        "whole numbers only where this page says so; text is UTF-8, numbers have their full precision. A table made from "
        "simulated patients has a last column `simulated`.\n"
    )
    for home, folder in HOMES.items():
        inside = [declared for declared in CONTRACTS.values() if declared.home == home]
        parts.append(f"## `{folder.replace('{', '<').replace('}', '>')}/`\n")
        parts += [_contract(declared) for declared in inside]
    lines = ["| quantity | printed as | found in | agreement |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {kind.label} | {kind.source} | {RULES[kind.rule]} |" for name, kind in quantities().items()
    ]
    parts.append("## Quantities of `published`\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _contract(declared: Contract) -> str:
    path = declared.path.replace("{", "<").replace("}", ">")
    also = "".join(f", `.{ending}`" for ending in declared.also)
    each = f" (one for each {', '.join(declared.placeholders)})" if declared.placeholders else ""
    lines = [f"### {declared.name}\n\n`{path}`{also}{each}\n\n{declared.meaning}\n"]
    if declared.columns:
        lines.append(_columns(declared.columns))
        lines += [f"Further columns: {declared.others}.\n"] if declared.others else []
    return "\n".join(lines)


def _columns(columns: Sequence[TableColumn]) -> str:
    kinds = {"whole": "whole number", "truth": "true or false"}
    lines = ["| column | kind | unit | printed as | meaning |", "|---|---|---|---|---|"]
    for c in columns:
        kind = kinds.get(c.kind, c.kind) + ", may be empty" * c.empty + ", may be absent" * c.optional
        printed = f"{c.label} ({c.short})" if c.short else c.label
        values = f" One of {', '.join(f'`{value}`' for value in c.values)}." if c.values else ""
        lines.append(f"| `{c.name}` | {kind} | {c.unit} | {printed} | {c.meaning}{values} |")
    return "\n".join(lines) + "\n"


def _files_of(name: str) -> str:
    """Every declared file of a run, or of a cohort, by folder, with what it holds."""
    wanted = ("cohort",) if name == "files of a cohort" else ("run", "results")
    folders: dict[str, list[str]] = {}
    for declared in CONTRACTS.values():
        if declared.home not in wanted:
            continue
        above, _, file = declared.path.rpartition("/")
        place = f"{HOMES[declared.home]}/{above}".rstrip("/").replace("{", "<").replace("}", ">")
        also = "".join(f", `.{ending}`" for ending in declared.also)
        shown = file.replace("{", "<").replace("}", ">")
        meaning = declared.meaning.replace("|", "\\|")
        more = f" [Columns](contracts.md#{declared.name})" if declared.columns else ""
        folders.setdefault(place, []).append(f"| `{shown}`{also} | {meaning}{more} |")
    parts = [
        f"<!-- {name}: made by `python -m her2radiomics.study.reference` from her2radiomics.core.contracts: do not edit. -->"
    ]
    for place, rows in folders.items():
        parts.append("\n".join([f"\n### `{place}/`\n", "| file | what it holds |", "|---|---|", *rows]))
    return "\n".join(parts) + "\n\n"


def _model(home: str) -> Any:
    module, name = home.split(":")
    return getattr(import_module(module), name)


def _kinds(name: str, kinds: Mapping[str, type[Settings]]) -> str:
    """A table of kinds, each with what its settings class says of it."""
    made = f"<!-- {name}: made by `python -m her2radiomics.study.reference` from the settings classes: do not edit. -->"
    lines = [made, f"| {name.removesuffix('s')} | convention |", "|---|---|"]
    for kind, settings in kinds.items():
        text = " ".join(str(settings.__doc__).split()).replace("|", "\\|").replace("``", "`")
        lines.append(f"| `{kind}` | {text} |")
    return "\n".join(lines) + "\n"


def _sections(name: str, schema: dict[str, Any]) -> str:
    """One table for the model and one for each model that it refers to."""
    parts = [f"## `{name}`\n\n{_text(schema)}\n\n{_table(schema)}"]
    for other, definition in schema.get("$defs", {}).items():
        if "properties" in definition:
            # the name of a generic model carries its types: ByOutcome_Annotated_dict_…
            heading = re.split(r"_(?:Annotated|dict|list|float|str)_", other)[0]
            parts.append(f"### {heading}\n\n{_text(definition)}\n\n{_table(definition)}")
    return "\n".join(parts)


def _text(schema: dict[str, Any]) -> str:
    return " ".join(schema.get("description", "").split())


def _table(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, item in schema.get("properties", {}).items():
        default = "**required**" if key in required else f"`{json.dumps(item.get('default'), ensure_ascii=False)}`"
        if key not in required and "default" not in item:
            default = ""
        meaning = _text(item) or ("names this kind" if "const" in item else "")
        lines.append(f"| `{key}` | {_type(item)} | {default} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _type(item: dict[str, Any]) -> str:
    """A type in words."""
    if "$ref" in item:
        return re.split(r"_(?:Annotated|dict|list|float|str)_", item["$ref"].rsplit("/", 1)[-1])[0]
    if "const" in item:
        return f"`{item['const']}`"
    if "enum" in item:
        return ", ".join(f"`{value}`" for value in item["enum"])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in item:
            return " or ".join(dict.fromkeys(_type(member) for member in item[union]))
    if item.get("type") == "array":
        inner = item.get("items") or (item.get("prefixItems") or [{}])[0]
        return f"list of {_type(inner)}"
    if item.get("type") == "object":
        values = item.get("additionalProperties")
        return f"mapping to {_type(values)}" if isinstance(values, dict) and values else "mapping"
    names = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "empty"}
    return names.get(item.get("type", ""), item.get("type", "any"))


def main() -> int:
    """Write all files below the current folder."""
    for path, text in files().items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
