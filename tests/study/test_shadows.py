"""What is extracted once more for a run's evidence: planned beside the runs, by name, and seen by no other target."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from small_study import planned, small_project

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import overlay, read_yaml
from her2radiomics.evidence.extractions import laid_over
from her2radiomics.study.extraction_inputs import batch_cases, batch_files
from her2radiomics.study.plan import Plan
from her2radiomics.study.shadows import drawn_patients, evidence_sequences

USUAL = [
    "shuffled_voxels",
    "other_tissue",
    "grown",
    "shrunk",
    "shifted",
    "redrawn",
    "noisy",
    "bins_halved",
    "bins_doubled",
]
RINGS = ["ring_narrower", "ring_wider"]


def plan(root, tmp_path, study: str = "nat_response", changes: dict[str, Any] | None = None, **config: Any) -> Plan:
    """A plan of one study with changes laid over its protocol."""
    folder = tmp_path / "workflow"
    shutil.copytree(root / "workflow", folder, dirs_exist_ok=True)
    path = folder / f"studies/{study}.yaml"
    text = yaml.safe_dump(overlay(read_yaml(path), changes or {}), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    made = Plan({"runs": [{"study": study}]} | config, folder)
    for error in made.refused.values():
        raise error
    return made


def extractions(**named: Any) -> dict[str, Any]:
    return {"evidence": {"extractions": named}}


@pytest.mark.parametrize(
    ("study", "sequences"),
    [
        ("nat_response", "T2FS DWI DCE2"),
        ("her2_equivocal", "T2WI DWI DCE7"),
        ("her2_nomogram", "DCE2 DWI T2SPAIR"),
        ("her2_peritumoral", "DCE4 T2FS ADC"),
    ],
)
def test_every_study_has_the_usual_ones_without_saying_so(root, tmp_path, study, sequences):
    """Of the sequences that its primary model reads; of its clinical nomogram's those of the radiomics model."""
    made = plan(root, tmp_path, study)
    run = made.runs[study]
    assert [*run.shadows] == USUAL + RINGS * (study == "her2_peritumoral")
    assert evidence_sequences(run.protocol) == sequences.split()
    for name, shadow in run.shadows.items():
        assert made.shadows[f"{study}/evidence/{name}"] is shadow
        assert [*shadow.protocol.sequences] == sequences.split()
        assert run.shadow_features()[name] == f"results/{study}/evidence/{name}/features/cohort.parquet"


def test_no_target_but_its_own_file_asks_for_them(root, tmp_path):
    made = plan(root, tmp_path)
    assert [*made.runs] == ["nat_response"] and set(made.shadows).isdisjoint(made.runs)
    whole = [file for kind in ("all", "report", "figures", "records", "extraction") for file in made.targets(kind)]
    names = [made.runs["nat_response"].extraction_id(sequence) for sequence in ("T2FS", "DWI", "DCE2")]
    assert not any("/evidence/" in file for file in whole)
    assert names == ["features_1125_2d.tumour_slice"] * 3, "the run's own extraction is called as ever"


def test_extraction_and_inputs_of_a_shadow_are_found_by_its_folder(root, tmp_path):
    made = plan(root, tmp_path, seed=11)
    run = made.runs["nat_response"]
    shadow = run.shadows["shuffled_voxels"]
    name = shadow.extraction_id("DWI")
    assert re.fullmatch(r"features_1125_2d\.tumour_slice\.shuffledvoxels-[0-9a-f]{8}", name)
    found = made.extraction(run.dataset.id, name, "DWI")
    assert found is not None and found.options["perturb"] == {"kind": "shuffled_voxels", "seed": 11}
    own = made.extraction(run.dataset.id, run.extraction_id("DWI"), "DWI")
    assert own is not None and own.options == {}
    assert batch_files(found, "batch_0001") == batch_files(own, "batch_0001")
    assert found.dataset.batches == own.dataset.batches
    halved = made.extraction(run.dataset.id, run.shadows["bins_halved"].extraction_id("DWI"), "DWI")
    assert halved is not None and halved.options["setting"] == {"binWidth": 12.5} and "perturb" not in halved.options
    assert set(found.options) == {"preprocessing", "log_padding", "perturb"}
    other = plan(root, tmp_path / "other", seed=12).runs["nat_response"].shadows["shuffled_voxels"]
    assert other.extraction_id("DWI") != name, "another seed is another extraction"


def test_changed_outlines_are_of_some_patients_and_the_reference_reader(root, tmp_path):
    made = plan(root, tmp_path, size="published", seed=3)
    run = made.runs["nat_response"]
    for name in ("grown", "shrunk", "shifted", "redrawn", "noisy"):
        shadow = run.shadows[name]
        assert len(shadow.patients) == 30 and set(shadow.patients) < set(run.patients)
        found = made.extraction(run.dataset.id, shadow.extraction_id("T2FS"), "T2FS")
        cases = {
            patient: case for batch in found.dataset.batches for patient, case in batch_cases(found, batch).items()
        }
        assert [*cases] == shadow.patients
        assert {row["reader"] for case in cases.values() for row in case["rows"]} == {"consensus"}
    assert run.shadows["grown"].patients == run.shadows["noisy"].patients
    for name in ("shuffled_voxels", "bins_doubled"):
        assert run.shadows[name].patients == run.patients
        assert run.shadows[name].dataset is run.dataset
    demo = plan(root, tmp_path / "demo").runs["nat_response"]
    assert len(demo.shadows["grown"].patients) == 12


