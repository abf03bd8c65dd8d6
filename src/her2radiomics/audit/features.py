"""Counts of radiomics features against the sets of image types and classes that PyRadiomics has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal

from pydantic import Field, model_validator

from her2radiomics.audit.base import Check, Finding, found, join, unknown

#: Features of each class in PyRadiomics 3 (deprecated ones left out, as the software does); a test compares them.
CLASSES = {"firstorder": 18, "glcm": 24, "glrlm": 16, "glszm": 16, "gldm": 14, "ngtdm": 5}
SHAPES = {"3d": 14, "2d": 9, "none": 0}
TEXTURE = tuple(name for name in CLASSES if name != "firstorder")
Shape = Literal["3d", "2d", "none"]
#: More image types than any parameter file asks for: original, 8 wavelet, 5 LoG, 5 others, 3 LBP, and a margin.
MOST_IMAGE_TYPES = 40


def class_sets(named: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Every set of whole classes that holds the named ones, the largest first, with its number of features."""
    others = [name for name in CLASSES if name not in named]
    for size in range(len(others), -1, -1):
        for extra in combinations(others, size):
            chosen = tuple(name for name in CLASSES if name in named or name in extra)
            yield chosen, sum(CLASSES[name] for name in chosen)


def feature_count(
    total: int, shapes: Sequence[Shape], named: Sequence[str] = (), image_types: int | None = None
) -> Finding:
    """Can so many features be shape + image types × features of the other classes?

    Parameters
    ----------
    total
        The stated number, of one region on one sequence.
    shapes
        Shape classes that the paper allows.
    named
        Classes that the paper names, so that they must be in the set.
    image_types
        The stated number of image types, if any.

    Notes
    -----
    Whole classes are tried first. Where only a set with single features left out fits, nothing can be said, since
    papers seldom list them; where even that asks for more image types than there are, the count is impossible.
    """
    fits, partial, tried = [], [], []
    for shape in shapes:
        rest = total - SHAPES[shape]
        with_shape = f"{SHAPES[shape]} shape + " if shape != "none" else ""
        for classes, size in class_sets(named):
            if size and rest > 0 and rest % size == 0 and _allowed(rest // size, image_types):
                everything = "all classes" if len(classes) == len(CLASSES) else join(list(classes))
                fits.append(f"{with_shape}{rest // size} image types × {size} ({everything})")
        partial += [f"{with_shape}{k} image types × {each}" for k, each in _left_out(rest, named, image_types)]
        largest = sum(CLASSES.values())
        tried.append(
            f"({total} − {SHAPES[shape]}) / {largest} = {rest / largest:.2f}"
            if with_shape
            else f"{total} / {largest} = {rest / largest:.2f}"
        )
    if fits:
        return found(True, f"{total} = {join(fits, 'or')}.")
    words = f"No set of whole classes gives {total}: with all classes, {join(tried)} image types."
    if partial:
        return unknown(words, f"With single features left out, {join(partial, 'or')} would.")
    return found(False, words, f"Leaving single features out does not help, with up to {MOST_IMAGE_TYPES} image types.")


def _allowed(count: int, stated: int | None) -> bool:
    return count == stated if stated else count <= MOST_IMAGE_TYPES


def _left_out(rest: int, named: Sequence[str], stated: int | None) -> list[tuple[int, int]]:
    """(image types, features each) where some features of the whole set are left out, but at least half are kept."""
    most = sum(CLASSES.values())
    least = max(sum(CLASSES[name] for name in named) // 2, most // 2)
    return [
        (rest // each, each)
        for each in range(most - 1, least - 1, -1)
        if rest > 0 and rest % each == 0 and _allowed(rest // each, stated)
    ]


class FeatureCount(Check):
    """A stated number of features against PyRadiomics' classes and a set of image types."""

    check: Literal["feature_count"]
    total: int = Field(gt=0, description="Stated number of features of one region on one sequence.")
    shapes: list[Shape] = Field(
        default=["3d", "2d", "none"], min_length=1, description="Shape classes that may be in it: 3d, 2d, none."
    )
    named: list[Literal["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]] = Field(
        default_factory=list, description="Classes that the paper names."
    )
    image_types: int | None = Field(None, gt=0, description="Stated number of image types, where one is stated.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`feature_count`."""
        return feature_count(self.total, self.shapes, self.named, self.image_types)


def feature_split(first_order: int, texture: int) -> Finding:
    """Can first-order and texture features come from the same image types?"""
    types, rest = divmod(first_order, CLASSES["firstorder"])
    if rest:
        return found(False, f"{first_order} is no multiple of the {CLASSES['firstorder']} first-order features.")
    sizes = {size: classes for classes, size in class_sets([]) if "firstorder" not in classes and size}
    words = f"{first_order} first-order features are {CLASSES['firstorder']} × {types} image types."
    most = sum(CLASSES[name] for name in TEXTURE)
    for size, classes in sorted(sizes.items(), reverse=True):
        if texture == types * size:
            return found(True, words, f"{texture} texture features are {size} × {types} ({join(list(classes))}).")
    return found(
        False,
        words,
        f"{types} image types have at most {most} × {types} = {most * types} texture features, "
        f"and no set of classes has {texture}.",
    )


class FeatureSplit(Check):
    """Stated numbers of first-order and texture features against one set of image types."""

    check: Literal["feature_split"]
    first_order: int = Field(gt=0, description="Stated first-order features, over all image types.")
    texture: int = Field(gt=0, description="Stated texture features, over all image types.")

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`feature_split`."""
        return feature_split(self.first_order, self.texture)


def class_size(stated: int, classes: Sequence[str]) -> Finding:
    """Have the named classes so many features on one image?"""
    sizes = SHAPES_BY_NAME | CLASSES
    made = sum(sizes[name] for name in classes)
    words = f"{' + '.join(f'{sizes[name]} ({name})' for name in classes)} = {made}; stated {stated}."
    if made == stated:
        return found(True, words)
    others = [join(list(chosen)) for chosen, size in class_sets([]) if size == stated]
    return found(False, words, f"{stated} is {join(others, 'or')}." if others else "")


SHAPES_BY_NAME = {"shape": SHAPES["3d"], "shape2D": SHAPES["2d"]}


class ClassSize(Check):
    """A stated number of features of some classes on one image type."""

    check: Literal["class_size"]
    stated: int = Field(gt=0, description="Stated number.")
    classes: list[str] = Field(min_length=1, description="The classes: " + ", ".join([*SHAPES_BY_NAME, *CLASSES]) + ".")

    @model_validator(mode="after")
    def _known(self) -> ClassSize:
        unknown_names = [name for name in self.classes if name not in SHAPES_BY_NAME | CLASSES]
        if unknown_names:
            raise ValueError(f"no class {join(unknown_names)}; known: {', '.join(SHAPES_BY_NAME | CLASSES)}")
        return self

    def examine(self, tables: Mapping) -> Finding:
        """See :func:`class_size`."""
        return class_size(self.stated, self.classes)
