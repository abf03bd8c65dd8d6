"""Preprocessing in a protocol: the extraction's folder and inputs follow; the default is as it was."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml
from methods_text import sections_of
from workflow_run import Project, small_cohort

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.extraction import read_parameters
from her2radiomics.extraction.options import extraction_suffix
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.study.descriptions import read_run_info
from her2radiomics.study.plan import Plan

PREPROCESSING = {
    "n4": {"iterations": [10, 10]},
    "subtract": "DCE0",
    "normalise": {"within": "foreground", "scale": 100},
}
PHASE_0 = {"simulation": {"sequences": {"DCE0": {"kind": "dce", "phase": 0, "outlined": False}}}}


def planned(root, tmp_path, preprocessing: dict[str, Any], changes: dict[str, Any] | None = None, **keys) -> Plan:
    """A plan of the study with and without a variant that preprocesses the DCE phase."""
    folder = tmp_path / "workflow"
    shutil.copytree(root / "workflow", folder, dirs_exist_ok=True)
    path = folder / "studies/nat_response.yaml"
    sequence = {"DCE2": {"preprocessing": preprocessing, **keys}}
    variant = {"description": "Preprocessed.", "changes": {"sequences": sequence}}
    content = overlay(read_yaml(path), {**(changes or PHASE_0), "variants": {"done": variant}})
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    runs = [{"study": "nat_response"}, {"study": "nat_response", "variant": "done"}]
    plan = Plan({"runs": runs}, folder)
    for error in plan.refused.values():
        raise error
    return plan


def test_folder_and_inputs_follow_and_the_default_is_as_it_was(root, tmp_path):
    plan = planned(root, tmp_path, PREPROCESSING)
    plain, done = plan.runs.values()
    assert plain.extraction_id("DCE2") == "features_1125_2d.tumour_slice"
    name = done.extraction_id("DCE2")
    assert re.fullmatch(r"features_1125_2d\.tumour_slice\.n4-subtract-normalise-[0-9a-f]{8}", name)
    # what is not touched is shared
    assert done.extraction_id("T2FS") == plain.extraction_id("T2FS")
    patient = done.patients[0]
    extraction = plan.extraction(done.dataset.id, name, "DCE2")
    assert extraction.precontrast(patient).endswith(f"{patient}_DCE0.nii.gz")
    assert extraction.options["preprocessing"]["subtract"] == "DCE0"
    default = plan.extraction(plain.dataset.id, plain.extraction_id("DCE2"), "DCE2")
    assert (default.options, default.precontrast(patient)) == ({}, "")
    assert plan.extraction(plain.dataset.id, name, "T2FS") is None


def test_every_key_changes_the_name_and_the_default_has_none():
    def suffix(padding=18, **keys):
        return extraction_suffix(validate(Preprocessing, keys, "preprocessing"), padding)

    asked = [
        {"resample_mask": True},
        {"n4": {}},
        {"n4": {"convergence": 0.01}},
        {"subtract": "DCE0"},
        {"subtract": "DCE1"},
        {"subtract": "DCE0", "subtract_as": "percent"},
        {"clip": {"low": 1, "high": 99}},
        {"clip": {"low": 1, "high": 99.5}},
        {"normalise": {"within": "image"}},
        {"normalise": {"within": "image", "shift": 10}},
        {"resample": {"spacing_mm": [1, 1, 1]}},
        {"resample": {"spacing_mm": [1, 1, None]}},
        {"round": True},
        {"resegment": {"low": 0}},
        {"resegment": {"low": 0, "bins_from_low": True}},
        {"resegment": {"outliers_sd": 3}},
        {"padding": "exact"},
    ]
    names = [suffix(**keys) for keys in asked]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{8}", name) for name in names)
    assert suffix() == suffix(padding=18.0) == suffix(resample_mask=False) == ""
    # 0 and null keep an axis alike, 1 and 1.0 are one spacing
    assert suffix(resample={"spacing_mm": [1.0, 1, 0]}) == suffix(resample={"spacing_mm": [1, 1, None]})


def test_a_phase_that_no_patient_has_is_refused_by_name(root, tmp_path):
    with pytest.raises(
        SettingsError, match=r"DCE2\.preprocessing\.subtract.*no sequence 'DCE9'.*simulation\.sequences"
    ):
        planned(root, tmp_path, {"subtract": "DCE9"})


def test_a_phase_is_not_subtracted_from_itself(root, tmp_path):
    with pytest.raises(SettingsError, match="found the sequence itself"):
        planned(root, tmp_path, {"subtract": "DCE2"})


def test_a_breast_mask_that_no_patient_has_is_refused(root, tmp_path):
    with pytest.raises(SettingsError, match="holds no breast mask .region breast. of DCE2"):
        planned(root, tmp_path, {"normalise": {"within": "breast"}})


def test_a_parameter_file_that_resamples_too_is_refused(root, tmp_path):
    with pytest.raises(SettingsError, match="resampledPixelSpacing in the parameter file"):
        planned(
            root, tmp_path, {"resample": {"spacing_mm": [1, 1, 1]}},
            parameters="features_1218_1mm", features=1218, regions=["tumour_volume"],
        )  # fmt: skip


def test_the_methods_say_what_was_done_and_nothing_by_default(root):
    def said(**keys):
        done = validate(Preprocessing, keys, "preprocessing").model_dump(mode="json")
        base = {"parameters": "features_1023_3d", "regions": ["tumour_slice"], "features": 1023}
        before = base | {"label": "DCE before contrast"}
        info = info_with(root, A=base | {"label": "A", "preprocessing": done}, DCE0=before)
        parameters = {"features_1023_3d": read_parameters(root / "workflow/extraction/features_1023_3d.yaml")}
        return sections_of(info, "extraction", parameters=parameters)["extraction"][0].partition("With PyRadiomics")[0]

    assert said() == ""
    assert "N4" in said(n4={}) and "shrink factor 4" in said(n4={})
    assert "image of DCE before contrast was subtracted" in said(subtract="DCE0")
    assert "relative to DCE before contrast in percent" in said(subtract="DCE0", subtract_as="percent")
    assert "1st and 97.5th percentiles in the whole image" in said(clip={"low": 1, "high": 97.5})
    assert "z-scores" in said(normalise={"within": "breast", "scale": 100})
    assert "multiplied by 100." in said(normalise={"within": "breast", "scale": 100})
    assert "1 × 1 × unchanged mm" in said(resample={"spacing_mm": [1, 1, 0]})
    assert "nearest neighbour" in said(resample_mask=True)


def info_with(root, **sequences):
    """A run of the protocol's patients with these sequences alone."""
    protocol = read_yaml(root / "workflow/studies/nat_response.yaml")
    rest = {key: protocol[key] for key in ("title", "question", "paper", "label", "partitions", "columns")}
    rest["columns"] = {name: column for name, column in rest["columns"].items() if "measured" not in column}
    content = {
        "request": {"study": "nat_response"},
        "protocol": rest | {"models": {"m": {"kind": "radiomics"}}, "primary_model": "m", "sequences": sequences},
        "cohort": {"title": "Hospital", "kind": "tables"},
    }
    return read_run_info(content | {"partitions": ["training"], "extracted": True, "reference_reader": "1", "seed": 1})