def test_patients_are_drawn_by_seed_and_of_each_centre_its_share():
    centres = {f"P{i:03d}": "a" if i < 60 else "b" if i < 90 else "c" for i in range(100)}
    drawn = drawn_patients(centres, 30, 5)
    assert Counter(centres[patient] for patient in drawn) == {"a": 18, "b": 9, "c": 3}
    assert drawn == sorted(drawn) == drawn_patients(dict(reversed(centres.items())), 30, 5)
    assert drawn != drawn_patients(centres, 30, 6)


def test_rings_are_extracted_instead_and_nothing_else(root, tmp_path):
    run = plan(root, tmp_path, "her2_peritumoral").runs["her2_peritumoral"]
    wider = run.shadows["ring_wider"]
    assert wider.reextraction.regions == {"ring_3mm_slice": "ring_4mm_slice"}
    assert all(item.regions == ["ring_4mm_slice"] for item in wider.protocol.sequences.values())
    assert wider.extraction_id("DCE4") == "features_1023_3d.ring_4mm_slice"
    assert wider.protocol.sequences["ADC"].slice_of == "DCE4"


def test_a_protocol_may_add_change_and_leave_out(root, tmp_path):
    made = plan(root, tmp_path, changes=extractions(
        grown={"changes": {"*": {"perturb": {"mm": 2}}}, "patients": 5},
        noisy=None,
        exact={"description": "Exact filters", "changes": {"DWI": {"log_padding": "exact"}}},
    ))  # fmt: skip
    shadows = made.runs["nat_response"].shadows
    assert [*shadows] == [name for name in USUAL if name != "noisy"] + ["exact"]
    grown = shadows["grown"]
    assert grown.protocol.sequences["DWI"].altered() == {"perturb": {"kind": "grow", "mm": 2.0}, "pictures": False}
    assert (len(grown.patients), grown.reextraction.description) == (5, "Outline grown by 1 mm")
    exact = shadows["exact"]
    assert [*exact.protocol.sequences] == ["DWI"] and exact.extraction_id("DWI").startswith(
        "features_1125_2d.tumour_slice.logpad-"
    )


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"x": {"description": "X", "changes": {"DWJ": {"log_padding": "exact"}}}}, r"x\.changes: found 'DWJ'"),
        ({"x": {"description": "X"}}, "found no description or no change"),
        ({"x": {"description": "X", "changes": {"*": {"perturb": {"kind": "melt"}}}}}, r"(?s)x\.changes.*found 'melt'"),
        ({"x": {"description": "X", "changes": {"*": {"regions": ["tumour_volume"]}}}}, "expected regions as a mapping"),
        ({"x": {"description": "X", "regions": {"ring_3mm_slice": "ring_2mm_slice"}}}, "expected regions of the study's"),
        ({"x": {"description": "X", "changes": {"*": {"parameters": "features_9"}}}}, "there is no file .*features_9.yaml"),
        ({"a/b": {"description": "X", "changes": {"*": {}}}}, "found the name 'a/b'"),
    ],
)  # fmt: skip
def test_what_cannot_be_extracted_is_refused_by_name(root, tmp_path, named, said):
    with pytest.raises(SettingsError, match=said):
        plan(root, tmp_path, changes=extractions(**named))


def test_a_studys_own_sequences_are_not_perturbed(root, tmp_path):
    with pytest.raises(SettingsError, match="perturb"):
        plan(root, tmp_path, changes={"sequences": {"DWI": {"perturb": {"kind": "grow", "mm": 1}}}})


def test_brought_features_have_no_shadows(tmp_path):
    (run,) = planned(small_project(tmp_path / "p")).runs.values()
    assert not run.extracted and not run.shadows and run.shadow_features() == {}


def test_what_was_extracted_again_lies_over_the_rest_under_the_studys_names():
    keys = {"patient_id": ["P1", "P1", "P2", "P3"], "reader": ["1", "2", "1", "1"]}
    own = pd.DataFrame(keys | {"A__tumour_slice__x": [1.0, 2, 3, 4], "A__ring_3mm_slice__x": [5.0, 6, 7, 8]})
    other = pd.DataFrame(
        {"patient_id": ["P3", "P1", "P2"], "reader": ["1", "1", "2"], "A__ring_2mm_slice__x": [80.0, 50, 0]}
    )
    laid = laid_over(own, other, {"ring_3mm_slice": "ring_2mm_slice"})
    assert [*laid.columns] == [*own.columns]
    assert laid.to_numpy().tolist() == [["P1", "1", 1.0, 50.0], ["P3", "1", 4.0, 80.0]]
    plain = other.rename(columns={"A__ring_2mm_slice__x": "A__tumour_slice__x"})
    np.testing.assert_array_equal(laid_over(own, plain, {})["A__tumour_slice__x"], [50.0, 80.0])
