"""The simulated images: bytes, geometry, contents, readers."""

import copy
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.settings import load, read_yaml, validate
from her2radiomics.simulation import SimulationSettings, roster, simulate_patient

sitk = pytest.importorskip("SimpleITK")
EXAMPLE = Path(__file__).with_name("example.yaml")
SEED = 11


@pytest.fixture(scope="module")
def settings() -> SimulationSettings:
    return load(SimulationSettings, EXAMPLE)


@pytest.fixture(scope="module")
def cohort(settings):
    return roster(settings, size="small", seed=SEED)


@pytest.fixture(scope="module")
def folder(settings, cohort, tmp_path_factory) -> Path:
    """All eight patients, in the roster's order."""
    place = tmp_path_factory.mktemp("cohort")
    for patient in cohort.truth["patient_id"]:
        simulate_patient(settings, size="small", seed=SEED, patient_id=patient, folder=place)
    return place


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.nii.gz"))
    }


def array(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def rows(cohort, **where):
    table = cohort.manifest
    for column, value in where.items():
        table = table[table[column] == value]
    return list(table.itertuples())


def test_exactly_the_files_of_the_manifest_are_written(cohort, folder):
    named = set(cohort.manifest["image"]) | set(cohort.manifest["mask"]) - {""}
    assert set(hashes(folder)) == named
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".gz"}


def test_same_bytes_in_another_process_order_thread_count_and_strength(cohort, folder, tmp_path):
    """Two patients in reversed order, in a fresh process with four threads and another strength."""
    patients = ["south-002", "N-001"]
    code = (
        "from her2radiomics.core.settings import load; from her2radiomics.simulation import *;"
        f"s = load(SimulationSettings, {str(EXAMPLE)!r});"
        f"[simulate_patient(s, size='small', seed={SEED}, patient_id=p, folder={str(tmp_path)!r}, strength=0)"
        f" for p in {patients!r}]"
    )
    threads = {
        name: "4" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
    }
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **threads}, capture_output=True, encoding="utf-8"
    )
    assert told.returncode == 0, told.stderr
    again, first = hashes(tmp_path), hashes(folder)
    assert len(again) == len([name for name in first if any(p in name for p in patients)]) > 0
    assert all(first[name] == value for name, value in again.items())


def test_gzip_header_holds_no_time(cohort, folder):
    """RFC 1952: bytes 4 to 7 are the modification time; zero means none."""
    for path in folder.rglob("*.nii.gz"):
        assert path.read_bytes()[4:8] == bytes(4)


def test_another_seed_gives_other_images(settings, folder, tmp_path):
    simulate_patient(settings, size="small", seed=SEED + 1, patient_id="N-001", folder=tmp_path)
    ours, other = hashes(folder), hashes(tmp_path)
    assert all(ours[name] != value for name, value in other.items() if name.startswith("images"))


def test_voxels_and_field_of_view_are_the_centres(settings, cohort, folder):
    families = {"DCE0": "dce", "DCE2": "dce", "T2FS": "t2", "T2": "t2", "DWI": "dwi", "ADC": "dwi"}
    for patient, key in (("N-001", "north"), ("south-001", "south")):
        for sequence, family in families.items():
            image = sitk.ReadImage(str(folder / f"images/{patient}/{patient}_{sequence}.nii.gz"))
            voxel = settings.centres[key].voxels[family]
            wanted = (voxel.in_plane_mm, voxel.in_plane_mm, voxel.slice_mm)
            np.testing.assert_allclose(image.GetSpacing(), wanted, rtol=1e-6)
            extent = np.array(image.GetSize()) * wanted
            field = np.array(settings.sizes["small"].extent_mm)
            assert np.all(extent <= field + 1e-6) and np.all(extent > field - wanted)
            centre = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
            np.testing.assert_allclose(centre, 0, atol=1e-4)
            np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-12)
            assert image.GetPixelIDValue() == sitk.sitkInt16


