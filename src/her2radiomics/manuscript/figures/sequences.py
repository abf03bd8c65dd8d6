"""The sequences of example patients, without and with the region of interest outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from her2radiomics.core.errors import CaseError
from her2radiomics.core.libraries import PIL, mpl, pd, sitk
from her2radiomics.imaging import level_of, make_region, parse_region, read_image, read_mask, read_mask_onto
from her2radiomics.imaging.planes import slices_of, upright
from her2radiomics.imaging.reading import read_drawn
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.inputs import ExampleImage, FigureInputError, FigureInputs
from her2radiomics.manuscript.figures.registry import Drawing, WideOptions, figure
from her2radiomics.manuscript.figures.sequences_grid import GAP, ImageGrid, lay_out, row_name

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# directions of a slice by the body axis it lies across: radiological convention, head or front at the top
VIEWS = {0: "PIL", 1: "LIP", 2: "LPS"}
WINDOW = (1, 99.5)  # percentiles of the grey values seen that are shown black and white
_TUMOUR = "tumour"


class SequencesOptions(WideOptions):
    """Each sequence of example patients, without and with tumour and ring outlined.

    The two are one above the other, or side by side where that uses the page better.
    """

    kind: Literal["sequences"]
    field_mm: float | None = Field(
        None, description="Side of the square shown, in mm; without it twice the widest tumour, at least 40.", gt=5
    )
    order: list[str] = Field(
        default_factory=list, description="Sequences in the order drawn; without it the protocol's. Others follow."
    )
    plain: bool = Field(
        True,
        description="Show each image without the outline as well: in the row above, or at its left where that needs "
        "no more than a page.",
    )
    scale_bar_mm: float = Field(10.0, description="Length of the scale bar in mm.", gt=0)


@figure(
    SequencesOptions,
    needs=("images",),
    caption="One patient per letter, the first by identifier with the positive outcome; the outline is the region of "
    "interest of the reference reader.",
    example="figure_2_sequences: {kind: sequences, title: Sequences and regions of interest}",
)
def draw(inputs: FigureInputs, options: SequencesOptions) -> Drawing:
    """Draw the slice with the largest tumour area of each image, at one scale in millimetres."""
    if not inputs.images:
        raise FigureInputError(
            "found no 'images' among the figure's inputs; expected at least one image with its mask. "
            "Choose an example patient whose images were extracted."
        )
    rows = list(dict.fromkeys(image.row for image in inputs.images))
    seen = [image.sequence for image in inputs.images]
    order = [s for s in dict.fromkeys([*options.order, *inputs.study.sequences, *seen]) if s in seen]
    views = {(image.row, image.sequence): View(image) for image in inputs.images}
    field = options.field_mm or max(40.0, 2.0 * max(view.extent for view in views.values()))

    rings = sorted({name for image in inputs.images for name in image.regions if name.startswith("ring_")})
    key = 6.0 if rings else 1.0
    grid = lay_out(rows, len(order), width=options.width_mm, plain=options.plain, key=key)
    fig = style.new_figure(options.width_mm, grid.top + (grid.side + GAP) * grid.lines + key)
    letters = dict(zip(rows, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False))
    drawn: list[dict[str, Any]] = []
    for line, place, row, number, outlined in grid.cells(rows):
        sequence = order[number]
        axes = style.place(fig, grid.x(place), grid.y(line), grid.side, grid.side)
        axes.set_facecolor("black")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        view = views.get((row, sequence))
        if view is None:
            axes.text(0.5, 0.5, "not acquired", color="white", ha="center", transform=axes.transAxes)
            continue
        view.show(axes, field, grid.side, outlined=outlined)
        letter = letters.get(row, "")
        if place == 0 and not (outlined and options.plain):  # one letter a patient
            _on_image(axes, 0.04, 0.96, letter, fontweight="bold", va="top", transform=axes.transAxes)
        if place == 0 or len(rows) > 1:
            _scale_bar(axes, field, options.scale_bar_mm, label=place == 0)
        what = {"panel": letter, "row": row, "outlined": int(outlined)}
        drawn.append(what | view.numbers | {"field_mm": field})
    _headings(fig, [inputs.study.sequences.get(name, name) for name in order], grid)
    _row_names(fig, rows, grid)
    if key > 1.0:
        _key(fig, rings, inputs)
    return Drawing(fig, pd.DataFrame(drawn))


class View:
    """The slice of one image where the tumour is largest, its regions, and their places in millimetres."""

    def __init__(self, image: ExampleImage) -> None:
        """Read the image and make its regions."""
        self.image = image
        self.slice, self.pixels, self.regions, self.spacing = _read(image)
        places = list(zip(np.nonzero(self.regions[_TUMOUR]), self.spacing, strict=True))
        self.extent = float(max((np.ptp(place) + 1) * mm for place, mm in places))
        self.centre = tuple((place.min() + place.max() + 1) / 2 * mm for place, mm in places)
        area = self.spacing[0] * self.spacing[1]
        self.numbers = {
            "patient_id": image.patient_id,
            "sequence": image.sequence,
            "reader": next(iter(image.masks)),
            "slice_index": self.slice,
            **{f"{name}_area_mm2": float(region.sum() * area) for name, region in self.regions.items()},
        }

    def picture(self, field: float, side: float) -> tuple[np.ndarray, tuple[float, float, float, float]]:
        """What is seen of the slice, resampled once to the printed resolution, and its edges in mm.

        ``field`` is the side of the square in the patient, ``side`` on paper, both in mm. Resampling here and not
        in every file format is four times as fast, and the same picture is in all of them.
        """
        spans = [
            (max(m - field / 2, 0.0), min(m + field / 2, n * d))
            for m, n, d in zip(self.centre, self.pixels.shape, self.spacing, strict=True)
        ]
        (top, bottom), (left, right) = spans
        down, across = self.spacing
        box = (left / across, top / down, right / across, bottom / down)
        dots = side / field * style.MM * style.PNG_DPI
        size = (max(round((right - left) * dots), 1), max(round((bottom - top) * dots), 1))
        grey = PIL.Image.fromarray(self.pixels.astype("float32"))
        seen = np.asarray(grey.resize(size, PIL.Image.Resampling.BICUBIC, box=box))
        return seen, (left, right, bottom, top)

    def show(self, axes: Axes, field: float, side: float, *, outlined: bool) -> None:
        """Show a square of ``field`` mm around the tumour's middle, ``side`` mm wide on paper."""
        seen, edges = self.picture(field, side)
        low, high = np.percentile(seen, WINDOW)
        grey: dict[str, Any] = {"cmap": "gray", "vmin": low, "vmax": max(high, low + 1e-6)}
        axes.imshow(seen, extent=edges, interpolation="none", **grey)
        if outlined:
            xs = (np.arange(self.pixels.shape[1]) + 0.5) * self.spacing[1]
            ys = (np.arange(self.pixels.shape[0]) + 0.5) * self.spacing[0]
            tumour = self.regions[_TUMOUR]
            rings = [region | tumour for name, region in self.regions.items() if name != _TUMOUR]
            # of a ring the outer edge: its inner one is the tumour's
            for region, colour in [*((ring, style.RING) for ring in rings), (tumour, style.OUTLINE)]:
                axes.contour(xs, ys, region.astype(float), levels=[0.5], colors=colour, linewidths=1.1)
        y, x = self.centre
        axes.set_xlim(x - field / 2, x + field / 2)
        axes.set_ylim(y + field / 2, y - field / 2)


