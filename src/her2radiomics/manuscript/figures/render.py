"""From a figure's settings to its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from her2radiomics import __version__
from her2radiomics.core.contracts import MODEL_FILES
from her2radiomics.core.files import whole_file
from her2radiomics.core.spreadsheets import safe_frame
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import FigureInputs
from her2radiomics.manuscript.figures.registry import KINDS, Drawing, FigureOptions, Kind
from her2radiomics.manuscript.palettes import PALETTES

# inputs that are one file a model
BY_MODEL = MODEL_FILES


def kind_of(settings: FigureOptions) -> Kind:
    """The registered kind of a figure's settings."""
    return KINDS[settings.kind]  # type: ignore[attr-defined]


def needs(settings: FigureOptions) -> tuple[str, ...]:
    """Names of the members of :class:`FigureInputs` that the figure reads; ``study`` is always read."""
    return settings.needs(kind_of(settings).inputs)


def models_needed(settings: FigureOptions, need: str | None = None) -> tuple[str, ...]:
    """Models whose files the figure reads.

    Parameters
    ----------
    settings
        The figure.
    need
        One of :func:`needs`. Only predictions may be those of other models than the figure's own: a nomogram's
        worked example reads the scores that are its predictors. Without it, the models of all needs.
    """
    wanted = [name for name in needs(settings) if name in BY_MODEL and need in (None, name)]
    models = [model for name in wanted for model in settings.models_used(name)]
    return tuple(dict.fromkeys(models))


def look_of(settings: FigureOptions, inputs: FigureInputs) -> style.Look:
    """Palette and size of type: the figure's own, or the protocol's palette."""
    return style.Look(PALETTES[settings.palette or inputs.study.palette], settings.font_size)


def draw(settings: FigureOptions, inputs: FigureInputs) -> Drawing:
    """Draw a figure in the project's style.

    Raises
    ------
    FigureInputError
        An input that the figure needs was not given, or its file is missing.
    TableError
        A table is not as its contract demands.
    """
    for name in needs(settings):
        if name == "images":
            continue
        if name in BY_MODEL:
            for model in settings.models_used(name):
                inputs.path(name, model)
        else:
            inputs.path(name)
    look = look_of(settings, inputs)
    with style.in_style(look):
        return replace(kind_of(settings).draw(inputs, settings), look=look)


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


def write(drawing: Drawing, stem: Path, about: Mapping[str, str], *, simulated: bool) -> tuple[Path, ...]:
    """Write a drawing as :func:`render` does; ``about`` is kept in the files, ``simulated`` marks the rows drawn."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    with style.in_style(drawing.look):
        style.save(drawing.figure, stem, about)
    data = drawing.data.copy()
    data["simulated"] = int(simulated)
    target = stem.with_name(f"{stem.name}.csv")
    with whole_file(target) as temporary:
        safe_frame(data).to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")
    return tuple(stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "pdf", "png", "csv"))
