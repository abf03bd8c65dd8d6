"""From a figure's settings to its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from her2radiomics import __version__
from her2radiomics.core.files import whole_file
from her2radiomics.core.spreadsheets import for_people, safe_frame
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions
from her2radiomics.manuscript.palettes import PALETTES
from her2radiomics.manuscript.print_files import save_eps, save_tiff
from her2radiomics.manuscript.typefaces import FAMILIES


def look_of(settings: FigureOptions, inputs: FigureInputs) -> style.Look:
    """Palette and type: the figure's own, or the protocol's."""
    study = inputs.study
    return style.Look(
        PALETTES[settings.palette or study.palette],
        settings.font_size,
        FAMILIES[settings.font_family or study.font_family],
        settings.svg_text or study.svg_text,
    )


def draw(settings: FigureOptions, inputs: FigureInputs) -> Drawing:
    """Draw a figure in the project's style.

    Raises
    ------
    FigureInputError
        An input that the figure needs was not given, or its file is missing.
    TableError
        A table is not as its contract demands.
    FontError
        The font is not installed, or no font has a character of a text.
    """
    for need in settings.needs():
        if isinstance(getattr(inputs, need), Mapping):
            for key in settings.keys_needed(need):
                inputs.path(need, key)
        elif need != "images":
            inputs.path(need)
    look = look_of(settings, inputs)
    with style.in_style(look):
        drawing = settings.make(inputs)
        style.choose_fonts(drawing.figure)
        return replace(drawing, look=look)


def render(
    settings: FigureOptions, inputs: FigureInputs, stem: Path, metadata: Mapping[str, str] | None = None
) -> tuple[Path, ...]:
    """Draw a figure and write ``<stem>.svg``, ``.pdf``, ``.png`` and ``.csv``, the numbers drawn.

    Parameters
    ----------
    settings
        The figure, as the protocol describes it.
    inputs
        What it is drawn from.
    stem
        Path of the files without suffix; its folder is made.
    metadata
        Provenance to keep in the files, e.g. run, protocol and hashes of the inputs; title, identifier, study and
        version of the software are added.

    Returns
    -------
    tuple of pathlib.Path
        The four files. Each is written under another name first, so that a broken run leaves no half figure.
    """
    simulated = inputs.study.simulated
    about = {
        "title": settings.title,
        "figure": settings.id,
        "study": inputs.study.title,
        "simulated": str(simulated).lower(),
        "software": f"her2radiomics {__version__}",
        **(metadata or {}),
    }
    return write(draw(settings, inputs), stem, about, simulated=simulated)


def render_for_print(
    settings: FigureOptions, inputs: FigureInputs, path: Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Draw a figure and write it as a press asks for it: ``path`` ends in ``.tiff`` or ``.eps``."""
    about = {"title": settings.title, "figure": settings.id, **(metadata or {})}
    drawing = draw(settings, inputs)
    with style.in_style(drawing.look):
        {".tiff": save_tiff, ".eps": save_eps}[path.suffix](drawing.figure, path, about)


def write(drawing: Drawing, stem: Path, about: Mapping[str, str], *, simulated: bool) -> tuple[Path, ...]:
    """Write a drawing as :func:`render` does; ``about`` is kept in the files, ``simulated`` marks the rows drawn."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    with style.in_style(drawing.look):
        style.save(drawing.figure, stem, about)
    data = drawing.data.copy()
    data["simulated"] = int(simulated)
    target = stem.with_name(f"{stem.name}.csv")
    with whole_file(target) as temporary:
        text = safe_frame(data).to_csv(index=False, float_format="%.10g", lineterminator="\n")
        temporary.write_bytes(for_people(text))
    return tuple(stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "pdf", "png", "csv"))
