"""Who trains, at whose level a slice is taken, and what a methods section says: from protocol and cohort to the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from methods_text import sections_of
from workflow_run import Project

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import load, overlay, read_yaml, validate
from her2radiomics.report.info import RunInfo
from her2radiomics.study import descriptions
from her2radiomics.study.checklist_facts import static_facts
from her2radiomics.study.extraction_inputs import batch_cases, batch_files
from her2radiomics.study.plan import Plan
from her2radiomics.study.protocol import Protocol, Reporting


@pytest.fixture(scope="module")
def runs(root) -> dict:
    studies = ("nat_response", "her2_peritumoral")
    return Plan({"runs": [{"study": study} for study in studies]}, root / "workflow").runs


def info_of(run) -> RunInfo:
    return descriptions.read_run_info(descriptions.run_info(run, 1))


def test_a_consensus_trains_and_its_rows_come_first(runs):
    dataset = runs["nat_response"].dataset
    assert (dataset.readers.reference, dataset.readers.compared) == ("consensus", ("1", "2"))
    manifest = dataset.data.manifest
    twice = manifest.loc[manifest["reader"] == "2", "patient_id"].iloc[0]
    assert [row["reader"] for row in dataset.case_rows(twice, "DWI")] == ["consensus", "1", "2"]
    assert dataset.case_rows("nobody", "DWI")[0]["reader"] == "consensus"
    assert runs["her2_peritumoral"].dataset.readers.reference == "1"
    assert "the readers' consensus was used for training and testing" in " ".join(
        sections_of(info_of(runs["nat_response"]), "imaging")["regions"]
    )


READERS = {
    "title": "Mine",
    "kind": "tables",
    "replaces": ["columns", "figures", "tables", "published", "published_tables", "contradictions", "variants"],
    "protocol": {
        "models": {"clinical": None, "nomogram": None},
        "model_labels": {"clinical": None, "nomogram": None},
        "primary_model": "radiomics",
    },
}


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        ({"reference": "consensus"}, "no outline of reader 'consensus' (readers.reference); it holds those of 1, 2"),
        ({"compared": ["1", "3"]}, "no outline of reader '3' (readers.compared)"),
        ({"compared": ["1", "1"]}, "found 1 twice, expected two readers"),
        ({"reference": "2", "compared": ["2", "1"]}, ""),
    ],
)
def test_readers_who_outlined_nobody_are_refused(tmp_path, monkeypatch, readers, said):
    config = {"runs": [{"study": "nat_response", "cohort": "mine"}], "data": {"mine": "data"}}
    project = Project(tmp_path / "p", config)
    project.change("cohorts/mine.yaml", READERS | {"readers": readers})
    data = project.folder / "data"
    data.mkdir()
    people = "".join(f"P{i}\tcentre_{1 + i // 4}\t{i % 2}\n" for i in range(8))
    data.joinpath("participants.tsv").write_text("patient_id\tcentre\tpcr\n" + people, encoding="utf-8")
    rows = "".join(
        f"P{i}\t{s}\t{r}\t{s}{i}.nii.gz\tm{i}.nii.gz\n"
        for i in range(8) for s in ("T2FS", "DWI", "DCE2") for r in "12"
    )  # fmt: skip
    data.joinpath("images.tsv").write_text("patient_id\tsequence\treader\timage\tmask\n" + rows, encoding="utf-8")
    monkeypatch.chdir(project.folder)
    if not said:
        (run,) = Plan(config, project.folder / "workflow").runs.values()
        assert [row["reader"] for row in run.dataset.case_rows("P1", "DWI")] == ["2", "1"]
        return
    with pytest.raises(SettingsError) as caught:
        Plan(config, project.folder / "workflow")
    assert said in str(caught.value)


def test_a_slice_at_another_sequence_s_level_names_the_extraction_and_its_files(root, runs):
    run = runs["her2_peritumoral"]
    assert "level" in run.extraction_id("ADC") and "level" not in run.extraction_id("DCE4")
    plan = Plan({"runs": [{"study": "her2_peritumoral"}]}, root / "workflow")
    extraction = plan.extraction(run.dataset.id, run.extraction_id("ADC"), "ADC")
    patient, case = next(iter(batch_cases(extraction, "batch_0001").items()))
    assert case["level_rows"] == run.dataset.case_rows(patient, "DCE4")
    files = batch_files(extraction, "batch_0001")
    assert any(file.endswith("_DCE4_reader1.nii.gz") for file in files)
    assert not any(file.endswith("_DCE4.nii.gz") for file in files)  # of DCE its outline alone is needed
    text = " ".join(sections_of(info_of(run), "imaging")["regions"])
    assert "On T2FS and ADC" in text and "at the level of the largest slice on DCE phase 4" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ADC": {"slice_of": "DCE5"}}, "sequences.ADC.slice_of: 'DCE5' is not declared; did you mean 'DCE4'?"),
        ({"ADC": {"slice_of": "ADC"}}, "sequences.ADC.slice_of: 'ADC' is not declared"),
        ({"ADC": {"slice_of": "T2FS"}}, "T2FS takes its own slice from another sequence"),
        ({"ADC": {"regions": ["tumour_volume"]}}, "found no _slice region among tumour_volume"),
    ],
)
def test_a_level_that_cannot_be_is_refused(root, changes, said):
    content = overlay(read_yaml(root / "workflow/studies/her2_peritumoral.yaml"), {"sequences": changes})
    with pytest.raises(SettingsError) as caught:
        validate(Protocol, content, "p")
    assert said in str(caught.value)


def test_what_a_protocol_states_is_said_of_the_paper_s_patients_and_counted(root, runs):
    run = runs["her2_peritumoral"]
    info = info_of(run)
    made = sections_of(info, "patients") | sections_of(info, "imaging")
    patients = made["patients"][0]
    assert patients.startswith("Published study (not the simulated cohort): retrospective study of one hospital")
    assert "Inclusion criteria were: preoperative MRI with DWI, T2FS and DCE; " in patients
    (pathology,) = made["pathology"]
    assert "Terms and stages follow BI-RADS (2023)." in pathology
    (readers,) = made["regions"]
    assert "6 years" in readers and "blinded" in readers and "The software was 3D Slicer 4.11." in readers
    assert "2.5 ml/s" in made["imaging"][0]
    facts = static_facts(
        run, Plan({"runs": [{"study": "nat_response"}]}, root / "workflow").config, root / "workflow/extraction"
    )
    assert facts["inclusion"] == run.protocol.inclusion and facts["software_stated"] == "3D Slicer 4.11"
    assert facts["reference_words"] == "Masks of reader 1" and facts["sample_size_stated"] == ""
    silent = replace(info, protocol=info.protocol.model_copy(update={"inclusion": [], "reporting": Reporting()}))
    made = sections_of(silent, "patients") | sections_of(silent, "imaging")
    assert "pathology" not in made and made["patients"][0].startswith("The outcome was")
    assert not any("Published study" in text for texts in made.values() for text in texts)


def test_a_column_that_may_be_absent_is_missing_for_everybody(root):
    from her2radiomics.cohort.outcome import labels_of
    from her2radiomics.cohort.tables import type_columns
    from her2radiomics.core.errors import TableError
    from her2radiomics.core.libraries import pd

    columns = load(Protocol, root / "workflow/studies/nat_response.yaml").columns
    wanted = {n: columns[n] for n in ("margin", "interior", "growth", "shape", "miller_payne", "pcr")}
    table = pd.DataFrame(
        {
            "patient_id": ["P1", "P2"],
            "margin": ["clear", "unclear"],
            "shape": ["regular", "irregular"],
            "pcr": ["1", "0"],
        }
    )
    typed = type_columns(table, wanted, "p.tsv")
    assert typed["interior"].isna().all() and typed["miller_payne"].isna().all()
    assert typed["shape"].tolist() == [
        "regular",
        "irregular",
    ]  # one feature of three decides nothing: as the readers say
    label = load(Protocol, root / "workflow/studies/nat_response.yaml").label
    assert labels_of(table, label, wanted, "p.tsv").tolist() == [1, 0]
    with pytest.raises(TableError, match="column 'margin'"):
        type_columns(table.drop(columns="margin"), wanted, "p.tsv")


def test_a_published_signature_is_used_alone(root):
    plan = Plan({"runs": [{"study": "nat_response", "variant": "published_features"}]}, root / "workflow")
    (run,) = plan.runs.values()
    assert len(run.protocol.models["radiomics"].only) == 7
    printed = [number for number in run.published if number.quantity == "features_kept"]
    assert set(printed[0].names) == set(run.protocol.models["radiomics"].only)


def test_a_published_feature_that_the_set_lacks_is_refused(root, tmp_path):
    import shutil

    shutil.copytree(root / "workflow", tmp_path / "workflow")
    path = tmp_path / "workflow/studies/nat_response.yaml"
    text = path.read_text(encoding="utf-8").replace("glcm_Imc1", "glcm_Imc3")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="did you mean 'DWI__tumour_slice__logarithm_glcm_Imc"):
        Plan({"runs": [{"study": "nat_response"}]}, tmp_path / "workflow")
