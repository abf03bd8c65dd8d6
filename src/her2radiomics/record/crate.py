"""A run as an RO-Crate: metadata that other tools can read, with what went in, what came out, and their hashes.

The metadata follow RO-Crate 1.1 and the profiles *Workflow RO-Crate* 1.0 and *Workflow Run Crate* 0.5
(https://www.researchobject.org/workflow-run-crate/). The crate is the run's folder: results where they lie, and below
``provenance/workflow`` copies of the workflow, protocol and parameter files that made them. Images stay where they
are; ``provenance/inputs.sha256`` lists their hashes (check it with ``sha256sum -c``).

Nothing here depends on when, where or on how many cores the run was made: that is in ``provenance/run.json``.
"""

from __future__ import annotations

import json
import mimetypes
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import file_hash

METADATA, INPUTS, COPIES, RECORD = (
    contract(name).path for name in ("crate", "input_hashes", "workflow_copies", "record")
)
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
MEDIA = {
    ".yaml": "application/yaml",
    ".parquet": "application/vnd.apache.parquet",
    ".tsv": "text/tab-separated-values",
    ".csv": "text/csv",
    ".lock": "text/plain",
    ".smk": "text/plain",
    ".sha256": "text/plain",
    ".tex": "text/x-tex",
    ".bib": "text/x-bibtex",
    ".ris": "application/x-research-info-systems",
    ".csl": "application/vnd.citationstyles.style+xml",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "": "text/plain",
}


@dataclass(frozen=True)
class CrateInputs:
    """What a crate is made of.

    Attributes
    ----------
    folder
        The run's folder: the root of the crate.
    title, description
        Printed name, and what the study asks.
    run
        What was asked for: id, study, variant, cohort, seed, size.
    simulated
        Whether the patients are simulated.
    licence
        Licence of the cohort, as the cohort file says it; may be empty.
    citation
        The paper that the protocol follows.
    outputs
        Files below ``folder`` that the run made, with ``provenance/run.json`` among them.
    copies
        Copies below ``folder`` of workflow, settings and lock files: the Snakefile's is the main one.
    commit, date
        Commit of the workflow and when it was made (ISO 8601).
    versions
        Versions of Python and the packages that the results depend on.
    """

    folder: Path
    title: str
    description: str
    run: Mapping[str, Any]
    simulated: bool
    licence: str
    citation: str
    outputs: Sequence[str]
    copies: Sequence[str]
    commit: str
    date: str
    versions: Mapping[str, str]


def hash_list(files: Iterable[str], root: Path, threads: int = 1, names: Mapping[str, str] | None = None) -> str:
    """Return lines of ``sha256sum``: hash, two spaces, path; folders (DICOM) file by file; sorted by path.

    Parameters
    ----------
    files
        Files and folders; those that do not exist are listed at the end as comments.
    root
        The data's folder: paths are relative to it, so that no path of the machine is kept.
    threads
        How many files are read at once.
    names
        Paths that are listed by another name (``P017 T2FS image``), where a path may tell who a patient is; the files
        of such a folder are counted. Sorted by name.

    Raises
    ------
    StudyError
        A file lies outside ``root``.
    """
    base = root.absolute()
    shown = {Path(path).absolute(): name for path, name in (names or {}).items()}
    paths: dict[str, Path] = {}
    absent = []
    for path in sorted({Path(name).absolute() for name in files}):
        if not path.is_relative_to(base):
            raise StudyError(f"{path}: found a file outside {base}; expected every input there.")
        name = shown.get(path) or path.relative_to(base).as_posix()
        if path.is_dir():
            inner = sorted(item for item in path.rglob("*") if item.is_file())
            paths |= {
                f"{name}/{place:04d}" if path in shown else item.relative_to(base).as_posix(): item
                for place, item in enumerate(inner, start=1)
            }
        elif path.is_file():
            paths[name] = path
        else:
            absent.append(f"# absent: {name}")
    if shown:
        paths, absent = dict(sorted(paths.items())), sorted(absent)
    with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
        hashes = list(pool.map(file_hash, paths.values()))
    lines = [f"{digest}  {name}" for digest, name in zip(hashes, paths, strict=True)]
    return "\n".join([*lines, *absent, ""])


def copy_files(files: Mapping[str, str], texts: Mapping[str, str], target: Path) -> list[str]:
    """Copy files to ``target``, by their name there, and write texts beside them; an older folder is replaced.

    Returns
    -------
    list of str
        The names, sorted.
    """
    if target.exists():
        shutil.rmtree(target)
    contents = {name: Path(source).read_bytes() for name, source in files.items()}
    contents |= {name: text.encode() for name, text in texts.items()}
    for name, content in contents.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return sorted(contents)


