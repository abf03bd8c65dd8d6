"""A cohort file as text: what is certain as settings, what is not as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from her2radiomics.importing.columns import Profile
from her2radiomics.importing.outcome import Target

#: Where a project keeps its cohort files.
FOLDER = Path("workflow/cohorts")
#: First line of each: editors complete and explain its keys by it.
SCHEMA = "# yaml-language-server: $schema=../schemas/cohort.schema.json"


def quoted(value: object) -> str:
    """A value as YAML writes it on one line."""
    text = str(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else text
    return (
        text
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", text) and text.lower() not in _WORDS
        else json.dumps(text, ensure_ascii=False)
    )


_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}


def declared(profile: Profile) -> dict[str, Any]:
    """The column as a protocol declares it."""
    label = re.sub(r"\s*[{\[].*", "", profile.heading).strip() or profile.heading
    made: dict[str, Any] = {"label": label, "kind": profile.kind}
    if profile.unit:
        made["unit"] = profile.unit
        made["label"] = re.sub(r"\s*[\[(][^\])]*[\])]\s*$", "", label) or label
    if profile.levels:
        made["levels"] = {level: profile.labels.get(level, level) for level in sorted(profile.levels)}
    return made


def _flow(content: dict[str, Any]) -> str:
    parts = [
        f"{key}: {{{', '.join(f'{json.dumps(k, ensure_ascii=False)}: {quoted(v)}' for k, v in value.items())}}}"
        if isinstance(value, dict)
        else f"{key}: {quoted(value)}"
        for key, value in content.items()
    ]
    return "{" + ", ".join(parts) + "}"


def _facts(profile: Profile) -> str:
    """Range or levels, and what is missing, in words."""
    levels = ", ".join(f"{level} ({count})" for level, count in list(profile.levels.items())[:8])
    parts = [
        profile.kind,
        profile.range,
        levels,
        f"{profile.missing} of {profile.n} missing" if profile.missing else "",
    ]
    return "; ".join(part for part in parts if part)


def compose(
    name: str, source: str, columns: Sequence[Profile], root: Path, *, numbered: bool, features: str = ""
) -> tuple[dict[str, Any], str]:
    """The settings of a cohort of the project's own form, and the text that says the same with comments.

    Parameters
    ----------
    name
        Of the cohort.
    source
        The table that it was made from.
    columns
        Of that table.
    root
        The data's folder.
    numbered
        Whether patients are called by numbers already.
    features
        Table of image features in the data's folder, where there is one.
    """
    certain = {profile.name: declared(profile) for profile in columns if profile.certain}
    settings: dict[str, Any] = {"title": name, "kind": "features" if features else "tables", "root": str(root)}
    if features:
        settings |= {"participants": [{"file": "participants.tsv"}], "features": {"table": {"file": features}}}
    if not numbered:
        settings["identifiers"] = "checked"
    settings["protocol"] = {"columns": certain}
    lines = [
        f"# Made from {source} by 'her2radiomics import table'. A line with '#' is not used: decide, and remove the '#'.",
        f"title: {quoted(name)} # as the report prints it",
        f"kind: features # participants.tsv and {features} in the folder below"
        if features
        else "kind: tables # participants.tsv and images.tsv in the folder below",
        f"root: {quoted(str(root))}",
    ]
    if not numbered:
        lines.append("identifiers: checked")
    if features:
        lines += ["participants:", "  - {file: participants.tsv}", "features:", f"  table: {{file: {features}}}"]
        lines += [
            '  # say when they are known where some come from later images: available_at: {"*": before_treatment}'
        ]
    lines += ["protocol:", "  columns:" if certain else "  columns: {}"]
    for profile in columns:
        lines += _lines(profile)
    return settings, "\n".join(lines) + "\n"


def _lines(profile: Profile) -> list[str]:
    facts = " ".join(f"{profile.heading}: {'values not shown' if profile.private else _facts(profile)}".split())
    lines = [f"    # {facts}"]
    lines += [f"    #   look: {' '.join(text.split())}" for text in profile.remarks]
    lines += [f"    #   unsure: {' '.join(text.split())}" for text in profile.doubts]
    if profile.certain:
        lines.append(f"    {profile.name}: {_flow(declared(profile))}")
    elif profile.kind in ("continuous", "categorical"):
        lines.append(f"    # {profile.name}: {_flow(declared(profile))}")
    return lines


def place(name: str, target: Target) -> Path:
    """Where a cohort file is: among those of the project where there is one, else in the data's folder."""
    return (target.folder if target.project is None else target.project / FOLDER) / f"{name}.yaml"


def write(name: str, text: str, target: Target) -> Path:
    """Write the cohort file, with the project's schema for editors; the path."""
    path = place(name, target)
    text = f"{SCHEMA}\n{text}" if target.project is not None else text
    there = Target(path.parent, target.force, target.dry_run)
    there.text(path.name, text)
    shown = path.name if target.project is None else str(path)
    target.written += [shown] * len(there.written)
    target.unchanged += [shown] * len(there.unchanged)
    return path
