"""Options of an extraction that a protocol may change, and the names by which extractions are separated. Light."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from her2radiomics.core.settings import Settings
from her2radiomics.extraction.filters import EXACT_LOG_PADDING, LEAST_LOG_PADDING, LOG_PADDING
from her2radiomics.imaging.perturbation_settings import Perturbation
from her2radiomics.imaging.preprocessing_settings import Preprocessing

LogPadding = Annotated[float, Field(ge=LEAST_LOG_PADDING)] | Literal["exact"]


class Alteration(Settings):
    """What of an extraction is another than a study's own, to see what comes of it; nothing in a study's own sequences."""

    perturb: Perturbation | None = Field(
        default=None, description="Change of outlines or image, after preprocessing and all checks of the mask."
    )
    setting: dict[str, Any] = Field(
        default_factory=dict,
        description="Laid over the section `setting` of the parameter file: {binWidth: 12.5}. The features stay the same.",
    )
    pictures: bool = Field(default=True, description="Whether outlines are drawn for quality control.")

    def chosen(self) -> dict[str, Any]:
        """What is asked for, as plain data; empty for nothing."""
        usual = Alteration().model_dump(mode="json")
        plain = self.model_dump(mode="json", include=set(usual))
        return {name: value for name, value in plain.items() if value != usual[name]}


#: Keys of an alteration, wherever they are among others.
KEYS = frozenset(Alteration.model_fields)
NOTHING: Mapping[str, Any] = MappingProxyType({})


def log_sigmas(padding: float | str) -> float:
    """Padding of the Laplacian of Gaussian in σ: ``exact`` is 20."""
    return EXACT_LOG_PADDING if padding == "exact" else float(padding)


def extraction_suffix(
    preprocessing: Preprocessing,
    log_padding: float | str = LOG_PADDING,
    slice_of: str | None = None,
    altered: Mapping[str, Any] = NOTHING,
) -> str:
    """Third part of an extraction's name: words for what is done and a hash of how; empty for the default.

    ``altered`` is what is other than the study's own (:meth:`Alteration.chosen`), and of whom.

    >>> extraction_suffix(Preprocessing())
    ''
    """
    chosen = _chosen(preprocessing, log_padding) | ({} if slice_of is None else {"slice_of": slice_of})
    named = {"resample_mask": "mask", "log_padding": "logpad", "slice_of": "level"}
    steps = "resample_mask n4 subtract clip normalise resample round resegment log_padding slice_of"
    words = [named.get(key, key) for key in steps.split() if key in chosen]
    words += [altered["perturb"]["kind"].replace("_", "")] if "perturb" in altered else []
    words += sorted(re.sub("[^a-z0-9]", "", key.lower()) for key in altered.get("setting", {}))
    words += ["some"] if altered and not words else []
    return "-".join([*words, _hash(chosen | dict(altered))]) if words else ""


def values_suffix(
    preprocessing: Preprocessing, log_padding: float | str = LOG_PADDING, slice_of: str | None = None
) -> str:
    """As :func:`extraction_suffix`, of what defines a feature's value: a model is separated by it.

    ``resample_mask`` is left out: it says how a mask reaches its image's grid, not what is measured there, and a
    model serves patients whose masks need it and patients whose masks do not.
    """
    return extraction_suffix(preprocessing.model_copy(update={"resample_mask": False}), log_padding, slice_of)


def extraction_hash(
    parameters: bytes,
    regions: Sequence[str],
    preprocessing: Preprocessing,
    log_padding: float | str = LOG_PADDING,
    slice_of: str | None = None,
) -> str:
    """Hash of what a sequence's features depend on: the parameter file's bytes, the regions, the preprocessing."""
    suffix = values_suffix(preprocessing, log_padding, slice_of)
    return sha256(parameters + (" ".join(regions) + (f" {suffix}" if suffix else "")).encode()).hexdigest()[:16]


def _chosen(preprocessing: Preprocessing, log_padding: float | str) -> dict[str, Any]:
    """What is switched on, with all its keys."""
    chosen = {
        key: value
        for key, value in preprocessing.model_dump(mode="json").items()
        if value is not None and value is not False
    }
    if preprocessing.subtract is None:
        chosen.pop("subtract_as")
    sigmas = log_sigmas(log_padding)
    return chosen if sigmas == LOG_PADDING else chosen | {"log_padding": sigmas}


def _hash(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
