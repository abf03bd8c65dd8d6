"""Options of an extraction that a protocol may change, and the names by which extractions are separated. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import Field

from her2radiomics.extraction.filters import EXACT_LOG_PADDING, LOG_PADDING
from her2radiomics.imaging.preprocessing_settings import Preprocessing

LogPadding = Annotated[float, Field(ge=LOG_PADDING)] | Literal["exact"]


def log_sigmas(padding: float | str) -> float:
    """Padding of the Laplacian of Gaussian in σ: ``exact`` is 20."""
    return EXACT_LOG_PADDING if padding == "exact" else float(padding)


def extraction_suffix(
    preprocessing: Preprocessing, log_padding: float | str = LOG_PADDING, slice_of: str | None = None
) -> str:
    """Third part of an extraction's name: words for what is done and a hash of how; empty for the default.

    >>> extraction_suffix(Preprocessing())
    ''
    """
    chosen = _chosen(preprocessing, log_padding) | ({} if slice_of is None else {"slice_of": slice_of})
    named = {"resample_mask": "mask", "log_padding": "logpad", "slice_of": "level"}
    steps = "resample_mask n4 subtract clip normalise resample round resegment log_padding slice_of"
    words = [named.get(key, key) for key in steps.split() if key in chosen]
    return "-".join([*words, _hash(chosen)]) if words else ""


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
