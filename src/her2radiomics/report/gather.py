"""Gathers what a run has made, as the results contract lays it out, into what a page is made from."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.layout import Layout
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.tables.performance import performance_row
from her2radiomics.report import words
from her2radiomics.report.context import (
    Disagreement,
    FeatureSet,
    Grid,
    Link,
    ReportContext,
    RunSummary,
    Variant,
)
from her2radiomics.report.evidence import audit_summary, checklists
from her2radiomics.report.figures import figures
from her2radiomics.report.ibsi_words import feature_sets
from her2radiomics.report.info import RunInfo
from her2radiomics.report.methods import methods
from her2radiomics.report.models import model_summary
from her2radiomics.report.quality import (
    Quality,
    failed_cases,
    grey_level_panel,
    overlay_pictures,
    read_quality,
)
from her2radiomics.report.sections import (
    file_links,
    flow_steps,
    partition_summaries,
    printed_table,
    published,
)

#: What stands beside a run's page and is linked from the index.
BESIDE = {
    ("audit", "html"): "Audit of the paper",
    ("checklists", "html"): "Checklists",
    ("performance", "csv"): "Performance",
    ("published", "csv"): "Published beside ours",
}
#: Libraries whose version decides on a number, by their printed name.
SOFTWARE = {
    "her2radiomics": "her2radiomics",
    "PyRadiomics (pyradiomics-bhklab)": "pyradiomics-bhklab",
    "SimpleITK": "SimpleITK",
    "scikit-image": "scikit-image",
    "scikit-learn": "scikit-learn",
    "SciPy": "scipy",
    "NumPy": "numpy",
    "pandas": "pandas",
    "statsmodels": "statsmodels",
    "firthmodels": "firthmodels",
    "lifelines": "lifelines",
    "dcurves": "dcurves",
    "matplotlib": "matplotlib",
    "Snakemake": "snakemake",
}


#: Those of them that read images and extract features.
OF_IMAGES = ("pyradiomics-bhklab", "SimpleITK", "scikit-image")


def build_context(
    run_folder: str | Path,
    info: RunInfo | Mapping[str, Any],
    *,
    overlays: Sequence[str | Path] = (),
    parameters: Sequence[str | Path] = (),
    centres: Mapping[str, str] | None = None,
    hashed: Mapping[str, str | Path] | None = None,
) -> ReportContext:
    """Gather a run's page.

    Parameters
    ----------
    run_folder
        ``results/S``; the page will lie in it as ``report.html``.
    info
        The run in words, as :class:`~her2radiomics.report.info.RunInfo` or as plain data for it.
    overlays
        Quality-control pictures, each ``…/<patient>/<sequence>.png``.
    parameters
        The PyRadiomics parameter files.
    centres
        Patient → centre, for quality control; centres are printed by the protocol's names.
    hashed
        What went in, by its printed name: files whose SHA-256 the page gives.

    Raises
    ------
    SettingsError
        ``info`` is not as it must be, or a parameter file is broken.
    StudyError
        A figure, table or picture is missing, with what to do.
    TableError
        A CSV is missing or lacks a column.
    """
    folder = Path(run_folder)
    if not isinstance(info, RunInfo):
        info = validate(RunInfo, info, "run")
    layout = Layout(folder)
    flow, performance, path = layout.read("flow"), layout.read("performance"), layout.path("performance")
    partitions = partition_summaries(flow, info)
    versions = software_versions(extracted=info.extracted)
    remarks, beside = layout.read("performance_extra"), layout.read("published")
    named = {patient: info.get("centres", {}).get(name, name) for patient, name in (centres or {}).items()}
    qc = read_quality(layout.path("qc"), named) if info.extracted else Quality((), (), ())
    pictures, overlays_note = (
        overlay_pictures([Path(path) for path in overlays], folder, qc) if qc.rows else ((), "")
    )
    levels, levels_note = grey_level_panel(folder, qc) if qc.rows else (None, "")
    contents = {Path(path).stem: read_yaml(path) for path in parameters}
    standards, sets = _standards(folder, info, contents)
    sources = {name: Path(path) for name, path in (hashed or {}).items()}
    return ReportContext(
        run=info.id,
        title=info.protocol["title"],
        question=info.protocol["question"].strip(),
        simulated=info.simulated,
        headline=words.headline(info, performance, path),
        findings=words.findings(info, performance, beside, path),
        citation=info.protocol["paper"]["citation"].strip(),
        doi=info.protocol["paper"].get("doi") or "",
        cohort=info.cohort_title,
        cohort_notes=_cohort_notes(info),
        positive=info.protocol["label"]["positive"],
        variant=_variant(info),
        flow=flow_steps(flow, info),
        partitions=partitions,
        failed=failed_cases(qc) if qc.rows else Grid((), ()),
        methods=methods(
            info,
            flow=flow,
            partitions=partitions,
            parameters=contents,
            selection=_of_models(layout, "selection", info),
            reproducibility=_of_models(layout, "reproducibility", info),
            versions=versions,
        ),
        tables=tuple(
            printed_table(folder, item) for item in info.get("tables", []) if item["kind"] != "published"
        ),
        table_files=file_links(folder, ("performance", "performance_extra", "delong", "published")),
        figures=figures(folder, info, performance),
        models=tuple(model_summary(folder, info, name, remarks) for name in info.models),
        published=published(beside, folder, info),
        assumptions=tuple(info.get("assumptions", [])),
        contradictions=tuple(
            Disagreement(item["finding"], item["followed"], item.get("variant") or "")
            for item in info.get("contradictions", [])
        ),
        departures=tuple(info.departures),
        variants=_variants(info),
        audit=audit_summary(folder),
        checklists=checklists(folder),
        versions=versions,
        hashes=tuple((name, _sha256(path)) for name, path in sources.items()),
        provenance=Link("run.json", contract("record").path),
        standards=standards,
        feature_sets=sets,
        qc_columns=qc.columns,
        qc=qc.rows,
        qc_choices=qc.choices,
        grey_levels=levels,
        grey_levels_note=levels_note,
        overlays=pictures,
        overlays_note=overlays_note,
        files=file_links(folder, ("participants", "flow", "qc", "features_reproducibility", "ibsi")),
    )


def summarise(run_folder: str | Path, info: RunInfo | Mapping[str, Any], href: str) -> RunSummary:
    """Gather a run's place in the index from its ``performance.csv``; ``href`` leads to its page."""
    folder = Path(run_folder)
    if not isinstance(info, RunInfo):
        info = validate(RunInfo, info, "run")
    layout = Layout(folder)
    performance, path = layout.read("performance"), layout.path("performance")
    primary = info.protocol["primary_model"]
    aucs, counted = [], 0
    beside = href.removesuffix(Path(href).name)
    for partition in info.partitions:
        row = performance_row(performance, primary, partition, path)
        text = fmt.auc(row, 2)
        aucs.append((info.partition_label(partition), f"{text}, n = {int(row['n'])}"))
        counted += int(row["n"])
    return RunSummary(
        run=info.id,
        href=href,
        title=info.protocol["title"],
        question=info.protocol["question"].strip(),
        cohort=info.cohort_title,
        variant=_variant(info),
        simulated=info.simulated,
        headline=words.headline(info, performance, path),
        aucs=tuple(aucs),
        n=counted,
        model=info.model_label(primary),
        shown=aucs[info.partitions.index(info.headline_partition)],
        links=tuple(
            Link(label, f"{beside}{contract(name).below(end)}")
            for (name, end), label in BESIDE.items()
            if layout.path(name, end).is_file()
        ),
    )


