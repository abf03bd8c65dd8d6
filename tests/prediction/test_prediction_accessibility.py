"""Pages that no run makes: calculators, a new patient's page and the columns of an imported table, by axe-core."""

from __future__ import annotations

from pathlib import Path

import pytest
from accessibility import CACHE, SCHEMES, WIDTHS, axe, look
from test_calculator import N, data, models, predicted  # noqa: F401

from her2radiomics.cohort.settings import TableSource
from her2radiomics.importing.outcome import Target
from her2radiomics.importing.table import import_table
from her2radiomics.prediction.calculator import calculator_page
from her2radiomics.prediction.page import patient_page


@pytest.fixture(scope="module")
def script() -> str:
    text, reason = axe(CACHE)
    if not text:
        pytest.skip(reason)
    return text


@pytest.fixture(scope="module")
def pages(models, data, tmp_path_factory) -> dict[str, str]:  # noqa: F811
    folder: Path = tmp_path_factory.mktemp("columns")
    rows = [f"P{n:02},{40 + n},{n % 2},{n % 3 + 1},{['Pos', 'neg', 'pos '][n % 3]}" for n in range(24)]
    folder.joinpath("clinical.csv").write_text("\n".join(["id,Age,HER2,grade,receptor", *rows]), encoding="utf-8")
    source = TableSource.model_validate({"file": "clinical.csv", "id": "id"})
    import_table(folder / "clinical.csv", Target(folder / "data"), source, name="mine")
    made = {name: calculator_page(models[name]) for name in ("nomogram", "multivariate", "random_forest")}
    told, *_ = predicted(models["nomogram"], data[0][N : N + 2])
    failed = told.model_copy(update={"prediction": None, "reason": "T2: no such image"})
    made |= {"patient": patient_page(told, models["nomogram"], folder)}
    made |= {"failed": patient_page(failed, models["nomogram"], folder)}
    return made | {"columns": (folder / "data" / "mine_columns.html").read_text(encoding="utf-8")}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_violates_wcag(pages, script, tmp_path, width, scheme):
    found = look(pages, tmp_path / "pages", script, width, scheme)
    assert set(found) == set(pages)
    assert {name: seen["violations"] for name, seen in found.items() if seen["violations"]} == {}
    assert {name: seen["wide"] for name, seen in found.items() if seen["wide"] > 0} == {}