def _read(image: ExampleImage) -> tuple[int, np.ndarray, dict[str, np.ndarray], tuple[float, float]]:
    """The slice's index, its grey values, its regions by name, and its spacing (rows, columns) in mm.

    The arrays have the shape (rows, columns) and lie as radiologists look at them.
    """

    def outlined(path: Path, volume: sitk.Image, label: int | str | None = None) -> sitk.Image:
        if image.resample_mask:
            return read_mask_onto(path, volume, label)[0]
        return read_mask(path, volume, label)

    try:
        stored = read_image(image.image)
        axis = slices_of(stored).axis
        volume = upright(stored, axis)
        mask = outlined(next(iter(image.masks.values())), stored, image.mask_label)
        mask = upright(mask, axis)
        breast = None
        if image.breast:
            breast = upright(outlined(image.breast, stored, image.breast_label), axis)
        rings = [name for name in image.regions if parse_region(name).kind == "ring"]
        index = _index(image, mask)
        regions = {_TUMOUR: mask, **{name: make_region(mask, name, breast, index) for name in rings}}
    except CaseError as error:
        raise error.named(patient=image.patient_id, sequence=image.sequence) from error
    along = int(np.abs(np.array(volume.GetDirection()).reshape(3, 3)[:, 2]).argmax())

    def seen(picture: sitk.Image) -> np.ndarray:
        turned = sitk.DICOMOrient(picture[:, :, index : index + 1], VIEWS[along])
        return sitk.GetArrayFromImage(turned)[0]

    spacing = sitk.DICOMOrient(volume[:, :, index : index + 1], VIEWS[along]).GetSpacing()
    found = {name: seen(region).astype(bool) for name, region in regions.items()}
    return index, seen(volume), found, (spacing[1], spacing[0])