def metadata(inputs: CrateInputs) -> str:
    """Return ``ro-crate-metadata.json``: the same inputs, the same bytes.

    Raises
    ------
    StudyError
        A file that the crate names does not exist, or there is no Snakefile among the copies.
    """
    main = next((name for name in inputs.copies if Path(name).name == "Snakefile"), None)
    if main is None:
        raise StudyError("crate: found no Snakefile among the workflow's files; expected the workflow that was run.")
    files = [_file(inputs.folder, name) for name in sorted({*inputs.outputs, *inputs.copies, INPUTS})]
    asked = {name: value for name, value in sorted(inputs.run.items()) if value not in (None, "")}
    workflow = _workflow(inputs, _references(map(_formal, asked)))
    software = sorted(inputs.versions.items())
    about = _entity(METADATA, "CreativeWork", about=_reference("./"), conformsTo=_references([CRATE, WORKFLOW_CRATE]))
    licence = _licence(inputs)
    graph = [
        about,
        _root(inputs, main, files),
        *(_entity(url, "CreativeWork", name=n, version=v) for url, (n, v) in PROFILES.items()),
        _entity("#licence", "CreativeWork", name=licence, description=licence),
        _entity("#simulated", "PropertyValue", name="simulated", value=str(inputs.simulated).lower()),
        _entity(
            "#snakemake",
            "ComputerLanguage",
            name="Snakemake",
            identifier=_reference("https://w3id.org/workflowhub/workflow-ro-crate#snakemake"),
            url=_reference("https://snakemake.readthedocs.io"),
            version=inputs.versions.get("snakemake", ""),
        ),
        *(_entity(_software(n), "SoftwareApplication", name=n, softwareVersion=v) for n, v in software),
        _action(inputs, main, _references(map(_given, asked))),
        *(entity for name, value in asked.items() for entity in _parameter(name, value)),
        *(file | (workflow if file["@id"] == main else {}) for file in files),
    ]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n"


def _entity(name: str, kind: str, /, **rest: Any) -> dict[str, Any]:
    return {"@id": name, "@type": kind, **rest}


def _reference(name: str) -> dict[str, str]:
    return {"@id": name}


def _references(names: Iterable[str]) -> list[dict[str, str]]:
    return [_reference(name) for name in names]


def _formal(name: str) -> str:
    return f"#parameter-{name}"


def _given(name: str) -> str:
    return f"#value-{name}"


def _software(name: str) -> str:
    return f"#software-{name}"


def _root(inputs: CrateInputs, main: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    marked = " Simulated patients: the numbers say nothing about the published study." if inputs.simulated else ""
    return _entity(
        "./",
        "Dataset",
        name=inputs.title,
        description=f"{inputs.description}{marked}",
        identifier=str(inputs.run.get("id", "")),
        datePublished=inputs.date,
        license=_reference("#licence"),
        citation=inputs.citation,
        conformsTo=_references(PROFILES),
        hasPart=_references(file["@id"] for file in files),
        mainEntity=_reference(main),
        mentions=_reference("#run"),
        additionalProperty=_reference("#simulated"),
    )


def _licence(inputs: CrateInputs) -> str:
    if inputs.simulated:
        return "MIT: simulated patients, made by the workflow"
    return inputs.licence or "Not stated: the licence of the patients' data is for their owner to say"


def _workflow(inputs: CrateInputs, formal: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What the entity of the Snakefile says besides its size and hash."""
    return {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "Breast-MRI radiomics workflow",
        "conformsTo": _reference("https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"),
        "programmingLanguage": _reference("#snakemake"),
        "version": inputs.commit or "not in a checkout",
        "license": _reference("https://spdx.org/licenses/MIT"),
        "input": formal,
        "softwareRequirements": _references(map(_software, sorted(inputs.versions))),
        "hasPart": _references(name for name in sorted(inputs.copies) if name.endswith(".smk")),
    }


def _action(inputs: CrateInputs, main: str, given: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    settings = [name for name in sorted(inputs.copies) if name != main and not name.endswith(".smk")]
    return _entity(
        "#run",
        "CreateAction",
        name=f"Run of {inputs.run.get('id', '')}",
        description=f"Command line, host, cores and time of the run are in {RECORD}.",
        instrument=_reference(main),
        object=[*_references([*settings, INPUTS]), *given],
        result=_references(name for name in sorted(inputs.outputs) if name != RECORD),
        subjectOf=_reference(RECORD),
    )


def _parameter(name: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A formal parameter and its value."""
    kinds = {int: "Integer", float: "Float"}
    formal = _entity(
        _formal(name),
        "FormalParameter",
        name=name,
        additionalType=next((word for kind, word in kinds.items() if isinstance(value, kind)), "Text"),
        valueRequired="True",
        conformsTo=_reference("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"),
    )
    return formal, _entity(
        _given(name), "PropertyValue", name=name, value=str(value), exampleOfWork=_reference(_formal(name))
    )


def _file(folder: Path, name: str) -> dict[str, Any]:
    """A file of the crate with its size and hash; the record of the run differs each time and has neither."""
    path = folder / name
    if not path.is_file():
        raise StudyError(f"{path}: no such file; expected it in the crate. Finish the run before its crate is made.")
    media = MEDIA.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    entity = _entity(name, "File", name=path.name, encodingFormat=media)
    if name == RECORD:
        return entity | {"about": _reference("#run")}
    return entity | {"contentSize": str(path.stat().st_size), "sha256": file_hash(path)}
