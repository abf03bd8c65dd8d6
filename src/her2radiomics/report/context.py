"""What a page is made from: loaded, worded and ready to print. Paths are relative to the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A file beside the page."""

    label: str
    href: str


@dataclass(frozen=True)
class FlowStep:
    """One line of the recruitment flow; ``kind`` is the ``step`` of ``flow.csv``, or ``included``."""

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
    """A line of ``qc.csv``: its cells in the order of :attr:`ReportContext.qc_columns`, and its status."""

    status: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Values by which quality control can be filtered: a column of it, and what stands there."""

    name: str
    heading: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Overlay:
    """A picture of region on image: a thumbnail as data URI (empty: only the link), and the picture itself."""

    patient: str
    sequence: str
    status: str
    thumbnail: str
    href: str


@dataclass(frozen=True)
class FeatureSet:
    """How one parameter file's features stand to IBSI-1: the sequences it serves, a headline, and remarks."""

    name: str
    serves: str
    headline: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class ReportTable:
    """A rendered table: an HTML fragment that is trusted as it stands, and its files."""

    number: str
    fragment: str
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Panel:
    """A figure or a panel of one: a picture as data URI, what it shows, its files, and whether it fills the row."""

    letter: str
    title: str
    caption: str
    alt: str
    picture: str
    files: tuple[Link, ...]
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
class Variant:
    """A variant of the protocol, the line of ``config.yaml`` that asks for it, and the folder of its results."""

    name: str
    description: str
    request: str
    folder: str


@dataclass(frozen=True)
class Disagreement:
    """A place where the paper contradicts itself, the side that is followed, the variant of the other."""

    finding: str
    followed: str
    variant: str


@dataclass(frozen=True)
class Finding:
    """A check of the paper's numbers: what it claims, where, as printed, and the arithmetic."""

    claim: str
    place: str
    quote: str
    arithmetic: str


@dataclass(frozen=True)
class AuditGroup:
    """Findings of one verdict under their heading."""

    verdict: str
    heading: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class AuditSummary:
    """The audit of the paper's numbers: a headline, its findings by verdict, and its files."""

    headline: str
    groups: tuple[AuditGroup, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Checklists:
    """Reporting checklists: items by status, a row a list, and the files with every item."""

    summary: Grid
    files: tuple[Link, ...]


@dataclass(frozen=True)
class ReportContext:
    """Everything on a run's page. All texts are plain and are escaped, save the tables' fragments.

    Attributes
    ----------
    run, title, question
        Name of the run's folder, the study's title and question.
    simulated
        Whether the patients are simulated: a banner says so.
    headline, findings
        The result in one sentence, and in a few more.
    citation, doi
        The source paper.
    cohort, cohort_notes
        The cohort's title, and lines on what it is and how to cite it.
    positive
        Printed name of the positive outcome.
    flow, partitions, failed, excluded
        Who was registered, who left and why; ``failed`` lists the cases that could not be used, as patient,
        sequence, reader, region and reason.
    methods
        The methods section.
    standards, feature_sets
        How many features of each parameter file are IBSI-1's, and what is not.
    qc_columns, qc, qc_choices, overlays, overlays_note
        Quality control; the note says how many pictures are linked but not shown.
    grey_levels, grey_levels_note
        The figure of grey levels, and how many regions lie outside the usual numbers.
    tables, table_files, figures, models, published
        The results. ``table_files`` are the tables of numbers that have no printed form.
    assumptions, contradictions, departures
        What was chosen, where the paper disagrees with itself, what the cohort made different.
    variants
        The protocol's other variants, and how to run them.
    audit, checklists
        Arithmetic on the paper's numbers; reporting checklists.
    versions, hashes, provenance
        Software, SHA-256 of what went in, and the file that says how the run was made.
    files
        Files of the cohort: participants, flow, quality control, agreement of readers.
    """

    run: str
    title: str
    question: str
    simulated: bool
    headline: str
    findings: tuple[str, ...]
    citation: str
    doi: str
    cohort: str
    cohort_notes: tuple[str, ...]
    positive: str
    variant: str
    flow: tuple[FlowStep, ...]
    partitions: tuple[PartitionSummary, ...]
    failed: Grid
    methods: tuple[Methods, ...]
    tables: tuple[ReportTable, ...]
    table_files: tuple[Link, ...]
    figures: tuple[ReportFigure, ...]
    models: tuple[ModelSummary, ...]
    published: Published | None
    assumptions: tuple[str, ...]
    contradictions: tuple[Disagreement, ...]
    departures: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    hashes: tuple[tuple[str, str], ...]
    provenance: Link | None = None
    standards: Grid | None = None
    feature_sets: tuple[FeatureSet, ...] = ()
    qc_columns: tuple[QcColumn, ...] = ()
    qc: tuple[QcRow, ...] = ()
    qc_choices: tuple[Choice, ...] = ()
    grey_levels: Panel | None = None
    grey_levels_note: str = ""
    overlays: tuple[Overlay, ...] = ()
    overlays_note: str = ""
    files: tuple[Link, ...] = ()
    variants: tuple[Variant, ...] = ()
    audit: AuditSummary | None = None
    checklists: Checklists | None = None


@dataclass(frozen=True)
class RunSummary:
    """A run in the index.

    ``aucs`` is the primary model's AUC with interval by partition, ``shown`` the one of the headline; ``n`` counts the
    patients of all partitions; ``links`` lead to what stands beside the page.
    """

    run: str
    href: str
    title: str
    question: str
    cohort: str
    variant: str
    simulated: bool
    headline: str
    aucs: tuple[tuple[str, str], ...]
    n: int
    model: str
    shown: tuple[str, str]
    links: tuple[Link, ...] = ()