def test_a_size_may_have_longer_voxels(settings, tmp_path):
    small = settings.sizes["small"].model_copy(update={"voxel_factor": 1.25})
    coarse = settings.model_copy(update={"sizes": settings.sizes | {"small": small}})
    simulate_patient(coarse, size="small", seed=3, patient_id="N-001", folder=tmp_path)
    image = sitk.ReadImage(str(tmp_path / "images/N-001/N-001_DWI.nii.gz"))
    voxel = settings.centres["north"].voxels["dwi"]
    wanted = np.array([voxel.in_plane_mm, voxel.in_plane_mm, voxel.slice_mm]) * 1.25
    np.testing.assert_allclose(image.GetSpacing(), wanted, rtol=1e-6)
    extent = np.array(image.GetSize()) * wanted
    assert np.all(extent <= np.array(small.extent_mm) + 1e-6)


def test_masks_fit_their_images_and_hold_one_piece(cohort, folder):
    for row in rows(cohort, region="tumour"):
        if not row.mask:
            continue
        image, mask = (sitk.ReadImage(str(folder / path)) for path in (row.image, row.mask))
        assert image.GetSize() == mask.GetSize()
        np.testing.assert_allclose(image.GetSpacing(), mask.GetSpacing(), rtol=1e-6)
        np.testing.assert_allclose(image.GetOrigin(), mask.GetOrigin(), atol=1e-5)
        assert set(np.unique(sitk.GetArrayFromImage(mask))) == {0, 1}
        assert sitk.GetArrayFromImage(sitk.ConnectedComponent(mask)).max() == 1
        assert sitk.GetArrayFromImage(mask).sum() >= 50


def test_tumour_lies_in_the_breast(cohort, folder):
    for row in rows(cohort, region="breast", sequence="DCE2"):
        tumour = array(folder / row.mask.replace("breast", "reader1")) > 0
        breast = array(folder / row.mask) > 0
        assert 0.05 < breast.mean() < 0.95
        assert (tumour & breast).sum() > 0.97 * tumour.sum()


def test_tumours_look_as_they_should(cohort, folder):
    """Enhancing after contrast, bright on DWI, dark on ADC against the rest of the breast."""
    for patient in cohort.truth["patient_id"]:
        inside = {
            s: array(folder / f"masks/{patient}/{patient}_{s}_reader1.nii.gz") > 0 for s in ("DCE2", "DWI", "ADC")
        }
        image = {s: array(folder / f"images/{patient}/{patient}_{s}.nii.gz") for s in ("DCE0", *inside)}
        before, after = image["DCE0"][inside["DCE2"]].mean(), image["DCE2"][inside["DCE2"]].mean()
        assert after > 1.3 * before
        assert 300 < after < 2000
        for s in ("DCE2", "DWI"):
            breast = array(folder / f"masks/{patient}/{patient}_{s}_breast.nii.gz") > 0
            assert image[s][inside[s]].mean() > 1.5 * image[s][breast & ~inside[s]].mean()


def test_adc_map_returns_the_planted_diffusion(cohort, folder):
    """Median inside the outline, away from necrosis, against the planted ADC: within 20 % (noise, partial volume)."""
    truth = cohort.truth.set_index("patient_id")
    ratios = []
    for patient in truth.index:
        inside = array(folder / f"masks/{patient}/{patient}_ADC_reader1.nii.gz") > 0
        measured = np.percentile(array(folder / f"images/{patient}/{patient}_ADC.nii.gz")[inside], 40)
        ratios.append(measured / (1000 * truth.loc[patient, "adc"]))
    assert np.median(ratios) == pytest.approx(1, abs=0.2)


