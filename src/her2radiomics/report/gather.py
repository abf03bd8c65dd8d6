"""Gathers what a run has made, as the results contract lays it out, into what a page is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core import software
from her2radiomics.core.contracts import TRAINING, contract
from her2radiomics.core.errors import StudyError
from her2radiomics.core.files import file_hash
from her2radiomics.core.layout import Layout
from her2radiomics.extraction import Parameters, read_parameters
from her2radiomics.manuscript import formatting as fmt
from her2radiomics.manuscript.cells import Cells
from her2radiomics.manuscript.tables.performance import performance_row
from her2radiomics.report import words
from her2radiomics.report.cautions import late_words, read_fits
from her2radiomics.report.context import FeatureSet, Grid, Link, Quality, ReportContext, RunSummary
from her2radiomics.report.evidence import audit_summary, checklists
from her2radiomics.report.evidence_page import evidence_summary
from her2radiomics.report.facts import Facts
from her2radiomics.report.figures import figures
from her2radiomics.report.ibsi_words import feature_sets
from her2radiomics.report.info import RunInfo
from her2radiomics.report.methods import for_page, methods
from her2radiomics.report.models import model_summary
from her2radiomics.report.names import names_of
from her2radiomics.report.quality import failed_cases, grey_level_panel, overlay_pictures, read_quality
from her2radiomics.report.sections import (
    file_links,
    flow_steps,
    partition_summaries,
    predictors,
    printed_table,
    published,
)
from her2radiomics.report.trust import not_predicted, trust

if TYPE_CHECKING:
    from her2radiomics.study.config import RunRequest

#: The run's manuscript, linked from its page and from the index.
MANUSCRIPT = {("manuscript", "docx"): "Manuscript (Word)", ("manuscript", "tex"): "Manuscript (LaTeX)"}
#: What lies beside a run's page and is linked from the index.
BESIDE = {
    **MANUSCRIPT,
    ("audit", "html"): "Audit of the paper",
    ("checklists", "html"): "Checklists",
    ("performance", "csv"): "Performance",
    ("published", "csv"): "Published vs reproduced",
}


def build_context(
    run_folder: str | Path,
    info: RunInfo,
    *,
    overlays: Sequence[str | Path] = (),
    parameters: Sequence[str | Path] = (),
    centres: Mapping[str, str] | None = None,
    hashed: Mapping[str, str | Path] | None = None,
    records: Sequence[str | Path] = (),
) -> ReportContext:
    """Gather a run's page.

    Parameters
    ----------
    run_folder
        ``results/S``; the page will lie in it as ``report.html``.
    info
        What was asked for, and with which settings.
    overlays
        Quality-control pictures, each ``…/<patient>/<sequence>.png``.
    parameters
        The PyRadiomics parameter files.
    centres
        Patient → centre, for quality control; centres are printed by the protocol's names.
    hashed
        What went in, by its printed name: files whose SHA-256 the page gives.
    records
        What each job wrote of the software that it used (:func:`her2radiomics.core.software.as_record`).

    Raises
    ------
    SettingsError
        A parameter file is broken.
    StudyError
        A figure, table, picture or model is missing, with what to do.
    TableError
        A CSV is missing or lacks a column.
    """
    folder, protocol = Path(run_folder), info.protocol
    layout = Layout(folder)
    flow, performance, path = layout.read("flow"), layout.read("performance"), layout.path("performance")
    partitions = partition_summaries(flow, info)
    remarks, beside = layout.read("performance_extra"), layout.read("published")
    named = {patient: protocol.centre_label(name) for patient, name in (centres or {}).items()}
    quality = read_quality(layout.path("qc"), named, names_of(info)) if info.extracted else Quality()
    pictures, overlays_note = overlay_pictures([Path(path) for path in overlays], folder, quality, names_of(info))
    levels, levels_note = grey_level_panel(folder, quality)
    contents = {Path(path).stem: read_parameters(path) for path in parameters}
    standards, sets = _standards(folder, info, contents)
    used = software.read_records(records)
    facts = Facts(info, Cells(folder), contents, used)
    fits = read_fits(layout, info)
    people = {name: layout.read("partition_participants", partition=name) for name in info.partitions}
    models = [model_summary(folder, info, name, remarks, fits, people[TRAINING]) for name in info.protocol.models]
    primary = info.protocol.primary_model
    own = next(model for model in models if model.id == primary)
    return ReportContext(
        info=info,
        headline=words.headline(info, performance, path),
        findings=words.findings(info, performance, beside, layout, late_words(fits[primary], info)),
        trust=trust(layout, info, performance, remarks, flow, fits, own.marks),
        predictors=predictors(info, people),
        cohort_notes=_cohort_notes(info),
        variant=_variant(info),
        variants=_variants(info),
        flow=flow_steps(flow, info, performance),
        partitions=partitions,
        failed=failed_cases(quality),
        methods=for_page(methods(facts), facts),
        tables=tuple(printed_table(folder, item.id) for item in protocol.tables if item.kind != "published"),
        table_files=file_links(folder, ("performance", "performance_extra", "delong", "published")),
        table_bundle=file_links(folder, ("all_tables",)),
        figures=figures(folder, info, performance),
        figure_bundle=file_links(folder, ("all_figures",)),
        models=tuple(models),
        published=published(beside, folder, info),
        versions=software.printed(used),
        hashes=tuple((name, _sha256(Path(path))) for name, path in (hashed or {}).items()),
        quality=quality,
        overlays=pictures,
        overlays_note=overlays_note,
        grey_levels=levels,
        grey_levels_note=levels_note,
        standards=standards,
        feature_sets=sets,
        files=file_links(folder, ("participants", "flow", "measured", "qc", "features_reproducibility", "ibsi")),
        evidence=evidence_summary(folder),
        audit=audit_summary(folder),
        checklists=checklists(folder),
        manuscript=_present(layout, MANUSCRIPT),
    )


def summarise(run_folder: str | Path, info: RunInfo, href: str) -> RunSummary:
    """Gather a run's place in the index from its ``performance.csv``; ``href`` leads to its page."""
    layout = Layout(Path(run_folder))
    performance, path = layout.read("performance"), layout.path("performance")
    primary = info.protocol.primary_model
    flow = layout.read("flow")
    sizes = flow[flow["step"] == "partition"].set_index("partition")["remaining"]
    aucs = []
    beside = href.removesuffix(Path(href).name)
    for partition in info.partitions:
        row = performance_row(performance, primary, partition, path)
        size = not_predicted(row, int(sizes[partition]))
        aucs.append((info.protocol.partition_label(partition), f"{fmt.auc(row, 2)}, {size}"))
    return RunSummary(
        info=info,
        href=href,
        variant=_variant(info),
        headline=words.headline(info, performance, path),
        aucs=tuple(aucs),
        n=int(sizes.sum()),
        links=_present(layout, BESIDE, beside),
    )


