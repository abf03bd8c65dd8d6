"""A table whose heading row is longer than the standard library takes for a cell."""

from __future__ import annotations

import csv

from her2radiomics.core.brought.reading import read_brought


def test_a_heading_row_of_thousands_of_features_is_read(tmp_path):
    csv.field_size_limit(131_072)  # Python's own, as in a new process
    names = [
        f"DCE2__tumour_volume__wavelet-LLL_glszm_LargeAreaHighGrayLevelEmphasis_{number}" for number in range(3000)
    ]
    (tmp_path / "features.csv").write_text(
        ",".join(["patient_id", *names]) + "\n" + ",".join(["A-1", *["1.5"] * 3000]) + "\n", encoding="utf-8"
    )
    assert list(read_brought(tmp_path / "features.csv", ["patient_id"]).cells)[-1] == names[-1]
