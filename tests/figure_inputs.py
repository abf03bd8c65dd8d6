"""A small made study from which the example of every kind of figure can be drawn; its numbers follow from one formula."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from contract_tables import save
from pydantic import TypeAdapter

from her2radiomics.manuscript.figures import (
    KINDS,
    Drawing,
    ExampleImage,
    FigureInputs,
    FigureSettings,
    StudyText,
    with_panels,
)

ADAPTER: TypeAdapter = TypeAdapter(FigureSettings)

STUDY: dict[str, Any] = {
    "title": "Response of HER2-positive breast cancer to neoadjuvant therapy",
    "simulated": True,
    "positive": "pCR",
    "negative": "non-pCR",
    "partitions": {"training": "Training", "testing": "Testing"},
    "partition_notes": {"training": "Centre 1", "testing": "Centre 2 (geographic)"},
    "models": {"clinical": "Clinical", "radiomics": "Radiomics", "nomogram": "Nomogram"},
    "sequences": {"T2FS": "fs-T2WI", "DWI": "DWI", "DCE2": "DCE phase 2"},
    "columns": {
        "ki67": "Ki-67",
        "shape": "Tumour shape",
        "radiomics": "Rad-score",
        "pfs_months": "Progression-free survival (months)",
        "os_months": "Overall survival (months)",
        "cea": "CEA (ng/ml)",
        "ca153": "CA15-3 (U/ml)",
        "cd8": "CD8+ T cells (%)",
        "cd4": "CD4+ T cells (%)",
        "tam": "Tumour-associated macrophages (%)",
        "grade": "Histological grade",
    },
    "units": {
        "pfs_months": "months",
        "os_months": "months",
        "cea": "ng/ml",
        "ca153": "U/ml",
        "cd8": "%",
        "cd4": "%",
        "tam": "%",
    },
    "levels": {
        "grade": {"I": "Grade I", "II": "Grade II", "III": "Grade III", "IV": "Grade IV"},
        "ki67": {"low": "< 20%", "high": "≥ 20%"},
        "shape": {"regular": "Regular", "irregular": "Irregular"},
    },
    "regions": {"tumour_slice": "Largest slice of the tumour"},
    "steps": {
        "icc": "ICC(2,1) > 0.75",
        "anova": "F test, p < 0.05",
        "lasso": "LASSO, 10-fold CV, λ min",
        "forced_retention": "Forced retention",
    },
    "acquisition": ["Philips Achieva 3.0 T (centre 1), Siemens Aera 1.5 T (centre 2)"],
    "delineation": ["Two readers, manually on each sequence"],
    "features_by_sequence": {"T2FS": 1125, "DWI": 1125, "DCE2": 1125},
    "features_by_class": {
        "first-order": 18,
        "GLCM": 24,
        "GLRLM": 16,
        "GLSZM": 16,
        "GLDM": 14,
        "NGTDM": 5,
        "shape (original)": 9,
    },
    "image_types": [
        "original",
        "wavelet (LL, LH, HL, HH)",
        "LoG 3 mm",
        "square",
        "square root",
        "logarithm",
        "exponential",
        "gradient",
        "LBP-2D",
    ],
    "evaluation": [
        "AUC with 95% CI; DeLong test",
        "Sensitivity, specificity and accuracy at the threshold of Youden's index in training",
        "Calibration; decision curves",
    ],
}
CORRECTED = {"calibration_intercept": -0.05, "calibration_slope": 0.83, "brier": 0.171}
BETA = {"radiomics": 1.1, "ki67": 0.9, "shape": 0.7}
INTERCEPT = -1.2
WEIGHTS = {
    "T2FS__tumour_slice__original_glszm_HighGrayLevelZoneEmphasis": 1.934,
    "DWI__tumour_slice__wavelet-LH_firstorder_90Percentile": -1.522,
    "DWI__tumour_slice__wavelet-HL_firstorder_90Percentile": 0.871,
    "DWI__tumour_slice__wavelet-HH_gldm_DependenceEntropy": -0.764,
    "DWI__tumour_slice__logarithm_glcm_Imc1": 0.655,
    "DWI__tumour_slice__wavelet-HH_glrlm_GrayLevelNonUniformityNormalized": -0.421,
    "DWI__tumour_slice__log-sigma-3-0-mm-3D_glcm_ClusterProminence": 0.317,
    "DCE2__tumour_slice__exponential_ngtdm_Busyness": 0.122,
}


def settings(kind: str, **options: Any) -> Any:
    """The documented example of a kind as ``figure_1_<kind>``, with other options where they are given."""
    items = yaml.safe_load(KINDS[kind].about.example)
    first = next(name for name, item in items.items() if item["kind"] == kind)
    panels = [ADAPTER.validate_python({"id": name, **item}) for name, item in items.items() if name != first]
    whole = ADAPTER.validate_python({"id": f"figure_1_{kind}", **items[first], **options})
    return with_panels([*panels, whole])[-1]


def said(drawing: Drawing) -> str:
    """All text of a figure."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in drawing.figure.findobj(Text)).replace("\u00a0", " ")


def expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def make_inputs(folder: Path, *, images: bool = False, **study: Any) -> FigureInputs:
    """Write the tables of a made study of 68 + 65 patients and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20260101)
    n = 133
    patients = pd.DataFrame(
        {
            "patient_id": [f"P{i:03d}" for i in range(1, n + 1)],
            "partition": ["training"] * 68 + ["testing"] * 65,
            "ki67": rng.choice(["low", "high"], n, p=[0.35, 0.65]),
            "shape": rng.choice(["regular", "irregular"], n, p=[0.4, 0.6]),
        }
    )
    rad = rng.normal(0.6, 1.3, n)
    code = {c: (patients[c] == level).to_numpy(float) for c, level in (("ki67", "high"), ("shape", "irregular"))}
    scores = {
        "radiomics": rad,
        "clinical": -0.6 + 0.9 * code["ki67"] + 0.7 * code["shape"],
        "nomogram": INTERCEPT + BETA["radiomics"] * rad + BETA["ki67"] * code["ki67"] + BETA["shape"] * code["shape"],
    }
    label = (scores["nomogram"] + rng.logistic(0, 0.8, n) > 0).astype(int)
    save("participants", _outlook(patients.assign(label=label)), folder / "participants.csv")
    paths: dict[str, dict[str, Path]] = {"predictions": {}}
    performance, labelled = [], patients[["patient_id", "partition"]].assign(label=label)
    for model, score in scores.items():
        paths["predictions"][model] = folder / f"predictions_{model}.csv"
        table = labelled.assign(score=score, probability=expit(score))
        save("predictions", table, paths["predictions"][model])
        performance += [_performance(model, part, rows) for part, rows in table.groupby("partition", sort=False)]
    save("performance", pd.DataFrame(performance), folder / "performance.csv")
    save("performance_extra", _extra(), folder / "performance_extra.csv")
    calibration = _calibration(labelled.assign(probability=expit(scores["nomogram"])))
    save("calibration", calibration, folder / "calibration.csv")
    save("nomogram", _nomogram(), folder / "nomogram.csv")
    terms = pd.DataFrame({"term": ["intercept", *WEIGHTS], "beta": [-0.2, *WEIGHTS.values()]})
    forced = terms["term"].iloc[-1]
    save("coefficients", terms, folder / "coefficients.csv")
    (folder / "selection.csv").write_text(
        "step,name,features_in,features_out,note\n"
        "1,icc,3375,2140,\n2,anova,2140,236,\n3,lasso,236,7,gaussian\n"
        f"4,forced_retention,7,8,restored DCE2: {forced}\n"
    )
    save("flow", _flow(label), folder / "flow.csv")
    missed = pd.DataFrame({"patient_id": ["P070", "P071"], "partition": "testing", "column": "ki67"})
    save("not_predicted", missed, folder / "not_predicted.csv")
    save("kept", _kept(), folder / "kept.csv")
    held = labelled[labelled["partition"] == "training"].drop(columns="partition")
    noisy = expit(0.6 * scores["nomogram"][: len(held)])
    table = held.assign(target="pipeline", fold=np.arange(len(held)) % 10 + 1, probability=noisy)
    save("held_out", table, folder / "held_out.csv")
    _features(rng, labelled).to_parquet(folder / "training.parquet")
    path, cv = _lasso(rng)
    save("lasso_path", path, folder / "lasso_path.csv")
    save("lasso_cv", cv, folder / "lasso_cv.csv")
    return FigureInputs(
        study=StudyText.model_validate({**json.loads(json.dumps(STUDY)), **study}),
        flow=folder / "flow.csv",
        participants=folder / "participants.csv",
        performance=folder / "performance.csv",
        performance_extra=folder / "performance_extra.csv",
        predictions=paths["predictions"],
        calibration={"nomogram": folder / "calibration.csv"},
        coefficients={"radiomics": folder / "coefficients.csv"},
        selection={"radiomics": folder / "selection.csv"},
        nomogram={"nomogram": folder / "nomogram.csv"},
        lasso_path={"radiomics": folder / "lasso_path.csv"},
        lasso_cv={"radiomics": folder / "lasso_cv.csv"},
        not_predicted={"nomogram": folder / "not_predicted.csv"},
        held_out={"nomogram": folder / "held_out.csv"},
        kept={"radiomics": folder / "kept.csv"},
        partition_features={"training": folder / "training.parquet"},
        images=_images(folder, rng) if images else (),
    )


def _outlook(patients: pd.DataFrame) -> pd.DataFrame:
    """Follow-up, markers and grade beside the label, with a few empty cells; nobody has grade IV."""
    rng = np.random.default_rng(20260102)
    n, label = len(patients), patients["label"].to_numpy()
    death = rng.exponential(90 * np.where(label == 1, 2.5, 1.0))
    end = rng.uniform(24, 84, n)
    progression = np.minimum(rng.exponential(50 * np.where(label == 1, 2.5, 1.0)), death)
    table = patients.assign(
        os_months=np.minimum(death, end).round(1),
        os=(death <= end).astype(int),
        pfs_months=np.minimum(progression, end).round(1),
        pfs=(progression <= end).astype(int),
        cea=np.exp(rng.normal(1.0 - 0.5 * label, 0.8, n)).round(2),
        ca153=np.exp(rng.normal(2.8 - 0.1 * label, 0.5, n)).round(1),
        cd8=rng.normal(18 + 6 * label, 6, n).clip(0).round(1),
        cd4=rng.normal(24 + 1 * label, 7, n).clip(0).round(1),
        tam=rng.normal(9 - 1.6 * label, 3, n).clip(0).round(1),
        grade=rng.choice(["I", "II", "III"], n, p=[0.15, 0.5, 0.35]),
    )
    text = table.astype(object).where(table.notna(), "")
    text.loc[[4, 90], ["pfs_months", "pfs"]] = ""
    text.loc[[7, 8, 99], "cea"] = ""
    return text


def _performance(model: str, partition: str, rows: pd.DataFrame) -> dict[str, Any]:
    label, probability = rows["label"].to_numpy(), rows["probability"].to_numpy()
    above = probability[label == 1][:, None] - probability[label == 0][None, :]
    auc = float((above > 0).mean() + 0.5 * (above == 0).mean())
    return {
        "model": model,
        "partition": partition,
        "n": len(rows),
        "events": int(label.sum()),
        "auc": auc,
        "auc_low": max(auc - 0.08, 0),
        "auc_high": min(auc + 0.06, 1),
        "ci_method": "delong",
        "threshold": 0.55,
        "sensitivity": float((probability[label == 1] >= 0.55).mean()),
        "specificity": float((probability[label == 0] < 0.55).mean()),
        "brier": float(((probability - label) ** 2).mean()),
        "calibration_intercept": -0.12,
        "calibration_slope": 0.91,
    }


def _kept() -> pd.DataFrame:
    """40 refits: the model's features are kept in 37, 33, … of them, a feature outside it in 21."""
    rows = [(name, 40, 37 - 4 * i, "yes") for i, name in enumerate(WEIGHTS)]
    rows.append(("DWI__tumour_slice__original_firstorder_Entropy", 40, 21, "no"))
    return pd.DataFrame(rows, columns=["variable", "refits", "kept", "in_model"])


