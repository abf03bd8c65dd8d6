"""What a page is made from: loaded, worded and ready to print. Paths are relative to the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from her2radiomics.report.embed import Layered
from her2radiomics.report.info import RunInfo

if TYPE_CHECKING:
    from her2radiomics.study.config import RunRequest


@dataclass(frozen=True)
class Link:
    """A file beside the page."""

    label: str
    href: str


@dataclass(frozen=True)
class FlowStep:
    """One line of the recruitment flow; ``kind`` is the ``step`` of ``flow.csv``, ``included`` or ``unpredicted``."""

    kind: str
    text: str
    excluded: int | None
    remaining: int


@dataclass(frozen=True)
class PartitionSummary:
    """A partition, its patients, and how many of them had the positive outcome."""

    label: str
    n: int
    events: int


@dataclass(frozen=True)
class Methods:
    """A headed part of the methods, as paragraphs of plain text, or as a numbered list of them."""

    heading: str
    paragraphs: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Grid:
    """A plain table of texts."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class QcColumn:
    """A column of quality control: its name in ``qc.csv``, its heading, and whether it fits on paper."""

    name: str
    heading: str
    printed: bool


@dataclass(frozen=True)
class QcRow:
    """A line of ``qc.csv``: its cells in the order of :attr:`Quality.columns`, and its status."""

    status: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Values by which quality control can be filtered: a column of it, and its values."""

    name: str
    heading: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Quality:
    """``qc.csv`` as the page shows it: empty where features were brought."""

    columns: tuple[QcColumn, ...] = ()
    rows: tuple[QcRow, ...] = ()
    choices: tuple[Choice, ...] = ()

    def values(self, name: str) -> list[str]:
        """Cells of a column; none where there are no rows."""
        place = [column.name for column in self.columns].index(name) if self.rows else 0
        return [row.cells[place] for row in self.rows]


@dataclass(frozen=True)
class Overlay:
    """A picture of region on image for the page (an empty one: only the link), and the picture in full size."""

    patient: str
    sequence: str
    status: str
    layers: Layered
    href: str


@dataclass(frozen=True)
class FeatureSet:
    """How one parameter file's features relate to IBSI-1: the sequences it serves, a headline, and remarks."""

    name: str
    serves: str
    headline: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class ReportTable:
    """A rendered table: an HTML fragment that is trusted as it is, and its files."""

    fragment: str
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Panel:
    """A figure or a panel of one: picture as data URI, what it shows, files, width in print; ``wide`` ones fill a row."""

    letter: str
    title: str
    caption: str
    alt: str
    picture: str
    files: tuple[Link, ...]
    width_mm: float
    wide: bool = False


@dataclass(frozen=True)
class ReportFigure:
    """A figure in the paper's numbering (``5``, ``S1``), of one or several panels.

    ``title``, ``caption`` and ``files`` are those of the composed figure; empty where none is composed.
    """

    number: str
    panels: tuple[Panel, ...]
    title: str = ""
    caption: str = ""
    files: tuple[Link, ...] = ()


@dataclass(frozen=True)
class ModelSummary:
    """A fitted model: what it is, its formula, and how many features each step left.

    ``formula`` is the score's left side, then its terms; ``marks`` are warnings, ``notes`` remarks of the fit.
    """

    id: str
    label: str
    kind: str
    description: str
    score: str
    formula: tuple[str, ...]
    coefficients: Grid
    selection: Grid
    marks: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class PublishedRow:
    """A number of the paper beside the run's; ``reproduced`` is empty where the run has none."""

    quantity: str
    item: str
    model: str
    partition: str
    published: str
    reproduced: str
    n: str
    agreement: str


@dataclass(frozen=True)
class Published:
    """What the paper prints beside what the run gives: a headline, rows by place, and the rules of agreement."""

    headline: str
    places: tuple[tuple[str, tuple[PublishedRow, ...]], ...]
    rules: tuple[str, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class AuditGroup:
    """Checks of one verdict under their heading: what the paper claims, where, as printed, and the arithmetic."""

    verdict: str
    heading: str
    findings: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True)
