"""Columns of one patient from files: values by hand, and the reason where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.core.measures import MEASURES, Measured
from her2radiomics.extraction.measuring import measure_patient

sitk = pytest.importorskip("SimpleITK")
SPACING = (1.0, 1.0, 2.0)
#: Seconds after the injection to the tumour's signal; the gland around stays at 80.
PHASES = {-20: 100, 30: 150, 90: 220, 150: 210, 270: 180}


def write(path, voxels, spacing=SPACING):
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))
    return str(path)


@pytest.fixture
def rows(tmp_path) -> list[ManifestRow]:
    """A tumour of 6 × 5 × 3 voxels in a gland, with five phases and two b-values on one grid."""
    tumour = np.zeros((6, 12, 14), dtype=bool)
    tumour[1:4, 3:8, 4:10] = True
    mask = write(tmp_path / "mask.nii.gz", tumour.astype(np.uint8))

    def made(name, signal, **more):
        voxels = np.full(tumour.shape, 80.0)
        voxels[tumour] = signal
        outlined = {"mask": mask} if name in ("DCE2", "DWI") else {}
        image = write(tmp_path / f"{name}.nii.gz", voxels)
        return ManifestRow(patient_id="P1", sequence=name, image=image, **outlined, **more)

    phases = [made(f"DCE{k}", s, seconds=str(t)) for k, (t, s) in enumerate(PHASES.items())]
    diffusion = [made("B0", 1000.0, b_value="0"), made("DWI", 1000 * math.exp(-0.9), b_value="900")]
    return [*phases, *diffusion]


def measured(rows, measure, sequence="DCE2", **settings):
    asked = Measured(measure=measure, sequence=sequence, **settings)
    return measure_patient(rows, {"x": asked}, reader="1")["x"]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("initial_enhancement", 120),
        ("peak_enhancement", 120),
        ("time_to_peak", 90),
        ("wash_in", 80),  # 120 % in 1.5 min
        ("late_change", -100 * 40 / 220),
        ("wash_out", -100 * 40 / 220 / 3),  # in 3 min
        ("tic_type", 2),
        ("signal_enhancement_ratio", 110 / 80),  # phases nearest to 150 and 450 s: 150 and 270
        ("functional_tumour_volume", 90 * 2 / 1000),  # all 90 voxels of 2 mm³ enhance by 110 %
        ("maximum_diameter", math.sqrt(25 + 16 + 36)),  # x 5, y 4 and, between faces, z 3 × 2 mm
        ("slice_diameter", math.sqrt(36 + 16)),  # between faces x 6, y 4
        ("cross_section_area", 30 / 100),
        ("volume", 90 * 2 / 1000),
    ],
)
def test_values_by_hand(rows, measure, expected):
    found = measured(rows, measure)
    assert found.reason == ""
    assert found.value == pytest.approx(expected)


def test_every_measure_is_measured(rows):
    for name in MEASURES:
        found = measured(rows, name, "DWI" if name.startswith("adc") else "DCE2")
        assert found.reason == "" and math.isfinite(found.value), name


def test_adc_from_b_values_and_from_a_map(rows, tmp_path):
    assert measured(rows, "adc_mean", "DWI").value == pytest.approx(1.0, rel=1e-6)
    voxels = np.full((6, 12, 14), 950.0)
    voxels[2, 5, 6] = 1700.0
    own = ManifestRow(patient_id="P1", sequence="ADC", image=write(tmp_path / "adc.nii.gz", voxels))
    own_rows = [*rows, own]
    assert measured(own_rows, "adc_minimum", "DWI", adc_map="ADC").value == pytest.approx(0.95)
    mean = (89 * 0.95 + 1.7) / 90
    assert measured(own_rows, "adc_mean", "DWI", adc_map="ADC").value == pytest.approx(mean)
    below = measured(own_rows, "adc_mean", "DWI", adc_map="ADC", adc_below=1.4)
    assert below.value == pytest.approx(0.95)


def test_a_spot_has_its_own_curve(rows, tmp_path):
    """Nine voxels that wash out in a tumour that does not."""
    changed = []
    for row in rows[:5]:
        voxels = sitk.GetArrayFromImage(sitk.ReadImage(row.image))
        signal = {-20: 100, 30: 200, 90: 300, 150: 250, 270: 200}[int(row.seconds)]
        voxels[voxels > 80] = 100 if row.seconds == "-20" else 200
        voxels[2, 4:7, 5:8] = signal
        changed.append(row.model_copy(update={"image": write(tmp_path / f"spot_{row.sequence}.nii.gz", voxels)}))
    assert measured(changed, "late_change", spot=True).value == pytest.approx(-100 / 3)
    assert measured(changed, "tic_type").value == 1  # mean of 81 voxels at 200 and nine at 300, then 200: −4.8 %


@pytest.mark.parametrize(
    ("change", "measure", "said"),
    [
        (lambda rows: rows[1:], "tic_type", "found no phase before the injection"),
        (lambda rows: rows[:3], "tic_type", "found no phase after 120 s"),
        (lambda rows: [*rows[5:], rows[2].model_copy(update={"seconds": ""})], "tic_type", "found no phases"),
        (lambda rows: [row for row in rows if row.sequence != "B0"], "adc_mean", "images of 1 b-value"),
        (lambda rows: [row.model_copy(update={"mask": ""}) for row in rows], "volume", "no outline of reader 1"),
        (
            lambda rows: [*rows, rows[1].model_copy(update={"sequence": "again"})],
            "time_to_peak",
            "found DCE1 and again with the same 'seconds' (30)",
        ),
    ],
)
def test_missing_images_leave_a_missing_value_with_the_reason(rows, change, measure, said):
    found = measured(change(rows), measure, "DWI" if measure == "adc_mean" else "DCE2")
    assert found.value is None
    assert said in found.reason


def test_one_columns_failure_is_not_anothers(rows, tmp_path):
    asked = {
        "adc": Measured(measure="adc_mean", sequence="DWI"),
        "tic": Measured(measure="tic_type", sequence="DCE2"),
        "volume": Measured(measure="volume", sequence="DCE2"),
    }
    late = tmp_path / "DCE4.nii.gz"
    late.unlink()
    found = measure_patient(rows, asked, reader="1")
    assert found["tic"].value is None and found["adc"].reason == found["volume"].reason == ""
    assert "found no such file" in found["tic"].reason
    assert str(tmp_path) not in found["tic"].reason and "DCE4.nii" not in found["tic"].reason


def test_a_phase_on_another_grid_is_no_phase_of_the_series(rows, tmp_path):
    write(tmp_path / "DCE4.nii.gz", np.full((6, 12, 14), 80.0) + np.arange(14), spacing=(1.0, 1.0, 3.0))
    found = measured(rows, "late_change")
    assert found.value is None
    assert "sequence DCE4: found an image of spacing (1, 1, 3) mm" in found.reason


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"measure": "volume", "early_seconds": 90}, "early_seconds: the measure 'volume' does not read it"),
        ({"measure": "adc_mean", "spot": True}, "spot: the measure 'adc_mean' does not read it"),
        ({"measure": "wash_out", "late_seconds": 100}, "not after the early time of 120 s"),
        ({"measure": "washout"}, "Input should be"),
    ],
)
def test_settings_that_no_measure_reads_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Measured(sequence="DCE2", **settings)


@pytest.mark.real
def test_the_public_case_from_its_files(real_data):
    """UCSF-BR-06 in its volume of interest: functional tumour volume as its DICOM states it, 40.64 cm³."""
    case = real_data / "breast_mri_nact_pilot/mama_mia_layout"
    rows = [
        ManifestRow(
            patient_id="NACT_06",
            sequence=f"DCE{k}",
            image=str(case / f"images/NACT_06/nact_06_000{k}.nii.gz"),
            mask=str(case / "segmentations/voi/NACT_06.nii.gz"),
            seconds=seconds,
        )
        for k, seconds in enumerate(("-230", "177", "531"))
    ]
    assert measured(rows, "functional_tumour_volume", "DCE1").value == pytest.approx(40.64, abs=0.005)
