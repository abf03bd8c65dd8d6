"""PyRadiomics parameter files: read, checked, and the feature names that they must yield."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import radiomics, ruamel_yaml

NOTHING: Mapping[str, Any] = MappingProxyType({})
#: What PyRadiomics 3.1 takes where neither a file nor its own table of defaults says anything.
DEFAULTS: dict[str, Any] = {"binWidth": 25, "symmetricalGLCM": True, "gldm_a": 0, "wavelet": "coif1"}


@dataclass(frozen=True)
class Parameters:
    """A PyRadiomics parameter file, validated by PyRadiomics' own schema.

    Attributes
    ----------
    path
        The file.
    settings
        PyRadiomics' defaults overlaid with the file's ``setting`` section.
    image_types
        Image type → its own settings, in the file's order.
    feature_classes
        Feature class → feature names; empty or ``None`` means all that are not deprecated.
    content
        The file's sections as PyRadiomics reads them.
    """

    path: Path
    settings: Mapping[str, Any]
    image_types: Mapping[str, Mapping[str, Any]]
    feature_classes: Mapping[str, list[str] | None]
    content: Mapping[str, Any]

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The names that every region must yield, in PyRadiomics' order."""
        shapes = [name for name in self.feature_classes if name in ("shape", "shape2D")]
        others = [name for name in self.feature_classes if not name.startswith("shape")]
        names = [f"original_{kind}_{name}" for kind in shapes for name in self.features_of(kind)]
        names += [
            f"{image}_{kind}_{name}" for image in self.image_names for kind in others for name in self.features_of(kind)
        ]
        return tuple(names)

    def of_image(self, kind: str) -> dict[str, Any]:
        """Settings of one image type: its own over those of the file."""
        return {**self.settings, **self.image_types.get(kind, {})}

    @cached_property
    def image_names(self) -> tuple[str, ...]:
        """The filtered images' names as they start feature names: ``original``, ``wavelet-LH`` and so on."""
        names: list[str] = []
        for kind in self.image_types:
            names += _image_names(kind, self.of_image(kind))
        return tuple(names)

    def features_of(self, kind: str) -> list[str]:
        """The features of one class that every region must yield."""
        return self.feature_classes[kind] or [*_not_deprecated(kind)]

    def grey_levels(self, minimum: float, maximum: float) -> int:
        """Number of grey levels (bins) between two intensities of the unfiltered image."""
        if self.settings.get("binCount") is not None:
            return int(self.settings["binCount"])
        width = self.settings["binWidth"]
        return int(maximum // width - minimum // width) + 1


@cache
def _not_deprecated(kind: str) -> tuple[str, ...]:
    """Features of a class; PyRadiomics looks through all that the class has for them."""
    known = radiomics.getFeatureClasses()[kind].getFeatureNames()
    return tuple(name for name, deprecated in known.items() if not deprecated)


def _image_names(kind: str, settings: Mapping[str, Any]) -> list[str]:
    """Names of the images that one image type yields (PyRadiomics 3.1, ``get<Type>Image``)."""
    if kind == "LoG":
        return [f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in settings.get("sigma", [])]
    if kind == "Wavelet":
        axes = 2 if settings.get("force2D", False) else 3
        levels = settings.get("level", 1)
        letters = ["".join(pair) for pair in itertools.product("LH", repeat=axes)]
        names = []
        for level in range(1, levels + 1):
            prefix = "wavelet" if level == 1 else f"wavelet{level}"
            names += [f"{prefix}-{letter}" for letter in letters[1:]]
        return [*names, f"{'wavelet' if levels == 1 else f'wavelet{levels}'}-{letters[0]}"]
    if kind == "LBP2D":
        return ["lbp-2D"]
    if kind == "LBP3D":
        return [*(f"lbp-3D-m{m + 1}" for m in range(settings.get("lbp3DLevels", 2))), "lbp-3D-k"]
    return [kind.lower()]


def read_content(text: bytes) -> dict[str, Any]:
    """The content of a parameter file's text, which is UTF-8: PyRadiomics itself would read it in the machine's locale."""
    content = ruamel_yaml.YAML(typ="safe", pure=True).load(text.decode("utf-8"))
    if not isinstance(content, dict):
        raise ValueError("found no sections; expected setting, imageType, featureClass")
    return content


def read_parameters(path: str | Path, setting: Mapping[str, Any] = NOTHING) -> Parameters:
    """Read and check a PyRadiomics parameter file, with ``setting`` laid over its section of that name.

    Raises
    ------
    SettingsError
        When the file is missing or PyRadiomics' schema refuses it, when it fixes a ``label`` (regions come
        as masks of 0 and 1), or when ``shape2D`` is asked for without ``force2D``, which PyRadiomics
        answers with a warning and nine features fewer.
    """
    path = Path(path)
    if not path.is_file():
        raise SettingsError(f"{path}: no such PyRadiomics parameter file.")
    return deepcopy(_checked(path, path.read_bytes(), json.dumps(dict(setting))))


@cache
def _checked(path: Path, text: bytes, setting: str) -> Parameters:
    """Parse and check a file's text: once in a job, since that takes as long as a tenth of a case."""
    try:
        content = read_content(text)
        if changes := json.loads(setting):
            content["setting"] = (content.get("setting") or {}) | changes
        extractor = radiomics.featureextractor.RadiomicsFeatureExtractor(content)
    except Exception as error:  # pykwalify and ruamel raise their own, unrelated classes
        raise SettingsError(f"{path}: PyRadiomics refuses this parameter file: {error}") from error
    settings = DEFAULTS | extractor.settings
    if settings.get("label", 1) != 1 or settings.get("label_channel", 0) != 0:
        raise SettingsError(
            f"{path}: found a label or label_channel; expected none. Name the mask's value in the manifest "
            "(mask_label): regions reach PyRadiomics as masks of 0 and 1."
        )
    classes = dict(extractor.enabledFeatures)
    if not content.get("featureClass") and not settings.get("force2D", False):
        classes.pop("shape2D", None)  # "all classes" is what a silent file asks for; in 3-D that one has no meaning
    if "shape2D" in classes and not settings.get("force2D", False):
        raise SettingsError(f"{path}: found shape2D without force2D: true; expected both or neither.")
    settings["additionalInfo"] = False  # diagnostics are not features; qc.csv carries ours
    return Parameters(
        path=path,
        settings=settings,
        image_types={name: own or {} for name, own in extractor.enabledImagetypes.items()},
        feature_classes=classes,
        content=content,
    )
