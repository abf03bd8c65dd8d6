from .composed import ComposedOptions, with_panels
from .inputs import ExampleImage, FigureInputError, FigureInputs, StudyText
from .registry import Drawing, FigureOptions
from .render import draw, render, render_for_print
from .settings import KINDS, FigureSettings

__all__ = [
    "KINDS",
    "ComposedOptions",
    "Drawing",
    "ExampleImage",
    "FigureInputError",
    "FigureInputs",
    "FigureOptions",
    "FigureSettings",
    "StudyText",
    "draw",
    "render",
    "render_for_print",
    "with_panels",
]
