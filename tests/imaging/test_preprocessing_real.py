"""Real images through the whole workflow: a mask on another grid, enhancement over the pre-contrast phase, z-scores."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from workflow_run import Project

RUN = "nat_response--default--my_hospital"
PHASES = {"DCE0": "duke_153_0000", "DCE1": "duke_153_0001"}
SEQUENCE = {"regions": ["tumour_volume", "ring_3mm_volume"], "parameters": "features_1023_3d", "features": 1023}


@pytest.mark.real
@pytest.mark.workflow
class TestDuke:
    """DUKE_153 in two tables of our own form; reader 2's mask is drawn on voxels of 1.5 × 1.5 × 2.2 mm."""

    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, real_data, tmp_path_factory) -> Project:
        source = real_data / "duke_breast_mri_153/nifti_crop"
        if not source.is_dir():
            pytest.skip("DUKE_153 is not among the real data")
        folder = tmp_path_factory.mktemp("duke")
        hospital = folder / "hospital"
        hospital.mkdir()
        for name, file in PHASES.items():
            (hospital / f"{name}.nii.gz").symlink_to(source / f"images/DUKE_153/{file}.nii.gz")
        mask = sitk.ReadImage(str(source / "segmentations/box_threshold_derived/DUKE_153.nii.gz"))
        sitk.WriteImage(mask, str(hospital / "reader1.nii.gz"))
        coarse = sitk.Image(53, 53, 31, sitk.sitkUInt8)
        coarse.SetSpacing((1.5, 1.5, 2.2))
        coarse.SetOrigin(mask.GetOrigin())
        coarse.SetDirection(mask.GetDirection())
        coarse = sitk.Resample(mask, coarse, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        sitk.WriteImage(coarse, str(hospital / "reader2.nii.gz"))
        (hospital / "participants.tsv").write_text("patient_id\tcentre\nDUKE_153\tDUKE\n", encoding="utf-8")
        lines = ["patient_id\tsequence\treader\timage\tmask", "DUKE_153\tDCE0\t1\tDCE0.nii.gz\t"]
        lines += [f"DUKE_153\tDCE1\t{n}\tDCE1.nii.gz\treader{n}.nii.gz" for n in (1, 2)]
        (hospital / "images.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        run = {"study": "nat_response", "cohort": "my_hospital", "until": "extraction"}
        project = Project(folder / "p", {"runs": [run], "data": {"my_hospital": str(hospital)}})
        steps: dict[str, Any] = {"resample_mask": True, "subtract": "DCE0", "subtract_as": "percent"}
        protocol = {"sequences": {"DCE1": {"label": "DCE phase 1", **SEQUENCE, "preprocessing": steps}}}
        replaced = ["sequences", "models", "figures", "tables", "primary_model", "model_labels", "published"]
        protocol |= {"models": {"by_age": {"kind": "clinical", "candidates": ["age"]}}, "primary_model": "by_age"}
        changes = {"replaces": replaced, "protocol": protocol, "linked_folders": [str(real_data.resolve())]}
        project.change("cohorts/my_hospital.yaml", changes)
        project.snakemake("extraction")
        return project

    @staticmethod
    def quality(project: Project) -> list[dict[str, str]]:
        with (project.folder / f"results/{RUN}/cohort/qc.csv").open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))

    def test_the_resampled_mask_is_told_of_and_nothing_fails(self, project):
        qc = self.quality(project)
        assert len(qc) == 4
        assert "failed" not in {row["status"] for row in qc}
        for row in qc:
            assert ("mask resampled from 53×53×31 voxels" in row["reason"]) is (row["reader"] == "2")
        assert float(qc[2]["dice"]) > 0.85

    def test_no_path_of_the_machine_reaches_a_table(self, project):
        qc = self.quality(project)
        assert {row["image"] for row in qc} == {"DCE1.nii.gz"}
        assert {row["mask"] for row in qc} == {"reader1.nii.gz", "reader2.nii.gz"}
        assert not any("/" in cell for row in qc for cell in (row["image"], row["mask"], row["reason"]))

    def test_enhancement_is_numpy_s(self, project, real_data):
        """Mean percentage enhancement of reader 1's tumour, from the files with numpy; relative 1e-9."""
        source = real_data / "duke_breast_mri_153/nifti_crop"
        images = {n: sitk.ReadImage(str(source / f"images/DUKE_153/{f}.nii.gz")) for n, f in PHASES.items()}
        mask = sitk.ReadImage(str(source / "segmentations/box_threshold_derived/DUKE_153.nii.gz"))
        inside = sitk.GetArrayFromImage(mask) > 0
        before, after = (sitk.GetArrayFromImage(images[n])[inside].astype(float) for n in ("DCE0", "DCE1"))
        threshold = sitk.LiThresholdImageFilter()
        threshold.Execute(images["DCE0"])
        expected = (100 * (after - before) / np.maximum(before, threshold.GetThreshold())).mean()
        features = pd.read_parquet(project.folder / f"results/{RUN}/features/cohort.parquet")
        first = features[features["reader"] == "1"].iloc[0]
        assert first["DCE1__tumour_volume__original_firstorder_Mean"] == pytest.approx(expected, rel=1e-9)
        assert len(features) == 2 and features.shape[1] == 2 + 2 * 1023

    def test_nothing_more_to_do_afterwards(self, project):
        assert project.jobs() == {}
