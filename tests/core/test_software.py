"""The table of distributions agrees with the product's imports, and a job names the libraries that its own code used."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from workflow_run import ROOT

from her2radiomics.core import software
from her2radiomics.core.software import BY_NAME, DISTRIBUTIONS
from her2radiomics.engine.script import logged
from her2radiomics.extraction import extract_features
from her2radiomics.report.references import library
from her2radiomics.statistics import auc, kaplan_meier

PRODUCT = sorted([*(ROOT / "src" / "her2radiomics").rglob("*.py"), *(ROOT / "scripts").glob("*.py")])
LIBRARIES = ROOT / "src" / "her2radiomics" / "core" / "libraries.py"
#: Base classes: what our estimators inherit is the handling of parameters, and no number comes from it.
INHERITED = {"sklearn.base"}


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules imported when the code runs; those of annotations alone are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        else:
            yield from imports(node)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def modules_of(path: Path) -> set[str]:
    """Third-party modules that a file imports, by ``import`` or on first use."""
    found = set(imports(ast.parse(text(path))))
    if path == LIBRARIES:
        found |= set(re.findall(r'_Library\("([\w.]+)"\)', text(path)))
    ours = {"her2radiomics", *sys.stdlib_module_names}
    return {name for name in found if name.partition(".")[0] not in ours}


def test_the_product_imports_no_library_that_the_table_lacks():
    known = {item.module for item in DISTRIBUTIONS}
    for path in PRODUCT:
        assert {name.partition(".")[0] for name in modules_of(path)} <= known, path
    workflow = [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    named = re.findall(r"^\s*(?:from|import) (\w+)", "\n".join(map(text, workflow)), re.M)
    assert set(named) - sys.stdlib_module_names <= known


def test_the_table_has_no_library_that_the_product_does_not_import():
    imported = {name.partition(".")[0] for path in PRODUCT for name in modules_of(path)}
    code = "\n".join(map(text, PRODUCT))
    for item in DISTRIBUTIONS:
        if item.through:
            assert f"{item.through}(" in code, item.name
            assert not item.printed or f'software.note("{item.name}")' in code, item.name
        elif item.name not in ("python", "her2radiomics", "snakemake"):
            assert item.module in imported, item.name


def test_what_a_methods_section_may_name_is_imported_where_its_use_is_noted():
    noted = {item.module for item in DISTRIBUTIONS if item.printed and not item.everywhere}
    for path in set(PRODUCT) - {LIBRARIES}:
        plain = {name for name in modules_of(path) if name.partition(".")[0] in noted}
        assert plain <= INHERITED, path


def test_dependencies_are_in_the_table_and_those_of_the_tests_are_not():
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    listed = [re.match(r"[\w.-]+", entry)[0] for entry in project["dependencies"]]
    names = {item.name.lower() for item in DISTRIBUTIONS}
    assert {name.lower() for name in listed} <= names
    assert "dcurves" not in names
    assert all(item.version for item in DISTRIBUTIONS)
    assert all(set(item.decides) <= set(software.PARTS) for item in DISTRIBUTIONS)
    assert {item.reference for item in DISTRIBUTIONS} - {""} <= library().keys()


def test_only_what_our_code_uses_is_noted():
    scores = np.array([0.1, 0.4, 0.35, 0.8])
    with software.recording() as outer:
        with software.recording() as first:
            auc(np.array([0, 0, 1, 1]), scores)
        import lifelines  # noqa: F401 (what another module imports decides nothing)

        with software.recording() as second:
            kaplan_meier(pd.Series([1.0, 2.0, 3.0]), pd.Series([1, 0, 1]))
    assert "lifelines" not in first and "scikit-learn" not in first
    assert "lifelines" in second
    assert outer == first | second


@pytest.mark.parametrize(
    ("types", "used", "not_used"),
    [
        ("{Original: {}}", set(), {"PyWavelets"}),
        ("{Original: {}, Wavelet: {}}", {"PyWavelets"}, set()),
        ("{Original: {}, LBP2D: {}}", set(), {"PyWavelets"}),
    ],
)
def test_filters_name_the_libraries_behind_them(tmp_path, types, used, not_used):
    voxels = np.random.default_rng(1).integers(0, 200, (12, 24, 24)).astype(np.float32)
    mask = np.zeros(voxels.shape, np.uint8)
    mask[3:9, 6:18, 6:18] = 1
    parameters = tmp_path / "p.yaml"
    setting = "setting: {binWidth: 25, force2D: true, force2Ddimension: 0}"
    parameters.write_text(f"{setting}\nimageType: {types}\nfeatureClass: {{firstorder: [Mean]}}\n")
    with software.recording() as found:
        extract_features(sitk.GetImageFromArray(voxels), {"tumour_volume": sitk.GetImageFromArray(mask)}, parameters)
    # scikit-image labels the parts of every mask
    assert {"pyradiomics-bhklab", "SimpleITK", "scikit-image"} | used <= found
    assert not found & {*not_used, "lifelines", "statsmodels", "matplotlib"}


def test_a_job_writes_what_it_used_in_the_order_of_the_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    output = SimpleNamespace(software=str(tmp_path / "job.json"))
    job = SimpleNamespace(log=str(tmp_path / "job.log"), input=[], output=_Output(output))

    def run() -> bytes:
        with logged(job):
            software.note("lifelines", "pydantic")
        return (tmp_path / "job.json").read_bytes()

    written = run()
    content = json.loads(written)
    everywhere = [item.name for item in DISTRIBUTIONS if item.everywhere]
    assert [*content] == [name for name in BY_NAME if name in (*everywhere, "lifelines")]
    assert content["lifelines"] == BY_NAME["lifelines"].version
    assert run() == written
    assert software.printed(content)[0][0] == "Python"


class _Output(list):
    """A job's outputs, of which one has a name."""

    def __init__(self, named: SimpleNamespace) -> None:
        super().__init__(vars(named).values())
        self.software = named.software


def test_records_of_several_jobs_are_joined_and_two_versions_are_both_named(tmp_path):
    records = {"a": {"numpy": "2.0.0", "scipy": "1.14.0"}, "b": {"numpy": "2.1.0", "lifelines": "0.30.3"}}
    for name, content in records.items():
        (tmp_path / name).write_text(json.dumps(content))
    joined = software.read_records(tmp_path / name for name in records)
    assert joined == {"scipy": "1.14.0", "numpy": "2.0.0 and 2.1.0", "lifelines": "0.30.3"}


def test_lists_elsewhere_are_filters_of_the_table():
    assert "lifelines" not in software.versions("modelling") and "statsmodels" in software.versions("evaluation")
    assert set(software.versions("extraction", "overlays")) >= {"PyWavelets", "scikit-image", "matplotlib"}
    assert {"python", "snakemake", "seaborn"} <= set(software.versions())
    assert "pydantic" not in software.versions()