def _present(layout: Layout, files: Mapping[tuple[str, str], str], beside: str = "") -> tuple[Link, ...]:
    """Links to those of the run's files that exist."""
    return tuple(
        Link(label, f"{beside}{contract(name).below(end)}")
        for (name, end), label in files.items()
        if layout.path(name, end).is_file()
    )


def _variant(info: RunInfo) -> str:
    variant = info.protocol.variants.get(info.request.variant)
    return f"{info.request.variant}: {variant.description}" if variant else ""


def _variants(info: RunInfo) -> tuple[tuple[RunRequest, str], ...]:
    """The default and the named variants, but for the one that was run."""
    described = {"default": "The protocol as written."} | {
        name: variant.description.strip() for name, variant in info.protocol.variants.items()
    }
    return tuple(
        (info.request.model_copy(update={"variant": name}), description)
        for name, description in described.items()
        if name != info.request.variant
    )


def _standards(
    folder: Path, info: RunInfo, contents: Mapping[str, Parameters]
) -> tuple[Grid | None, tuple[FeatureSet, ...]]:
    if not info.extracted:
        return None, ()
    return feature_sets(Layout(folder).read("ibsi"), contents, info)


def _cohort_notes(info: RunInfo) -> tuple[str, ...]:
    cohort = info.cohort
    licence = f"Licence: {cohort.licence}." if cohort.licence else ""
    notes = [note if note.endswith((".", "!", "?")) else f"{words.upper_first(note)}." for note in info.notes]
    texts = (cohort.description, cohort.citation, licence, *map(names_of(info).in_words, notes))
    return tuple(text.strip() for text in texts if text.strip())


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise StudyError(f"{path}: no such file; expected an input of the run, to give its SHA-256.")
    return file_hash(path)
