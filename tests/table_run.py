"""A small made-up run for the tests of tables and report: every file of the contract, numbers that agree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from contract_tables import save
from pydantic import TypeAdapter

from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import MODEL_FILES, contract
from her2radiomics.manuscript.tables import Outcome, TableInputs, TableSettings
from her2radiomics.manuscript.tables.model import Heading, RowLabel, Table
from her2radiomics.modelling import save_model
from her2radiomics.modelling.saved.model_file import FORMAT, VERSION
from her2radiomics.modelling.saved.rule_json import rule_to_dict
from her2radiomics.modelling.saved.rules import LinearRule, NumericPredictor

PARTITIONS = {"training": "Training set (centre 1)", "testing": "Test set (centre 2)"}
MODELS = {"clinical": "Clinical", "radiomics": "Radiomics", "nomogram": "Nomogram"}
COLUMNS = {
    name: Column.model_validate(content)
    for name, content in {
        "age": {"label": "Age", "unit": "years", "kind": "continuous"},
        "adc": {"label": "ADC", "unit": "10⁻³ mm²/s", "kind": "continuous"},
        "ki67": {
            "label": "Ki-67 index",
            "kind": "categorical",
            "cut": 20,
            "levels": {"low": "< 20 %", "high": "≥ 20 %"},
        },
        "tic": {"label": "TIC type", "kind": "categorical", "levels": {"1": "Inflow", "2": "Plateau", "3": "Outflow"}},
        "stage": {"label": "Clinical stage", "kind": "ordinal", "levels": {"I": "I", "II": "II", "III": "III"}},
        "stage_reader_2": {
            "label": "Clinical stage, reader 2",
            "kind": "ordinal",
            "levels": {"I": "I", "II": "II", "III": "III"},
        },
        "os_months": {"label": "Overall survival", "unit": "months", "kind": "continuous", "available_at": "follow_up"},
        "os_event": {
            "label": "Death",
            "kind": "categorical",
            "levels": {"0": "Alive", "1": "Dead"},
            "available_at": "follow_up",
        },
    }.items()
}
FEATURES = (
    "DWI__tumour_slice__wavelet-LH_firstorder_90Percentile",
    "DWI__tumour_slice__logarithm_glcm_Imc1",
    "T2FS__tumour_slice__original_glszm_HighGrayLevelZoneEmphasis",
)


@dataclass(frozen=True)
class MadeRun:
    """The folder of a made run and the inputs of its tables."""

    folder: Path
    inputs: TableInputs


def make_run(folder: Path, sizes: tuple[int, int] = (34, 30), *, simulated: bool = True, seed: int = 1) -> MadeRun:
    """Write a run whose numbers belong together: rates are fractions of its patients."""
    rng = np.random.default_rng(seed)
    for name in ("cohort", "features", "models", "tables", "figures", "provenance"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    patients = {name: _patients(rng, name, size) for name, size in zip(PARTITIONS, sizes, strict=True)}
    for name, table in patients.items():
        save("partition_participants", table, folder / "cohort" / f"participants_{name}.csv")
    everyone = pd.concat(patients.values())
    save("participants", everyone, folder / "cohort" / "participants.csv")
    scores = _scores(rng, everyone)
    save("measured", None, folder / "cohort" / "measured.csv")
    _flow(folder, everyone)
    _qc(rng, folder, everyone)
    _models(folder, everyone, scores)
    _results(folder, everyone, scores, simulated)
    inputs = TableInputs(
        columns=COLUMNS,
        partitions=PARTITIONS,
        models=MODELS,
        simulated=simulated,
        outcome=Outcome("Pathological complete response", "pCR", "non-pCR"),
        participants={name: folder / "cohort" / f"participants_{name}.csv" for name in PARTITIONS},
        performance=folder / "tables" / "performance.csv",
        performance_extra=folder / "tables" / "performance_extra.csv",
        delong=folder / "tables" / "delong.csv",
        published=folder / "tables" / "published.csv",
        univariate={"clinical": folder / "models" / "clinical" / "univariate.csv"},
        multivariate={"clinical": folder / "models" / "clinical" / "multivariate.csv"},
        coefficients={name: folder / "models" / name / "coefficients.csv" for name in MODELS},
    )
    return MadeRun(folder, inputs)


def hostile_table() -> Table:
    """A table whose every text would do harm where it is taken for more than text."""
    text = '=HYPERLINK("http://x")<script>alert(1)</script> & 5 % _a_'
    data = pd.DataFrame({"characteristic": [text, "+a1"], "a": ["@SUM(A1)", "-0.5 (-1.2 to 0.3)"]})
    labels = (RowLabel(text), RowLabel("b", 1))
    return Table(text, data, "Characteristic", labels, (Heading("a", "A <b>", "Group & co"),), (text,), True)


def _patients(rng: np.random.Generator, partition: str, size: int) -> pd.DataFrame:
    centre = 1 if partition == "training" else 2
    table = pd.DataFrame(
        {
            "patient_id": [f"C{centre}-{i:03d}" for i in range(1, size + 1)],
            "centre": f"centre_{centre}",
            "partition": partition,
            "label": (np.arange(size) % 5 > 1).astype(int),
            "age": rng.normal(51, 9, size).round(0),
            "adc": rng.lognormal(-0.1, 0.15, size).round(3),
            "ki67": rng.choice(["low", "high"], size),
            "tic": rng.choice(["1", "2", "3"], size),
            "stage": rng.choice(["I", "II", "III"], size),
            "os_months": 6 + 7 * np.arange(size) % 54,
            "os_event": (np.arange(size) % 3 == 0).astype(int),
        }
    )
    other = table["stage"].map({"I": "II", "II": "III", "III": "I"})
    table["stage_reader_2"] = table["stage"].where(np.arange(size) % 7 > 0, other)
    table.loc[1, "adc"] = np.nan
    table.loc[2, "tic"] = None
    return table


def _scores(rng: np.random.Generator, patients: pd.DataFrame) -> dict[str, np.ndarray]:
    signal = patients["label"].to_numpy() - 0.6
    noise = {name: rng.normal(0, 1, len(patients)) for name in ("clinical", "radiomics")}
    clinical, radiomics = 0.8 * signal + noise["clinical"], 1.8 * signal + noise["radiomics"]
    return {"clinical": clinical, "radiomics": radiomics, "nomogram": 0.7 * clinical + 1.1 * radiomics}


def _flow(folder: Path, patients: pd.DataFrame) -> None:
    n = len(patients)
    rows: list[dict] = [
        {"step": "registered", "remaining": n + 6},
        {"step": "excluded", "reason": "Clinical stage IV", "excluded": 4, "remaining": n + 2},
        {"step": "failed", "reason": "mask is empty", "excluded": 2, "remaining": n},
    ]
    for name, members in patients.groupby("partition", sort=False):
        rows.append(
            {"step": "partition", "partition": name, "remaining": len(members), "events": int(members["label"].sum())}
        )
    columns = ["step", "reason", "partition", "excluded", "remaining", "events"]
    frame = pd.DataFrame(rows, columns=columns).fillna({"excluded": 0})
    save("flow", frame.astype({"excluded": int, "events": "Int64"}), folder / "cohort" / "flow.csv")


def _qc(rng: np.random.Generator, folder: Path, patients: pd.DataFrame) -> None:
    rows: list[dict] = []
    for patient in [*patients["patient_id"], "C1-901", "C2-902"]:
        for sequence in ("T2FS", "DWI", "DCE2"):
            voxels = int(rng.integers(80, 2400))
            failed = patient in ("C1-901", "C2-902") and sequence == "DWI"
            warned = not failed and voxels < 130
            rows.append(
                {
                    "patient_id": patient,
                    "sequence": sequence,
                    "reader": 1,
                    "region": "tumour_slice",
                    "image": f"images/{patient}/{sequence}.nii.gz",
                    "mask": f"masks/{patient}/{sequence}_1.nii.gz",
                    "size": "256×256×40",
                    "spacing_mm": "0.9×0.9×4",
                    "voxels": "" if failed else voxels,
                    "volume_ml": "" if failed else round(voxels * 0.00324, 3),
                    "slices": "" if failed else 1,
                    "slice_index": "" if failed else int(rng.integers(10, 30)),
                    "grey_levels": "" if failed else int(rng.integers(14, 60)),
                    "minimum": 0,
                    "maximum": int(rng.integers(600, 1800)),
                    "dice": "",
                    "status": "failed" if failed else "warned" if warned else "extracted",
                    "reason": "found an empty mask; expected one region. Outline it, or exclude the patient."
                    if failed
                    else "fewer than 130 voxels"
                    if warned
                    else "",
                }
            )
    save("qc", pd.DataFrame(rows), folder / "cohort" / "qc.csv")


def save_linear(path: Path, name: str, weights: dict[str, float]) -> None:
    """Write a linear model of numbers, as training would."""
    predictors = tuple(NumericPredictor(column, weight, 0.0, 1.0) for column, weight in weights.items())
    content = {"format": FORMAT, "version": VERSION, "kind": "clinical", "columns": {}, "notes": []}
    save_model(content | {"rule": rule_to_dict(LinearRule(name, 0.3, predictors))}, path)


def _models(folder: Path, patients: pd.DataFrame, scores: dict[str, np.ndarray]) -> None:
    columns = ["term", "beta", "se", "wald", "odds_ratio", "ci_low", "ci_high", "p"]
    for name, score in scores.items():
        here = folder / "models" / name
        here.mkdir(exist_ok=True)
        predictions = patients[["patient_id", "partition", "label"]].assign(
            score=score, probability=1 / (1 + np.exp(-score))
        )
        save("predictions", predictions, here / "predictions.csv")
        save_linear(here / "model.json", name, {"score": 1.0})
    univariate = [
        ("age", -0.012, 0.03, 0.16, 0.988, 0.932, 1.048, 0.689),
        ("ki67[high]", 1.253, 0.5, 6.28, 3.5, 1.314, 9.33, 0.0122),
        ("tic[2]", 0.2, 0.4, 0.25, 1.22, 0.56, 2.67, 0.617),
        ("tic[3]", 0.9, 0.42, 4.59, 2.46, 1.08, 5.6, 0.0321),
        ("stage", -0.1, 0.2, 0.25, 0.905, 0.61, 1.34, 0.617),
    ]
    frame = pd.DataFrame(univariate, columns=columns)
    frame["p_variable"] = [0.689, 0.0122, 0.0418, 0.0418, 0.617]
    frame["method"] = "ml"
    save("univariate", frame, folder / "models/clinical/univariate.csv")
    multivariate = [("ki67[high]", 1.1, 0.51, 4.65, 3.004, 1.105, 8.16, 0.0310)]
    save("multivariate", pd.DataFrame(multivariate, columns=columns), folder / "models/clinical/multivariate.csv")
    final = [("(Intercept)", -0.4, 0.3, 1.78, 0.67, 0.37, 1.21, 0.18), *multivariate]
    save("coefficients", pd.DataFrame(final, columns=columns), folder / "models/clinical/coefficients.csv")
    combined = [
        ("(Intercept)", -0.9, 0.35, 6.6, 0.41, 0.2, 0.81, 0.01),
        ("radiomics", 1.1, 0.3, 13.4, 3.0, 1.67, 5.41, 0.00025),
        ("ki67[high]", 0.8, 0.5, 2.56, 2.23, 0.84, 5.93, 0.11),
    ]
    save("coefficients", pd.DataFrame(combined, columns=columns), folder / "models/nomogram/coefficients.csv")
    features = pd.DataFrame({"term": ["(Intercept)", *FEATURES], "beta": [0.31, 1.42, -0.57, 0.88]})
    save("coefficients", features, folder / "models/radiomics/coefficients.csv")
    selection = pd.DataFrame(
        [
            (1, "min_max", 3375, 3375, ""),
            (2, "icc_filter", 3375, 2711, "24 training patients read twice"),
            (3, "univariate", 2711, 188, ""),
            (4, "lasso", 188, 2, "lambda.min = 0.0431"),
            (5, "forced_retention", 2, 3, f"restored T2FS: {FEATURES[2]}"),
        ],
        columns=["step", "name", "features_in", "features_out", "note"],
    )
    save("selection", selection, folder / "models/radiomics/selection.csv")
    for name in MODELS:
        for file in (file for file in MODEL_FILES if contract(file).columns):
            path = folder / "models" / name / f"{file}.csv"
            if not path.exists():
                save(file, None, path)


def _results(folder: Path, patients: pd.DataFrame, scores: dict[str, np.ndarray], simulated: bool) -> None:
    from her2radiomics.manuscript.names import Names
    from her2radiomics.manuscript.published import PublishedNumber, Results, published_table

    performance, extra, delong, aucs = [], [], [], {}
    for name, score in scores.items():
        for partition, rows in patients.groupby("partition", sort=False):
            label = rows["label"].to_numpy()
            mine = score[(patients["partition"] == partition).to_numpy()]
            record = _performance(name, str(partition), label, mine)
            aucs[name, partition] = record["auc"]
            performance.append(record)
            for measure in ("sensitivity", "specificity", "accuracy"):
                value = record[measure]
                row = (name, partition, measure, value, max(0, value - 0.12), min(1, value + 0.1), "binomial_exact")
                extra.append(row)
    for partition in PARTITIONS:
        for a, b in combinations(MODELS, 2):
            difference = aucs[a, partition] - aucs[b, partition]
            n = int((patients["partition"] == partition).sum())
            pair = (partition, a, b, n, aucs[a, partition], aucs[b, partition], difference)
            delong.append((*pair, difference / 0.07, 0.0312, 0.0936))
    performance = pd.DataFrame(performance)
    extra = pd.DataFrame(extra, columns=["model", "partition", "measure", "value", "low", "high", "method"])
    delong = pd.DataFrame(
        delong, columns=["partition", "model_a", "model_b", "n", "auc_a", "auc_b", "difference", "z", "p", "p_holm"]
    )
    numbers = [
        {"quantity": "n", "partition": "training", "value": 68, "source": "Results"},
        {
            "quantity": "features_selected",
            "model": "radiomics",
            "partition": "training",
            "value": 7,
            "source": "Results",
        },
        {
            "quantity": "auc",
            "model": "nomogram",
            "partition": "testing",
            "value": "0.878",
            "low": "0.773",
            "high": "0.946",
            "source": "Table 3",
        },
        {
            "quantity": "sensitivity",
            "model": "nomogram",
            "partition": "testing",
            "value": "88.64 %",
            "source": "Abstract",
        },
    ]
    for name, table in (("performance", performance), ("performance_extra", extra), ("delong", delong)):
        save(name, table, folder / "tables" / f"{name}.csv")
    printed = [PublishedNumber.model_validate(number) for number in numbers]
    beside = published_table(printed, Results(folder, Names(COLUMNS, MODELS)), simulated=simulated)
    save("published", beside, folder / "tables" / "published.csv")


def _performance(model: str, partition: str, label: np.ndarray, score: np.ndarray) -> dict:
    """Rates at score 0; AUC as the share of concordant pairs."""
    positive, called = label == 1, score >= 0
    auc = float(np.mean(score[positive][:, None] > score[~positive][None, :]))
    true_positive, true_negative = int((called & positive).sum()), int((~called & ~positive).sum())
    return {
        "model": model,
        "partition": partition,
        "n": label.size,
        "events": int(positive.sum()),
        "auc": auc,
        "auc_low": max(0.0, auc - 0.11),
        "auc_high": min(1.0, auc + 0.08),
        "ci_method": "binomial_exact",
        "threshold": 0.5,
        "sensitivity": true_positive / positive.sum(),
        "specificity": true_negative / (~positive).sum(),
        "ppv": true_positive / called.sum(),
        "npv": true_negative / (~called).sum(),
        "accuracy": (true_positive + true_negative) / label.size,
        "brier": 0.18,
        "calibration_intercept": -0.12,
        "calibration_slope": 0.93,
    }


BASELINE = {"id": "table_1_baseline", "kind": "baseline", "title": "Baseline", "columns": ["age", "ki67", "tic"]}


def settings(**content):
    return TypeAdapter(TableSettings).validate_python(content)


def baseline_inputs(tmp_path: Path, **columns: list) -> TableInputs:
    """Two partitions of four patients; the first column after the label is what is given."""
    paths = {}
    for name, part in (("training", slice(0, 4)), ("testing", slice(4, 8))):
        table = pd.DataFrame({key: values[part] for key, values in columns.items()})
        table.insert(0, "patient_id", [f"{name}-{i}" for i in range(4)])
        table.insert(1, "partition", name)
        table.insert(2, "label", [0, 1, 1, 0])
        paths[name] = tmp_path / f"participants_{name}.csv"
        save("partition_participants", table, paths[name])
    return TableInputs(
        columns=COLUMNS,
        partitions={"training": "Training", "testing": "Test"},
        models={},
        simulated=False,
        outcome=Outcome(label="Response", positive="pCR", negative="non-pCR"),
        participants=paths,
    )