def test_grey_levels_at_bin_width_25(cohort, folder):
    """Between 8 and 128 levels in every outline, and 16 to 64 in the middle of the cohort."""
    levels = []
    for row in rows(cohort, region="tumour", reader="1"):
        if row.sequence in ("DCE2", "T2FS", "DWI"):
            values = array(folder / row.image)[array(folder / row.mask) > 0]
            levels.append(int(values.max() // 25 - values.min() // 25 + 1))
    assert 8 <= min(levels) and max(levels) <= 128
    assert 16 <= np.median(levels) <= 64


def test_readers_agree_as_human_readers_do(cohort, folder):
    """Dice about .91 on the largest slice and .86 in the volume were aimed at; 40 pairs, means within .03."""
    flat, solid = [], []
    for row in rows(cohort, region="tumour", reader="1"):
        if not row.mask:
            continue
        one = array(folder / row.mask) > 0
        two = array(folder / row.mask.replace("reader1", "reader2")) > 0
        assert not np.array_equal(one, two)
        largest = one.sum(axis=(1, 2)).argmax()
        solid.append(dice(one, two))
        flat.append(dice(one[largest], two[largest]))
    assert np.mean(flat) == pytest.approx(0.91, abs=0.03)
    assert np.mean(solid) == pytest.approx(0.86, abs=0.03)
    assert np.mean(flat) > np.mean(solid)


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * (one & two).sum() / (one.sum() + two.sum())


def test_readers_without_errors_agree_and_find_the_planted_size(tmp_path):
    section = read_yaml(EXAMPLE)
    section["readers"] |= {"contour_sd_mm": 0, "offset_sd_mm": 0}
    exact = validate(SimulationSettings, section, "example")
    truth = roster(exact, size="small", seed=SEED).truth.set_index("patient_id")
    simulate_patient(exact, size="small", seed=SEED, patient_id="N-002", folder=tmp_path)
    one, two = (array(tmp_path / f"masks/N-002/N-002_DCE2_reader{k}.nii.gz") for k in (1, 2))
    np.testing.assert_array_equal(one, two)
    volume = one.sum() * 0.9 * 0.9 * 1.5
    # the border's waves have mean zero, so that the mean radius is the planted one, to 15 %
    assert (volume / (4 / 3 * np.pi)) ** (1 / 3) == pytest.approx(truth.loc["N-002", "radius_mm"], rel=0.15)


def test_noise_is_the_centres(settings, folder):
    """Rayleigh noise in air: mean σ√(π/2), σ = 1000/SNR × gain; the background adds to it (here taken as 0)."""
    section = read_yaml(EXAMPLE)
    for centre in section["centres"].values():
        centre["background"] = 0
    section["sequences"] = {"DCE2": section["sequences"]["DCE2"]}
    quiet = validate(SimulationSettings, section, "example")
    truth = roster(quiet, size="small", seed=SEED).truth.set_index("patient_id")
    for patient, key in (("N-003", "north"), ("south-003", "south")):
        simulate_patient(quiet, size="small", seed=SEED, patient_id=patient, folder=folder / "quiet")
        image = array(folder / f"quiet/images/{patient}/{patient}_DCE2.nii.gz")
        corners = np.concatenate([image[:, :4, :8].ravel(), image[:, :4, -8:].ravel()])
        centre = quiet.centres[key]
        sigma = 1000 / centre.snr["dce"] * centre.gain * truth.loc[patient, "gain_value"]
        assert corners.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.08)


def test_patients_without_images_are_refused(settings, tmp_path):
    for patient, said in (("N-006", "is excluded"), ("N-099", "no patient 'N-099'")):
        with pytest.raises(SettingsError, match=said):
            simulate_patient(settings, size="small", seed=1, patient_id=patient, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_readers_whose_errors_exceed_the_tumour_are_reported(tmp_path):
    section = copy.deepcopy(read_yaml(EXAMPLE))
    section["readers"]["offset_sd_mm"] = 500.0
    section["sequences"] = {"DCE2": section["sequences"]["DCE2"]}
    wild = validate(SimulationSettings, section, "example")
    with pytest.raises(CaseError, match="an empty outline"):
        for patient in ("N-001", "N-002", "N-003", "N-004"):
            simulate_patient(wild, size="small", seed=1, patient_id=patient, folder=tmp_path)