def software_versions(*, extracted: bool = True) -> tuple[tuple[str, str], ...]:
    """Return Python and the libraries whose version decides on a number; absent ones are left out.

    Where features were brought (not ``extracted``), no library read an image.
    """
    found = [("Python", platform.python_version())]
    for label, name in SOFTWARE.items():
        if name in OF_IMAGES and not extracted:
            continue
        try:
            found.append((label, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def _variant(info: RunInfo) -> str:
    if info.variant == "default":
        return ""
    described = info.get("variants", {}).get(info.variant, {}).get("description", "")
    return f"{info.variant}: {described}" if described else info.variant


def _variants(info: RunInfo) -> tuple[Variant, ...]:
    """The default and the named variants, but for the one that was run."""
    described = {"default": "The protocol as it stands."} | {
        name: item.get("description", "") for name, item in info.get("variants", {}).items()
    }
    found = []
    for name, description in described.items():
        if name == info.variant:
            continue
        # as in config.RunRequest.id
        usual = name == "default" and info.cohort == "simulated"
        run = info.study if usual else f"{info.study}--{name}--{info.cohort}"
        asked = ", ".join(
            [f"study: {info.study}"]
            + [f"variant: {name}"] * (name != "default")
            + [f"cohort: {info.cohort}"] * (info.cohort != "simulated")
        )
        found.append(Variant(name, description.strip(), f"- {{{asked}}}", f"results/{run}"))
    return tuple(found) if len(described) > 1 else ()


def _standards(
    folder: Path, info: RunInfo, contents: Mapping[str, Mapping[str, Any]]
) -> tuple[Grid | None, tuple[FeatureSet, ...]]:
    if not info.extracted:
        return None, ()
    return feature_sets(Layout(folder).read("ibsi"), contents, info)


def _cohort_notes(info: RunInfo) -> tuple[str, ...]:
    licence = f"Licence: {info.cohort_licence}." if info.cohort_licence else ""
    return tuple(
        text.strip() for text in (info.cohort_description, info.cohort_citation, licence) if text.strip()
    )


def _of_models(layout: Layout, name: str, info: RunInfo) -> dict[str, pd.DataFrame]:
    """A table of each model that has rows in it."""
    tables = {model: layout.read(name, model=model) for model in info.models}
    return {model: table for model, table in tables.items() if len(table)}


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise StudyError(f"{path}: no such file; expected an input of the run, to give its SHA-256.")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
