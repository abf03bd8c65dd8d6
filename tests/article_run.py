"""A small run with tables, figures and the manuscript that is written from it, for the tests of Word and LaTeX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image, PngImagePlugin

from her2radiomics.article.document import (
    Bound,
    Cite,
    CrossReference,
    FigureBlock,
    ForAuthor,
    Heading,
    Manuscript,
    Paragraph,
    Source,
    TableBlock,
    Words,
)
from her2radiomics.article.files import contents
from her2radiomics.article.journals import read_journal
from her2radiomics.manuscript.tables.model import Heading as Column
from her2radiomics.manuscript.tables.model import RowLabel, Table
from her2radiomics.manuscript.tables.text import to_latex
from her2radiomics.manuscript.tables.word import to_docx

JOURNALS = Path(__file__).parents[1] / "workflow" / "journals"
REFERENCES: dict[str, dict[str, Any]] = {
    "holm_1979": {
        "id": "holm_1979",
        "type": "article-journal",
        "author": [{"family": "Holm", "given": "S"}],
        "title": "A simple sequentially rejective multiple test procedure",
        "container-title": "Scand J Stat",
        "issued": {"date-parts": [[1979]]},
        "volume": "6",
        "page": "65–70",
    },
    "Efron_1993": {
        "id": "Efron_1993",
        "type": "book",
        "author": [{"family": "Efron", "given": "B"}, {"family": "Tibshirani", "given": "RJ"}],
        "title": "An introduction to the bootstrap & more",
        "publisher": "Chapman and Hall",
        "publisher-place": "New York",
        "issued": {"date-parts": [[1993]]},
    },
    "nobody_cites": {
        "id": "nobody_cites",
        "type": "software",
        "author": [{"literal": "The R Core Team"}],
        "title": "R",
        "URL": "https://www.r-project.org/a_b",
        "issued": {"date-parts": [[2024]]},
    },
}
AUC = "performance.radiomics.testing.auc"


def bound(key: str, text: str, column: str = "auc") -> Bound:
    return Bound(
        key, text, Source("tables/performance.csv", (("model", "radiomics"), ("partition", "testing")), column)
    )


def table(auc: str = "0.812", rows: tuple[str, ...] = ("Clinical", "Radiomics")) -> Table:
    data = pd.DataFrame(
        {
            "auc": ["0.70 (0.61–0.79)", *[f"{auc} (0.7–0.9)"] * (len(rows) - 1)],
            "p": ["–", *["<0.001"] * (len(rows) - 1)],
        }
    )
    headings = (Column("auc", "AUC (95% CI)", group="Test set"), Column("p", "P"))
    labels = tuple(RowLabel(name) for name in rows)
    return Table(
        "Performance", data, "Model", labels, headings, footnotes=("ᵃ DeLong's test of 42 patients.",), simulated=True
    )


def manuscript(auc: str = "0.812", run: str = "a_study") -> Manuscript:
    """One of everything; the number of the test set stands in the abstract, the text and a caption."""
    number = bound(AUC, auc)
    abstract = (
        Paragraph("abstract_background", (ForAuthor("why the study was done"),), "Background:"),
        Paragraph("abstract_results", (Words("The AUC was "), number, Words(".")), "Results:"),
    )
    body = (
        Heading("methods", "Methods"),
        Heading("statistics", "Statistical analysis", 2),
        Paragraph("tests", (Words("Tests of HER2 and T2 are Holm's "), Cite(("holm_1979",)), Words("."))),
        Heading("results", "Results"),
        Paragraph(
            "auc",
            (
                Words("In the test set the AUC was "),
                number,
                Words(" ("),
                bound("delong.p", "<0.001", "p"),
                Words(", coefficient "),
                bound("coefficient.x", "-0.52", "coefficient"),
                Words("), see "),
                CrossReference("table_3_performance"),
                Words(", "),
                CrossReference("figure_1_flow"),
                Words(", "),
                CrossReference("table_s1_more"),
                Words(" and "),
                CrossReference("statistics"),
                Words(" "),
                Cite(("Efron_1993", "holm_1979")),
                Words(" (mm"),
                Words("2", "superscript"),
                Words(" & more %)."),
            ),
        ),
        TableBlock(
            "table_3_performance", (Words("Performance in "), bound("n.testing", "42", "n"), Words(" patients"))
        ),
        FigureBlock("figure_1_flow", (Words("Flow of patients; AUC "), number, Words("."))),
        Heading("discussion", "Discussion"),
        Paragraph("discussion_text", (ForAuthor("what the results mean"),)),
    )
    supplement = (TableBlock("table_s1_more", (Words("More"),)), FigureBlock("figure_s2_roc", (Words("Curves"),)))
    return Manuscript("Radiomics of a_study", abstract, body, supplement, REFERENCES, "en-GB", True, run)


def write_figure(path: Path, colour: str, size: tuple[int, int] = (600, 400)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    about = PngImagePlugin.PngInfo()
    about.add_text("Title", f"Title of {path.stem}")
    Image.new("RGB", size, colour).save(path, dpi=(300, 300), pnginfo=about)


def make_run(
    folder: Path,
    *,
    auc: str = "0.812",
    colour: str = "white",
    journal: str = "plain",
    text: Manuscript | None = None,
    rows: tuple[str, ...] = ("Clinical", "Radiomics"),
) -> Path:
    """Write a run's tables and figures and its manuscript; the folder."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, made in {
        "table_3_performance": table(auc, rows),
        "table_s1_more": replace(table(), title="More"),
    }.items():
        (folder / "tables" / f"{name}.docx").write_bytes(to_docx(made, "3"))
        (folder / "tables" / f"{name}.tex").write_text(to_latex(made, "3", name), encoding="utf-8")
    for name, painted in {"figure_1_flow": colour, "figure_s2_roc": "grey"}.items():
        write_figure(folder / "figures" / f"{name}.png", painted)
    profile = read_journal(JOURNALS / f"{journal}.yaml")
    (folder / "manuscript").mkdir(exist_ok=True)
    made = contents(text or manuscript(auc), folder, profile, JOURNALS / f"{profile.references}.csl")
    for ending, content in made.items():
        (folder / "manuscript" / f"manuscript.{ending}").write_bytes(content)
    return folder
