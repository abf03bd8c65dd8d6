"""RO-Crate of a run: hashes that ``sha256sum`` confirms, metadata that ``rocrate`` reads, the same bytes each time."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from her2radiomics.core.errors import StudyError
from her2radiomics.record.crate import (
    COPIES,
    INPUTS,
    METADATA,
    PROFILES,
    RECORD,
    CrateInputs,
    copy_files,
    hash_list,
    metadata,
)

OUTPUTS = ("tables/performance.csv", "report.html", "figures/figure_1_flow.svg", RECORD)


@pytest.fixture
def run(tmp_path: Path) -> CrateInputs:
    folder, data = tmp_path / "results" / "a_run", tmp_path / "data"
    for name in OUTPUTS:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n", encoding="utf-8")
    (data / "images" / "series").mkdir(parents=True)
    (data / "images" / "a.nii.gz").write_bytes(b"voxels")
    (data / "images" / "series" / "1.dcm").write_bytes(b"slice")
    (tmp_path / "Snakefile").write_text("rule all: pass\n", encoding="utf-8")
    copies = copy_files(
        {"Snakefile": str(tmp_path / "Snakefile"), "workflow/rules/a.smk": str(tmp_path / "Snakefile")},
        {"protocol.yaml": "title: T\n"},
        folder / COPIES,
    )
    files = [str(data / "images" / name) for name in ("a.nii.gz", "series", "gone.nii.gz")]
    (folder / INPUTS).write_text(hash_list(files, data, threads=2), encoding="utf-8")
    return CrateInputs(
        folder=folder,
        title="A study",
        description="Does it?",
        run={"id": "a_run", "seed": 7, "strength": 2.5, "variant": "default", "size": None},
        simulated=True,
        licence="",
        citation="Author A. Title. 2025.",
        outputs=OUTPUTS,
        copies=[f"{COPIES}/{name}" for name in copies],
        commit="0123abc",
        date="2026-01-02T03:04:05+00:00",
        versions={"python": "3.11.7", "snakemake": "9.27.1"},
    )


def entities(run: CrateInputs) -> dict[str, dict]:
    graph = json.loads(metadata(run))["@graph"]
    assert len({entity["@id"] for entity in graph}) == len(graph)
    return {entity["@id"]: entity for entity in graph}


def test_hashes_are_those_of_sha256sum(run, tmp_path):
    text = (run.folder / INPUTS).read_text(encoding="utf-8")
    assert text.splitlines()[0] == f"{sha256(b'voxels').hexdigest()}  images/a.nii.gz"
    assert text.splitlines()[1] == f"{sha256(b'slice').hexdigest()}  images/series/1.dcm"
    assert "# absent: images/gone.nii.gz" in text
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", str(run.folder / INPUTS)],
        cwd=tmp_path / "data", capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert str(tmp_path) not in text


def test_a_file_outside_the_data_is_refused(tmp_path):
    (tmp_path / "a").write_text("a", encoding="utf-8")
    with pytest.raises(StudyError, match="outside"):
        hash_list([str(tmp_path / "a")], tmp_path / "data")


def test_hashes_do_not_depend_on_threads(tmp_path):
    for number in range(20):
        (tmp_path / f"{number}.nii").write_bytes(bytes([number]) * 1000)
    files = [str(path) for path in tmp_path.iterdir()]
    assert hash_list(files, tmp_path, 1) == hash_list(reversed(files), tmp_path, 4)


def test_every_file_has_its_hash_but_the_record(run):
    made = entities(run)
    for name in (*OUTPUTS, INPUTS, *run.copies):
        if name == RECORD:
            assert "sha256" not in made[name]
            continue
        content = (run.folder / name).read_bytes()
        assert made[name]["sha256"] == sha256(content).hexdigest()
        assert made[name]["contentSize"] == str(len(content))
    assert {part["@id"] for part in made["./"]["hasPart"]} == {*OUTPUTS, INPUTS, *run.copies}


def test_the_run_links_workflow_inputs_and_outputs(run):
    made = entities(run)
    action = made["#run"]
    assert action["instrument"] == made["./"]["mainEntity"] == {"@id": f"{COPIES}/Snakefile"}
    assert "ComputationalWorkflow" in made[f"{COPIES}/Snakefile"]["@type"]
    used = {entity["@id"] for entity in action["object"]}
    assert {INPUTS, f"{COPIES}/protocol.yaml", "#value-seed"} <= used
    assert {entity["@id"] for entity in action["result"]} == set(OUTPUTS) - {RECORD}
    assert made["#value-seed"]["value"] == "7" and "#value-size" not in made
    assert made["#value-seed"]["exampleOfWork"] == {"@id": "#parameter-seed"}
    assert made["#simulated"]["value"] == "true"
    assert "Simulated patients" in made["./"]["description"]
    assert [c["@id"] for c in made["./"]["conformsTo"]] == list(PROFILES)
    # nothing refers to an entity that is not there
    local = {
        v["@id"]
        for e in made.values()
        for value in e.values()
        for v in (value if isinstance(value, list) else [value])
        if isinstance(v, dict) and "://" not in v["@id"]
    }
    assert local <= set(made)


def test_the_same_run_gives_the_same_bytes_whatever_the_record_says(run):
    first = metadata(run)
    (run.folder / RECORD).write_text('{"host": "another", "cores": "64"}\n', encoding="utf-8")
    assert metadata(replace(run, outputs=tuple(reversed(run.outputs)))) == first
    (run.folder / "report.html").write_text("changed", encoding="utf-8")
    assert metadata(run) != first


def test_a_real_cohort_keeps_its_licence(run):
    real = replace(run, simulated=False, licence="CC BY 4.0")
    assert entities(real)["#licence"]["name"] == "CC BY 4.0"
    assert "Simulated" not in entities(real)["./"]["description"]
    assert entities(replace(real, licence=""))["#licence"]["name"].startswith("Not stated")


def test_what_is_missing_is_named(run):
    with pytest.raises(StudyError, match=r"table_9\.csv: no such file"):
        metadata(replace(run, outputs=(*OUTPUTS, "tables/table_9.csv")))
    with pytest.raises(StudyError, match="no Snakefile"):
        metadata(replace(run, copies=()))


def test_old_copies_go(run, tmp_path):
    copy_files({}, {"config.yaml": "seed: 1\n"}, run.folder / COPIES)
    assert [path.name for path in (run.folder / COPIES).rglob("*")] == ["config.yaml"]


def test_rocrate_reads_it(run):
    """The reference library for RO-Crate accepts the crate and finds the workflow, the run and every file."""
    pytest.importorskip("rocrate", reason="rocrate, the library that reads RO-Crates, is not installed")
    from rocrate.rocrate import ROCrate

    (run.folder / METADATA).write_text(metadata(run), encoding="utf-8")
    crate = ROCrate(str(run.folder))
    assert crate.mainEntity.id == f"{COPIES}/Snakefile"
    assert crate.root_dataset["license"].id == "#licence"
    assert {entity.id for entity in crate.data_entities} >= {*OUTPUTS, INPUTS, *run.copies}
    action = crate.get("#run")
    assert action.type == "CreateAction" and action["instrument"].id == crate.mainEntity.id
    assert (
        crate.get("tables/performance.csv")["sha256"]
        == sha256((run.folder / "tables/performance.csv").read_bytes()).hexdigest()
    )
    # writing it again loses nothing
    again = run.folder.parent / "again"
    crate.write(str(again))
    written = json.loads((again / METADATA).read_text(encoding="utf-8"))
    assert {entity["@id"] for entity in written["@graph"]} >= set(entities(run))