class AuditSummary:
    """The audit of the paper's numbers: a headline, its findings by verdict, and its files."""

    headline: str
    groups: tuple[AuditGroup, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class EvidenceGroup:
    """Findings of one verdict under their heading: the claim, and what was found."""

    heading: str
    findings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EvidenceSummary:
    """What would survive of the performance: findings by verdict, and the files."""

    groups: tuple[EvidenceGroup, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Checklists:
    """Reporting checklists: items by status, a row a list, and the files with every item."""

    summary: Grid
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Spot:
    """An AUC in the panel's figure: value and bounds (none where not estimable), as printed, and a note."""

    label: str
    value: float | None
    bounds: tuple[float, float] | None
    text: str
    note: str
    small: bool


@dataclass(frozen=True)
class TrustLine:
    """A line of the trust panel: what is judged, a plain word, numbers with intervals, and where they come from."""

    topic: str
    word: str
    text: str
    link: Link


@dataclass(frozen=True)
class Trust:
    """The trust panel of the primary model, and the AUCs of all models."""

    model: str  # inside a sentence: ``the nomogram``
    spots: tuple[Spot, ...]
    lines: tuple[TrustLine, ...]
    models: Grid


@dataclass(frozen=True)
class ReportContext:
    """Everything on a run's page. All texts are plain and are escaped, save the tables' fragments.

    Attributes
    ----------
    info
        The run, with the protocol and the cohort that the page quotes.
    trust
        The trust panel.
    predictors
        Participants columns that models try: unit or levels, when known, missing values per partition.
    variant, variants
        The variant that was run, in words; requests of the protocol's others, and what each does otherwise.
    failed
        Cases that could not be used, as patient, sequence, reader, region and reason.
    table_files, files
        Tables of numbers that have no printed form; participants, flow, quality control, agreement of readers.
    table_bundle, figure_bundle
        All tables and all figures as one file each.
    versions, hashes
        Software that the run's jobs used, and SHA-256 of what went in.
    overlays_note, grey_levels_note
        How many pictures are linked but not shown; how many regions lie outside the usual numbers of grey levels.
    standards, feature_sets
        How many features of each parameter file are IBSI-1's, and what is not.
    """

    info: RunInfo
    headline: str
    findings: tuple[str, ...]
    trust: Trust
    predictors: Grid
    cohort_notes: tuple[str, ...]
    variant: str
    variants: tuple[tuple[RunRequest, str], ...]
    flow: tuple[FlowStep, ...]
    partitions: tuple[PartitionSummary, ...]
    failed: Grid
    methods: tuple[Methods, ...]
    tables: tuple[ReportTable, ...]
    table_files: tuple[Link, ...]
    table_bundle: tuple[Link, ...]
    figures: tuple[ReportFigure, ...]
    figure_bundle: tuple[Link, ...]
    models: tuple[ModelSummary, ...]
    published: Published | None
    versions: tuple[tuple[str, str], ...]
    hashes: tuple[tuple[str, str], ...]
    quality: Quality
    overlays: tuple[Overlay, ...]
    overlays_note: str
    grey_levels: Panel | None
    grey_levels_note: str
    standards: Grid | None
    feature_sets: tuple[FeatureSet, ...]
    files: tuple[Link, ...]
    evidence: EvidenceSummary | None
    audit: AuditSummary | None
    checklists: Checklists | None
    manuscript: tuple[Link, ...]


@dataclass(frozen=True)
class RunSummary:
    """A run in the index.

    ``aucs`` is the primary model's AUC with interval by partition; ``n`` counts the patients of all partitions; ``links``
    lead to the files beside the page.
    """

    info: RunInfo
    href: str
    variant: str
    headline: str
    aucs: tuple[tuple[str, str], ...]
    n: int
    links: tuple[Link, ...]
