"""Figures on the page, in the paper's numbering, with captions and descriptions for those who cannot see them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2radiomics.manuscript.tables import formatting as fmt
from her2radiomics.report.context import Link, Panel, ReportFigure
from her2radiomics.report.embed import figure_uri
from her2radiomics.report.info import RunInfo

if TYPE_CHECKING:
    import pandas as pd

ONE_COLUMN_MM = 120  # a wider figure is set over the page's whole width
FORMATS = ("svg", "pdf", "png", "csv")
CAPTIONS = {
    "flow": "Patients registered, excluded with reason, and included, by partition.",
    "sequences": "One patient a row; the outline is the region of interest of the first reader.",
    "workflow": "From images to evaluation, with the number of features at each step.",
    "feature_weights": "Coefficients of the final model on scaled features.",
    "rad_score": "Each bar is a patient; bars start at the threshold chosen on training.",
    "lasso": "Cross-validated error and coefficients along the penalty; lines mark lambda.min and lambda.1se.",
    "roc": "Circles mark the threshold chosen on training.",
    "calibration": "Predicted against observed probability, with the distribution of predictions below.",
    "decision_curve": "Net benefit against threshold probability, with treating all and treating none.",
    "nomogram": "Read off the points of each predictor, add them up, and read the probability below the total.",
}
_ID = re.compile(r"figure_([0-9]+)([a-z]?)_")


def figures(folder: Path, info: RunInfo, performance: pd.DataFrame) -> tuple[ReportFigure, ...]:
    """Figures of the protocol, panels of one number together.

    Raises
    ------
    StudyError
        A figure's file is missing.
    """
    panels: dict[str, list[Panel]] = {}
    items = info.get("figures", [])
    for item in items:
        found = _ID.match(item["id"])
        number, letter = found.groups() if found else (item["id"], "")
        panel = _panel(folder / "figures", info, item, letter, performance, len(items))
        panels.setdefault(number, []).append(panel)
    return tuple(ReportFigure(number, tuple(those)) for number, those in panels.items())


def _panel(
    folder: Path, info: RunInfo, item: Mapping[str, Any], letter: str, performance: pd.DataFrame, count: int
) -> Panel:
    stem = folder / item["id"]
    caption = (item.get("caption") or CAPTIONS.get(item["kind"], "")).strip()
    if info.simulated:
        caption = f"{caption} Simulated data.".strip()
    files = tuple(
        Link(end.upper(), f"{folder.name}/{item['id']}.{end}")
        for end in FORMATS
        if stem.with_name(f"{stem.name}.{end}").is_file()
    )
    alt = f"{item['title'].rstrip('.')}. {caption}{_numbers(info, item, performance)}"
    wide = float(item.get("width_mm", 0)) > ONE_COLUMN_MM
    return Panel(letter, item["title"], caption, alt, figure_uri(stem, count), files, wide)


def _numbers(info: RunInfo, item: Mapping[str, Any], performance: pd.DataFrame) -> str:
    """What a sighted reader takes from the curves: the AUCs."""
    if item["kind"] != "roc":
        return ""
    rows = performance[performance["partition"] == item.get("partition")].set_index("model")
    values = [
        f"{info.model_label(name)} {fmt.fixed(float(rows.loc[name, 'auc']), 2)}"
        for name in item.get("models", [])
        if name in rows.index
    ]
    return f" AUC: {fmt.listing(values)}." if values else ""