def _index(image: ExampleImage, mask: sitk.Image) -> int:
    """The slice drawn: the one at another sequence's level, where that decides, else the one with the largest area."""
    if image.level_mask is None or image.level_image is None:
        return int(np.count_nonzero(sitk.GetArrayViewFromImage(mask), axis=(1, 2)).argmax())
    return level_of(mask, read_drawn(image.level_mask, image.level_image, image.level_label))[0]


def _edge(points: float) -> list[Any]:
    """A dark edge, so that white marks are seen on bright tissue too."""
    return [mpl.patheffects.Stroke(linewidth=points, foreground="black"), mpl.patheffects.Normal()]


def _on_image(axes: Axes, x: float, y: float, text: str, **kwargs: Any) -> None:
    axes.text(x, y, text, color="white", path_effects=_edge(1.4), **kwargs)


def _scale_bar(axes: Axes, field: float, length: float, *, label: bool) -> None:
    x, y = axes.get_xlim()[1] - 0.06 * field, axes.get_ylim()[0] - 0.06 * field
    look: dict[str, Any] = {"color": "white", "linewidth": 1.6, "solid_capstyle": "butt"}
    axes.plot([x - length, x], [y, y], path_effects=_edge(2.6), **look)
    if label:
        at = (x, y - 0.03 * field)
        _on_image(axes, *at, f"{length:g} mm", fontsize=style.small(), ha="right", va="bottom")


def _headings(fig: Figure, names: Sequence[str], grid: ImageGrid) -> None:
    """The sequences' names over their images."""
    width, height = style.size(fig)
    for number, name in enumerate(names):
        middle = grid.x(number * grid.pair) + (grid.pair * (grid.side + GAP) - GAP) / 2
        x, y = middle / width, 1 - (grid.top - 0.8) / height
        fig.text(x, y, name, ha="center", va="bottom", fontsize=style.base())


def _row_names(fig: Figure, rows: Sequence[str], grid: ImageGrid) -> None:
    width, height = style.size(fig)
    for place, row in enumerate(rows):
        tall = grid.bands * (grid.side + GAP)
        middle = grid.top + (place + 0.5) * tall - GAP / 2
        text, x, y = "\n".join(row_name(row, tall - GAP)), (grid.left - 1.0) / width, 1 - middle / height
        aligned: dict[str, Any] = {"ha": "right", "va": "center", "multialignment": "center"}
        fig.text(x, y, text, rotation=90, fontsize=style.base(), **aligned)


def _key(fig: Figure, rings: list[str], inputs: FigureInputs) -> None:
    names = [inputs.study.regions.get(ring, ring.replace("_", " ")) for ring in rings]
    handles = [mpl.lines.Line2D([], [], color=style.OUTLINE, label="Tumour")]
    handles += [mpl.lines.Line2D([], [], color=style.RING, label=name) for name in names]
    fig.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.0), ncols=len(handles))