def test_what_was_not_done_is_not_said_to_have_been(root):
    """The sentence that closes the paragraph: not normalised and not resampled only where that is so."""

    def said(**sequences):
        parameters = {"features_1023_3d": read_parameters(root / "workflow/extraction/features_1023_3d.yaml")}
        return sections_of(info_with(root, **sequences), "extraction", parameters=parameters)["extraction"]

    def sequence(label, **keys):
        done = validate(Preprocessing, keys, "preprocessing").model_dump(mode="json")
        base = {"label": label, "parameters": "features_1023_3d", "regions": ["tumour_slice"], "features": 1023}
        return base | {"preprocessing": done, "log_padding": 18.0}

    (plain,) = said(A=sequence("A"), B=sequence("B"))
    assert "Images were not resampled. Intensities were not normalised." in plain
    first, second, total = said(A=sequence("A"), B=sequence("B", normalise={"within": "image"}))
    assert "Intensities were not normalised." in first and "z-scores" not in first
    assert "z-scores" in second and "not normalised" not in second and "not resampled" in second
    assert "2046 features" in total
    (moved,) = said(A=sequence("A", resample={"spacing_mm": [1, 1, 1]}))
    assert "not resampled" not in moved and "not normalised" in moved
    (exact,) = said(A=sequence("A") | {"log_padding": "exact"})
    assert "20 σ" in exact and "σ around" not in plain


def test_snakemake_plans_the_pre_contrast_image_as_an_input(tmp_path):
    """Of a few patients: the folder has the third part, and the phase that is subtracted stands among the inputs."""
    run = {"study": "nat_response", "variant": "done", "until": "extraction"}
    project = Project(tmp_path / "p", {"runs": [run]})
    variant = {"description": "P.", "changes": {"sequences": {"DCE2": {"preprocessing": PREPROCESSING}}}}
    few = small_cohort(training=(2, 1), testing=(1, 1))
    project.change("studies/nat_response.yaml", overlay(PHASE_0, few) | {"variants": {"done": variant}})
    (planned,) = Plan(read_yaml(project.folder / "config.yaml"), project.folder / "workflow").runs.values()
    jobs = project.snakemake("-n", "extraction").split("Reason: Missing output files: ")
    named = [job for job in jobs if f"/{planned.extraction_id('DCE2')}/" in job.split(";")[0]]
    assert named
    for patient in planned.patients:
        assert any(f"{patient}_DCE0.nii.gz" in job for job in named)
    others = [job for job in jobs if f"/{planned.extraction_id('T2FS')}/" in job.split(";")[0]]
    assert others and not any("DCE0.nii.gz" in job for job in others)
