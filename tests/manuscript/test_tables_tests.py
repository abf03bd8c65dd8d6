"""The test of a baseline column as the protocol names it, against the printed χ² of a published table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from contract_tables import save
from scipy.stats import mannwhitneyu
from table_run import BASELINE, baseline_inputs, settings

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError

#: TIC type by HER2 status in Table 2 of the paper of her2_nomogram: types I to III, positive and negative.
TIC = {"I": (10, 36), "II": (38, 103), "III": (32, 101)}


@pytest.fixture
def inputs(tmp_path):
    """Patients with the printed counts, TIC type declared as ordinal."""
    made = baseline_inputs(tmp_path, age=[1] * 8)
    rows = [
        {"patient_id": f"{level}{label}{i}", "partition": "training", "label": label, "tic": level, "age": 50 + i % 9}
        for level, counts in TIC.items()
        for label, n in zip((1, 0), counts, strict=True)
        for i in range(n)
    ]  # fmt: skip
    save("partition_participants", pd.DataFrame(rows), made.participants["training"])
    tic = Column.model_validate({"label": "TIC", "kind": "ordinal", "levels": {name: name for name in TIC}})
    return replace(made, columns={**made.columns, "tic": tic})


def table(inputs, **options):
    content = BASELINE | {"columns": ["tic", "age"], "by": "label", "partitions": ["training"]} | options
    return settings(**content).make(inputs)


def test_chi_square_of_an_ordinal_column_gives_the_printed_p(inputs):
    made = table(inputs, tests={"tic": "chi2"})
    assert made.data.iloc[0]["p"].startswith("0.737")  # the paper: χ² 0.610, p 0.737
    assert made.data.iloc[0]["test"].startswith("χ² test")
    assert any("χ² test (Pearson, no continuity correction)" in note for note in made.footnotes)


def test_ranks_are_the_default_of_an_ordinal_column(inputs):
    codes = [(i, label) for i, counts in enumerate(TIC.values()) for label in (0, 1) for _ in range(counts[1 - label])]
    p = mannwhitneyu(*([c for c, label in codes if label == k] for k in (1, 0)), method="asymptotic").pvalue
    for options in ({}, {"tests": {"tic": "ranks"}}):
        made = table(inputs, **options)
        assert made.data.iloc[0]["p"].startswith(f"{p:.3f}"), options
        assert made.data.iloc[0]["test"].startswith("Mann–Whitney")


def test_wrong_tests_are_refused(inputs):
    with pytest.raises(SettingsError, match="'tik': did you mean 'tic'"):
        table(inputs, tests={"tik": "chi2"})
    with pytest.raises(SettingsError, match="expected a column with levels"):
        table(inputs, tests={"age": "ranks"})


def test_supplementary_tables_are_numbered_s():
    assert settings(**(BASELINE | {"id": "table_s2_baseline"})).number == "S2"
    assert settings(**(BASELINE | {"id": "table_1a_baseline"})).number == "1a"
