"""Measured columns in the participants table, in the manifest, and in what a column may say."""

from __future__ import annotations

import pandas as pd
import pytest

from her2radiomics.cohort.measured import with_measured
from her2radiomics.cohort.tables import check_manifest, type_columns
from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, TableError
from her2radiomics.core.settings import validate

TIC = {
    "label": "TIC", "kind": "categorical", "levels": {"inflow": "I", "plateau": "P", "outflow": "O"},
    "measured": {"measure": "tic_type", "sequence": "DCE2"},
}  # fmt: skip
ADC = {
    "label": "ADC", "unit": "10⁻³ mm²/s", "kind": "continuous", "measured": {"measure": "adc_mean", "sequence": "DWI"},
}  # fmt: skip
COLUMNS = {name: validate(Column, content, name) for name, content in {"adc": ADC, "tic": TIC}.items()}


def batch(patient: str, **values: str) -> pd.DataFrame:
    rows = [{"patient_id": patient, "column": c, "value": v, "reason": "" if v else "why"} for c, v in values.items()]
    return pd.DataFrame(rows)


def test_images_first_then_the_tables_own_value_then_missing():
    people = pd.DataFrame(
        {
            "patient_id": ["P1", "P2", "P3", "P4"],
            "adc": ["0.7", "0.8", "NA", "0.9"],
            "exclude_reason": ["", "", "", "x"],
        }
    )
    batches = [
        pd.concat([batch("P1", tic="outflow", adc="1.25"), batch("P2", tic="inflow", adc="")]),
        batch("P3", tic="", adc=""),
    ]
    made, table = with_measured(people, batches, COLUMNS)
    assert list(made["adc"]) == ["1.25", "0.8", "", "0.9"]  # P4 was excluded: nothing was measured
    assert list(made["tic"]) == ["outflow", "inflow", "", ""]
    assert list(people["adc"]) == ["0.7", "0.8", "NA", "0.9"]
    assert list(table["column"]) == ["adc"] * 3 + ["tic"] * 3
    assert list(table["origin"]) == ["images", "participants table", "missing", "images", "images", "missing"]
    typed = type_columns(made, COLUMNS, "p.tsv")
    assert typed["adc"].tolist()[:2] == [1.25, 0.8] and typed["adc"].isna().tolist() == [False, False, True, False]


def test_without_measurements_the_table_stays():
    people = pd.DataFrame({"patient_id": ["P1"], "adc": ["0.7"]})
    made, table = with_measured(people, [], COLUMNS)
    assert made is people and table.empty and "origin" in table


def test_a_measured_column_may_be_absent_until_it_is_measured():
    typed = type_columns(pd.DataFrame({"patient_id": ["P1"]}), COLUMNS, "p.tsv")
    assert typed["adc"].isna().all() and typed["tic"].isna().all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"levels": {"a": "A", "b": "B"}}, "tic_type needs three levels"),
        ({"measured": {"measure": "volume", "sequence": "DCE2"}}, "volume is a number"),
        ({"derived": [{"level": "plateau", "of": [{"x": "y"}]}]}, "derived and measured"),
        (ADC | {"levels": {}, "unit": "mm²/s"}, "adc_mean is in '10⁻³ mm²/s', the column in 'mm²/s'"),
    ],
)
def test_columns_that_do_not_fit_their_measure(changes, said):
    with pytest.raises(SettingsError, match=said):
        validate(Column, TIC | changes, "tic")


def test_a_measured_number_may_be_cut():
    cut = ADC | {"kind": "categorical", "cut": 1.0, "levels": {"low": "< 1", "high": "≥ 1"}}
    made, _ = with_measured(pd.DataFrame({"patient_id": ["P1", "P2"]}), [batch("P1", adc="1.2")], COLUMNS)
    typed = type_columns(made, {"adc": validate(Column, cut, "adc")}, "p.tsv")
    assert typed["adc"].tolist()[0] == "high" and typed["adc"].isna().tolist() == [False, True]


def manifest(**cells: list[str]) -> pd.DataFrame:
    size = len(next(iter(cells.values())))
    own = {"patient_id": ["P1"] * size, "sequence": ["DCE0"] * size, "image": ["a.nii"] * size}
    return pd.DataFrame(own | {"reader": [str(n) for n in range(1, size + 1)]} | cells)


def test_times_and_b_values_of_a_manifest():
    table = check_manifest(manifest(seconds=["-30"]), "images.tsv")
    assert table["seconds"].tolist() == ["-30"] and table["b_value"].tolist() == [""]
    for cells, said in (
        ({"seconds": ["1 min"]}, "found '1 min'; expected a number"),
        ({"b_value": ["-800"]}, "found '-800'; expected a number from 0 on"),
        ({"seconds": ["30", "31"]}, "found 2 values for sequence DCE0; expected one seconds"),
    ):
        with pytest.raises(TableError, match=said):
            check_manifest(manifest(**cells), "images.tsv")