def _features(rng: np.random.Generator, labelled: pd.DataFrame) -> pd.DataFrame:
    """The model's features of the training patients, higher or lower with the outcome as their weights say."""
    people = labelled[labelled["partition"] == "training"]
    table = pd.DataFrame({"patient_id": people["patient_id"], "reader": "1"})
    for name, weight in WEIGHTS.items():
        table[name] = np.sign(weight) * people["label"] + rng.normal(0, 1, len(people))
    return table


def _extra() -> pd.DataFrame:
    """What resampling gave of the nomogram, and intervals of its rates and calibration in the test set."""
    training = [
        ("refits_final", 93, "93 of 100 resamples, 93 by maximum likelihood"),
        *((f"{name}_corrected_final", value, "") for name, value in CORRECTED.items()),
    ]
    rows = [("nomogram", "training", *row, np.nan, np.nan) for row in training]
    rows += [
        ("nomogram", "testing", "calibration_intercept", -0.12, "Wald", -0.7, 0.46),
        ("nomogram", "testing", "calibration_slope", 0.91, "Wald", 0.44, 1.38),
        ("radiomics", "testing", "ppv", 0.71, "Clopper–Pearson", 0.55, 0.84),
        ("nomogram", "training", "auc_cross_validated_pooled", 0.78, "10-fold", 0.67, 0.89),
    ]
    columns = ["model", "partition", "measure", "value", "method", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _calibration(table: pd.DataFrame) -> pd.DataFrame:
    x = np.linspace(0.05, 0.95, 60)
    logit = np.log(x / (1 - x))
    curves = {
        ("training", "apparent"): expit(1.05 * logit + 0.05),
        ("training", "bias_corrected"): expit(0.85 * logit),
        ("testing", "observed"): expit(0.8 * logit - 0.1),
    }
    parts = []
    for (partition, curve), y in curves.items():
        part = pd.DataFrame({"partition": partition, "curve": curve, "predicted": x, "observed": y})
        if curve == "observed":
            part["low"], part["high"] = expit(0.8 * logit - 0.8), expit(0.8 * logit + 0.6)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _nomogram() -> pd.DataFrame:
    """Points by hand: the Rad-score from -4 to 5 spans 100 points, the others in proportion to their β."""
    unit = 100 / (9 * BETA["radiomics"])
    rows = [("points", str(p), p, p) for p in range(0, 101, 10)]
    rows += [("radiomics", f"{v:g}", v, (v + 4) * BETA["radiomics"] * unit) for v in range(-4, 6)]
    rows += [("ki67", "< 20%", "low", 0.0), ("ki67", "≥ 20%", "high", BETA["ki67"] * unit)]
    rows += [("shape", "Regular", "regular", 0.0), ("shape", "Irregular", "irregular", BETA["shape"] * unit)]
    rows += [("total_points", str(p), p, p) for p in range(0, 121, 10)]
    zero = INTERCEPT - 4 * BETA["radiomics"]
    rows += [
        ("probability", f"{p:g}", p, (np.log(p / (1 - p)) - zero) * unit)
        for p in (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
    ]
    return pd.DataFrame(rows, columns=["axis", "label", "value", "position"])


def _flow(label: np.ndarray) -> pd.DataFrame:
    rows = [
        ("registered", "", "", 0, 154, None),
        ("excluded", "Clinical stage IV", "", 6, 148, None),
        ("excluded", "Fewer than 4 cycles of neoadjuvant therapy", "", 8, 140, None),
        ("excluded", "Lesion too small or poorly defined to delineate", "", 5, 135, None),
        ("failed", "Mask and image on different grids (DWI)", "", 2, 133, None),
        ("partition", "", "training", 0, 68, int(label[:68].sum())),
        ("partition", "", "testing", 0, 65, int(label[68:].sum())),
    ]
    table = pd.DataFrame(rows, columns=["step", "reason", "partition", "excluded", "remaining", "events"])
    return table.astype({"excluded": "Int64", "remaining": "Int64", "events": "Int64"})


def _lasso(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    penalties = np.geomspace(0.3, 0.003, 60)
    names = [*WEIGHTS, *(f"DCE2__tumour_slice__original_glcm_Made{i}" for i in range(12))]
    size = [*WEIGHTS.values(), *rng.normal(0, 0.3, 12)]
    enters = [abs(w) / 8 for w in size]
    rows = [
        (penalty, name, np.sign(w) * max(0.0, e - penalty) * 0.8)
        for name, w, e in zip(names, size, enters, strict=True)
        for penalty in penalties
    ]
    path = pd.DataFrame(rows, columns=["lambda", "term", "coefficient"])
    error = 0.15 + 0.02 * (np.log(penalties) - np.log(0.03)) ** 2 / 4 + rng.normal(0, 5e-4, 60)
    best = int(error.argmin())
    within = np.flatnonzero(error <= error[best] + 0.012)[0]
    count = path.groupby("lambda")["coefficient"].apply(lambda c: int((c != 0).sum()))
    cv = pd.DataFrame({"lambda": penalties, "mean_error": error, "se": 0.012})
    cv["n_features"] = [count[p] for p in penalties]
    cv["min"], cv["one_se"] = np.arange(60) == best, np.arange(60) == within
    return path, cv


def _images(folder: Path, rng: np.random.Generator) -> tuple[ExampleImage, ...]:
    """Spheres of 24 mm in noise: a bright tumour on three sequences of different resolution."""
    import SimpleITK as sitk

    found = []
    for centre in ("Centre 1", "Centre 2"):
        for sequence, spacing in (("T2FS", (0.75, 0.75, 4.0)), ("DWI", (1.6, 1.6, 4.0)), ("DCE2", (0.9, 0.9, 1.5))):
            size = [round(96 / s) for s in spacing[:2]] + [round(48 / spacing[2])]
            z, y, x = np.meshgrid(
                *(np.arange(n) * s for n, s in zip(size[::-1], spacing[::-1], strict=True)), indexing="ij"
            )
            distance = np.sqrt((x - 50) ** 2 + ((y - 44) * 1.2) ** 2 + (z - 24) ** 2)
            pixels = rng.normal(300, 40, distance.shape) + 500 * (distance < 12)
            image, mask = (
                sitk.GetImageFromArray(pixels.astype("int16")),
                sitk.GetImageFromArray((distance < 12).astype("uint8")),
            )
            image.SetSpacing(spacing)
            mask.SetSpacing(spacing)
            stem = f"{centre.replace(' ', '_')}_{sequence}"
            sitk.WriteImage(image, str(folder / f"{stem}.nii.gz"))
            sitk.WriteImage(mask, str(folder / f"{stem}_mask.nii.gz"))
            found.append(
                ExampleImage(
                    row=centre,
                    patient_id=f"P{1 if centre[-1] == '1' else 69:03d}",
                    sequence=sequence,
                    image=folder / f"{stem}.nii.gz",
                    masks={"1": folder / f"{stem}_mask.nii.gz"},
                )
            )
    return tuple(found)
