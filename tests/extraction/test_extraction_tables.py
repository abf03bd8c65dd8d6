"""Writing a case and merging cases."""

from __future__ import annotations

import csv
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.contracts import contract
from her2radiomics.core.errors import CaseError, TableError
from her2radiomics.extraction import QC_COLUMNS, CaseResult, QualityRow, write_rows
from her2radiomics.extraction.loading import LoadedCase
from her2radiomics.extraction.tables import CohortFeatures, merge_qc


def case(patient: str, sequence: str, readers: dict[str, list[float] | None], names=("a", "b")) -> CaseResult:
    """A case whose readers have these feature values, or failed (``None``)."""
    columns = ["patient_id", "reader", *(f"{sequence}__tumour_slice__{name}" for name in names)]
    result = CaseResult([], [], columns, LoadedCase([]))
    for reader, values in readers.items():
        row = QualityRow(patient, sequence, reader, "tumour_slice", voxels=17)
        if values:
            result.features.append(dict(zip(columns, [patient, reader, *values], strict=True)))
        else:
            row.problem = CaseError(found="a", expected="b", remedy="c", patient=patient, sequence=sequence)
        result.qc.append(row)
    return result


def written(folder: Path, *cases: CaseResult) -> tuple[list[Path], list[Path]]:
    paths = []
    for number, result in enumerate(cases):
        paths.append((folder / f"{number}.csv", folder / f"{number}.qc.csv"))
        write_rows(result.columns, result.features, paths[-1][0])
        write_rows(QC_COLUMNS, result.qc, paths[-1][1])
    return [pair[0] for pair in paths], [pair[1] for pair in paths]


def features_of(paths, sequences) -> pd.DataFrame:
    return pd.concat(CohortFeatures(paths, sequences).blocks(), ignore_index=True)


def test_rows_have_the_columns_of_their_contracts():
    kinds = {item.name: item.type for item in fields(QualityRow)}
    for column in contract("qc").columns[:-2]:
        assert kinds.pop(column.name).split(" ")[0] == {"text": "str", "whole": "int", "number": "float"}[column.kind]
    assert list(kinds) == ["warnings", "problem"] and QC_COLUMNS[-2:] == ("status", "reason")
    assert list(QualityRow()) == list(contract("qc").names)
    assert tuple(ManifestRow.model_fields) == contract("manifest").names


def test_every_digit_survives(tmp_path):
    values = [0.1 + 0.2, -1.7976931348623157e308]
    features, quality = written(tmp_path, case("P1", "DWI", {"1": values}))
    assert features_of(features, ["DWI"]).iloc[0, 2:].tolist() == values
    assert merge_qc(quality, ["DWI"])["voxels"].tolist() == [17]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "0.qc.csv"]


def test_values_that_are_not_numbers_are_empty_cells(tmp_path):
    features, _ = written(tmp_path, case("P1", "DWI", {"1": [float("nan"), float("inf")]}))
    assert list(csv.reader(features[0].open()))[1] == ["P1", "1", "", ""]
    assert features_of(features, ["DWI"]).iloc[0, 2:].isna().all()


def test_order_of_rows_and_columns(tmp_path):
    features, quality = written(
        tmp_path,
        case("P2", "DWI", {"1": [5.0, 6.0]}),
        case("P1", "T2FS", {"1": [1.0, 2.0], "2": [3.0, 4.0]}),
        case("P2", "T2FS", {"1": [7.0, 8.0]}),
        case("P1", "DWI", {"1": [9.0, 10.0], "2": [11.0, 12.0]}),
    )
    for order in (slice(None), slice(None, None, -1)):
        merged = features_of(features[order], ["T2FS", "DWI"])
        assert merged.columns.tolist() == [
            "patient_id",
            "reader",
            "T2FS__tumour_slice__a",
            "T2FS__tumour_slice__b",
            "DWI__tumour_slice__a",
            "DWI__tumour_slice__b",
        ]
        assert merged.to_numpy().tolist() == [
            ["P1", "1", 1.0, 2.0, 9.0, 10.0],
            ["P1", "2", 3.0, 4.0, 11.0, 12.0],
            ["P2", "1", 7.0, 8.0, 5.0, 6.0],
        ]
        quality_of = merge_qc(quality[order], ["T2FS", "DWI"])
        found = quality_of[["patient_id", "sequence", "reader"]].agg(" ".join, axis=1).tolist()
        assert found == ["P1 T2FS 1", "P1 T2FS 2", "P1 DWI 1", "P1 DWI 2", "P2 T2FS 1", "P2 DWI 1"]


def test_a_patient_without_every_sequence_is_left_out_and_named(tmp_path):
    features, quality = written(
        tmp_path,
        case("P1", "DWI", {"1": [1.0, 2.0], "2": [1.0, 2.0]}),
        case("P1", "T2FS", {"1": [1.0, 2.0]}),
        case("P2", "DWI", {"1": None}),
        case("P2", "T2FS", {"1": [1.0, 2.0]}),
    )
    cohort = CohortFeatures(features, ["DWI", "T2FS"])
    assert cohort.keys == [("P1", "1")]
    assert (cohort.lacking(("P1", "2")), cohort.lacking(("P2", "1"))) == (["T2FS"], ["DWI"])
    failed = merge_qc(quality, ["DWI", "T2FS"]).query("status == 'failed'")
    assert failed["reason"].tolist() == ["patient P2, sequence DWI: found a; expected b. c"]


def test_a_cohort_in_which_every_case_failed(tmp_path):
    features, _ = written(tmp_path, case("P1", "DWI", {"1": None}))
    assert features_of(features, ["DWI"]).shape == (0, 4)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (case("P2", "DWI", {"1": [1.0, 2.0]}, names=("a", "c")), "other features"),
        (case("P1", "DWI", {"1": [1.0, 2.0]}), "a second time"),
        (case("P1", "ADC", {"1": [1.0, 2.0]}), "the sequence 'ADC'"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path, second, words):
    features, _ = written(tmp_path, case("P1", "DWI", {"1": [1.0, 2.0]}), second)
    with pytest.raises(TableError, match=words):
        CohortFeatures(features, ["DWI"])


@pytest.mark.parametrize(
    "content", ["", "x,y\n", "patient_id,reader,DWI__r__a\nP1,1\n", "patient_id,reader,DWI__r__a\nP1,1,0.1x\n"]
)
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "features.csv").write_text(content)
    with pytest.raises(TableError, match=r"features\.csv"):
        features_of([tmp_path / "features.csv"], ["DWI"])


def test_files_of_many_patients_are_merged_with_those_of_one(tmp_path):
    features, _ = written(
        tmp_path,
        *(case(f"P{n}", "DWI", {"1": [float(n), 0.5]}) for n in (3, 1)),
        *(case(f"P{n}", "T2FS", {"1": [10.0 + n, 0.25]}) for n in (1, 3)),
    )
    lines = [path.read_text() for path in features[:2]]
    joined = tmp_path / "both.csv"
    joined.write_text(lines[0] + lines[1].split("\n", 1)[1])
    merged = features_of([joined, *features[2:]], ["T2FS", "DWI"])
    assert merged["patient_id"].tolist() == ["P1", "P3"]
    assert merged.iloc[:, 2:].to_numpy().tolist() == [[11.0, 0.25, 1.0, 0.5], [13.0, 0.25, 3.0, 0.5]]
