"""A small model by hand, and images of new patients for it: a brighter ball is a more probable outcome."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from her2radiomics.prediction.measuring import Measuring

MEAN = "T2__tumour_volume__original_firstorder_Mean"
PARAMETERS = """\
imageType: {Original: {}}
featureClass: {firstorder: [Mean, Energy]}
setting: {binWidth: 10}
"""


def image_model(folder: Path) -> Path:
    """Log-odds −4 + 2 × (mean − 80) / 10 + 0.5 × (grade 2 or 3): a feature that is scaled, and a level."""
    sequence = {"label": "T2", "regions": ["tumour_volume"], "slice_of": None, "parameters": "first", "features": 2}
    measuring = Measuring(
        sequences={"T2": sequence | {"preprocessing": {}, "log_padding": 18}},
        parameter_files={"first": PARAMETERS},
        reader="1",
    )
    feature = {"type": "feature", "name": MEAN, "coefficient": 2.0, "fill": 95.0, "low": 0.0, "high": 4.0}
    level = {"type": "levels", "name": "grade", "weights": {"I": 0.0, "II": 0.5}, "fill": None}
    rule = {"name": "bright", "type": "linear", "intercept": -4.0}
    column = {"label": "Grade", "kind": "categorical", "levels": {"I": "Grade I", "II": "Grade II or III"}}
    about = {
        "study": "Bright balls", "question": "Are they?", "label": "Brightness", "positive": "HER2-positive",
        "negative": "HER2-negative", "outcome": "By pathology.", "prediction_at": "before treatment",
        "inclusion": ["A ball"], "cohort": "Balls", "centres": {"1": "Centre A"}, "models": {},
    }  # fmt: skip
    reference = {
        "terms": [{"predictor": MEAN, "codes": {}}, {"predictor": "grade", "codes": {"I": 0.0, "II": 1.0}}],
        "mean": [2.0, 0.5],
        "covariance": [[1.0, 0.0], [0.0, 0.25]],
        "distances": np.linspace(0, 4, 101).tolist(),
        "contributions": [["", MEAN, 4.0], ["", "grade", 0.25]],
        "uncertainty": [[0.04, 0.0, 0.0], [0.0, 0.01, 0.0], [0.0, 0.0, 0.09]],
        "reason": "by hand",
    }
    content = {
        "format": "her2radiomics model", "version": 2, "name": "bright", "kind": "multivariate",
        "rule": rule | {"predictors": [feature | {"scalings": [[80.0, 10.0]]}, level]},
        "columns": {"grade": column},
        "threshold": {"probability": 0.5, "rule": "by hand", "sensitivity": 0.9, "specificity": 0.8},
        "linear_range": [-4.0, 4.5], "training": {"n": 20, "events": 10, "centres": ["1"]},
        "about": about, "reference": reference, "extraction": measuring.hashes(),
        "measuring": measuring.model_dump(mode="json"), "simulated": False, "empty": False, "notes": [],
        "settings": {}, "versions": {"her2radiomics": "0.1.0"},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "model.json"


def ball(folder: Path, brightness: float, *, mask: bool = True) -> np.ndarray:
    """``T2.nii.gz`` with a ball of some brightness, and its outline; the voxels inside."""
    folder.mkdir(parents=True, exist_ok=True)
    z, y, x = np.ogrid[:16, :24, :24]
    inside = (z - 8) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 <= 25
    random = np.random.default_rng(int(brightness))
    values = np.where(inside, brightness + random.normal(0, 15, inside.shape), 40.0).round().astype(np.int16)
    for name, array in (("T2", values), ("T2_mask", inside.astype(np.uint8)))[: 1 + mask]:
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((1.0, 1.0, 2.0))
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return values[inside]
