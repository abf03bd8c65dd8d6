"""Preprocessing of images: each step against a library run directly, numpy, or a hand calculation."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from radiomics import imageoperations

from her2radiomics.core.errors import CaseError, SettingsError
from her2radiomics.core.settings import validate
from her2radiomics.extraction import extract_features
from her2radiomics.imaging.preprocessing import preprocess, resampled_grid, resegmented
from her2radiomics.imaging.preprocessing_settings import Preprocessing, Resegment
from her2radiomics.imaging.threads import one_thread

BINS = "setting: {binWidth: 25}\nimageType: {Original: {}}\nfeatureClass: {firstorder: [], glcm: [], glszm: []}\n"


def settings(**keys) -> Preprocessing:
    return validate(Preprocessing, keys, "preprocessing")


def as_image(voxels, like=None, spacing=(0.8, 0.8, 2.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(voxels)
    if like is None:
        image.SetSpacing(spacing)
        image.SetOrigin((-20.5, 11.25, 3.0))
    else:
        image.CopyInformation(like)
    return image


def array(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image)


@pytest.fixture(scope="module")
def breast():
    """A half-ellipsoid of two tissues and a lesion in noisy air; image, breast, lesion and the two tissues."""
    generator = np.random.default_rng(4)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (24, 60, 64)), indexing="ij")
    inside = x**2 + (0.9 * (y - 0.4)) ** 2 + (0.6 * z) ** 2 < 0.8
    gland = inside & (x**2 + (y - 0.2) ** 2 + z**2 < 0.3)
    lesion = (x + 0.25) ** 2 + (y - 0.3) ** 2 + (0.8 * z) ** 2 < 0.03
    voxels = generator.normal(0, 6, inside.shape) + 400 * inside + 250 * gland + 220 * lesion
    image = as_image(np.clip(voxels, 1, None).astype(np.float32))
    masks = {"lesion": lesion, "breast": inside, "fat": inside & ~gland & ~lesion, "gland": gland & ~lesion}
    return image, {name: as_image(mask.astype(np.uint8), image) for name, mask in masks.items()}


def variation(image: sitk.Image, mask: sitk.Image) -> float:
    values = array(image)[array(mask) > 0]
    return float(values.std() / values.mean())


@pytest.fixture(scope="module")
def biased(breast):
    """The same image under a smooth field, and the field."""
    image, _ = breast
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in array(image).shape), indexing="ij")
    field = np.exp(0.35 * x - 0.25 * y + 0.2 * z * x)
    return as_image((array(image) * field).astype(np.float32), image), field


class TestBiasField:
    def test_a_planted_field_is_recovered(self, breast, biased):
        """Within one tissue the coefficient of variation falls to a third, and the fit follows the planted field."""
        _, masks = breast
        image, field = biased
        done = preprocess(image, settings(n4={}), {"lesion": masks["lesion"]}, breast=masks["breast"])
        for tissue in ("fat", "gland"):
            assert variation(done.image, masks[tissue]) < variation(image, masks[tissue]) / 3
        inside = array(masks["breast"]) > 0
        found = (array(image) / array(done.image))[inside]
        assert np.corrcoef(np.log(found), np.log(field[inside]))[0, 1] > 0.99

    def test_it_is_simpleitk_s_filter_with_the_options_as_given(self, breast, biased):
        _, masks = breast
        image, _ = biased
        asked = {"shrink_factor": 2, "iterations": [20, 10], "convergence": 0.002, "control_points": 5}
        done = preprocess(image, settings(n4=asked), {}, breast=masks["breast"])
        direct = sitk.N4BiasFieldCorrectionImageFilter()
        direct.SetMaximumNumberOfIterations([20, 10])
        direct.SetConvergenceThreshold(0.002)
        direct.SetNumberOfControlPoints([5, 5, 5])
        small = [sitk.Shrink(item, [2, 2, 2]) for item in (image, masks["breast"])]
        with one_thread():  # several threads sum in another order: 5e-5
            direct.Execute(*small)
        field = np.exp(array(direct.GetLogBiasFieldAsImage(image)))
        np.testing.assert_allclose(array(done.image), array(image) / field, rtol=1e-6)

    def test_the_same_bytes_whatever_the_number_of_threads(self, biased):
        image, _ = biased
        threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        made = []
        for count in (1, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(count)
            made.append(array(preprocess(image, settings(n4={}), {}).image))
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == count
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        assert made[0].tobytes() == made[1].tobytes()

    def test_both_phases_are_divided_by_the_field_of_the_image(self, breast, biased):
        """b(S − S₀) / b: the difference of the corrected phases is the corrected difference."""
        _, masks = breast
        image, _ = biased
        before = as_image(array(image) * 0.6, image)
        corrected = array(preprocess(image, settings(n4={}), {}, breast=masks["breast"]).image)
        done = preprocess(image, settings(n4={}, subtract="DCE0"), {}, breast=masks["breast"], precontrast=before)
        np.testing.assert_allclose(array(done.image), 0.4 * corrected, rtol=1e-4, atol=1e-4)

    def test_a_map_without_positive_voxels_is_refused(self, breast):
        image, _ = breast
        with pytest.raises(CaseError, match="0 positive voxels to fit the bias field to"):
            preprocess(as_image(-array(image), image), settings(n4={"within": "image"}), {})


class TestIntensities:
    @pytest.mark.parametrize("within", ["breast", "foreground", "image"])
    def test_z_scores_have_mean_0_and_sd_1_where_they_are_taken(self, breast, within):
        image, masks = breast
        done = array(preprocess(image, settings(normalise={"within": within}), {}, breast=masks["breast"]).image)
        inside = {
            "breast": array(masks["breast"]) > 0,
            "foreground": array(sitk.LiThreshold(image, 0, 1)) > 0,
            "image": np.ones(done.shape, bool),
        }[within]
        assert done[inside].mean() == pytest.approx(0, abs=1e-12)
        assert done[inside].std(ddof=1) == pytest.approx(1, rel=1e-12)
        # one affine map: nothing else happened to the image
        slope, offset = np.polyfit(array(image).ravel().astype(float), done.ravel(), 1)
        np.testing.assert_allclose(done, slope * array(image) + offset, atol=1e-9)

    def test_scale_and_shift(self, breast):
        image, _ = breast
        plain = array(preprocess(image, settings(normalise={"within": "image"}), {}).image)
        scaled = settings(normalise={"within": "image", "scale": 100, "shift": 300})
        np.testing.assert_allclose(array(preprocess(image, scaled, {}).image), 100 * plain + 300, rtol=1e-12)

    def test_foreground_is_the_tissue(self, breast):
        """Li's threshold parts tissue from air: at least 99 of 100 voxels as they were made."""
        image, masks = breast
        foreground = array(sitk.LiThreshold(image, 0, 1)) > 0
        assert (foreground == (array(masks["breast"]) > 0)).mean() > 0.99

    def test_whole_image_z_score_is_pyradiomics_normalize(self, breast, tmp_path):
        """The image to 1e-12 of its scale, and the features that stock PyRadiomics makes of it to 1e-9."""
        image, masks = breast
        done = preprocess(image, settings(normalise={"within": "image", "scale": 100}), {}).image
        stock = imageoperations.normalizeImage(sitk.Cast(image, sitk.sitkFloat64), normalizeScale=100)
        np.testing.assert_allclose(array(done), array(stock), rtol=0, atol=1e-10)
        plain, normalised = tmp_path / "plain.yaml", tmp_path / "normalised.yaml"
        plain.write_text(BINS)
        normalised.write_text(BINS.replace("binWidth: 25", "binWidth: 25, normalize: true, normalizeScale: 100"))
        double = sitk.Cast(image, sitk.sitkFloat64)
        region = {"lesion": masks["lesion"]}
        ours = extract_features(double, region, plain, {"normalise": {"within": "image", "scale": 100}})
        theirs = extract_features(double, region, normalised)
        np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), rtol=1e-9)

    def test_clipping_to_percentiles(self, breast):
        image, masks = breast
        asked = settings(clip={"low": 2, "high": 97.5, "within": "breast"})
        done = array(preprocess(image, asked, {}, breast=masks["breast"]).image)
        low, high = np.percentile(array(image)[array(masks["breast"]) > 0].astype(float), (2, 97.5))
        np.testing.assert_array_equal(done, np.clip(array(image).astype(float), low, high))

    def test_clipping_comes_before_the_z_score(self, breast):
        image, _ = breast
        both = settings(clip={"low": 5, "high": 95}, normalise={"within": "image"})
        voxels = array(image).astype(float)
        clipped = np.clip(voxels, *np.percentile(voxels, (5, 95)))
        expected = (clipped - clipped.mean()) / clipped.std(ddof=1)
        np.testing.assert_allclose(array(preprocess(image, both, {}).image), expected, atol=1e-12)

    @pytest.mark.parametrize(
        "keys",
        [
            {"normalise": {"within": "breast"}},
            {"n4": {"within": "breast"}},
            {"clip": {"low": 1, "high": 99, "within": "breast"}},
        ],
    )
    def test_no_breast_mask_is_an_error_that_says_so(self, breast, keys):
        with pytest.raises(CaseError, match="no breast mask.*within: foreground or within: image"):
            preprocess(breast[0], settings(**keys), {})

    def test_nothing_to_normalise_by(self, breast):
        image, masks = breast
        flat = np.where(array(masks["breast"]) > 0, 7.0, array(image))
        with pytest.raises(CaseError, match="voxels of one intensity within the breast"):
            preprocess(as_image(flat, image), settings(normalise={"within": "breast"}), {}, breast=masks["breast"])

    @pytest.mark.parametrize(
        "step", [{"normalise": {"within": "breast"}}, {"clip": {"low": 1, "high": 9, "within": "breast"}}]
    )
    def test_an_empty_breast_mask(self, breast, step):
        image, masks = breast
        with pytest.raises(CaseError, match="no voxel within the breast"):
            preprocess(image, settings(**step), {}, breast=as_image(0 * array(masks["breast"]), image))

    def test_a_stray_voxel_is_no_foreground(self, breast):
        image, _ = breast
        stray = sitk.Image(image)
        stray[0, 0, 0] = 1e9
        with pytest.raises(CaseError, match="1 voxels of one intensity within the foreground.*stray bright voxel"):
            preprocess(stray, settings(normalise={"within": "foreground"}), {})


class TestSubtraction:
    def test_difference_with_negative_values(self, breast):
        image, _ = breast
        before = as_image(array(image)[::-1].copy(), image)
        done = array(preprocess(image, settings(subtract="DCE0"), {}, precontrast=before).image)
        np.testing.assert_array_equal(done, array(image).astype(float) - array(before))
        assert done.min() < 0 < done.max()

    def test_unsigned_images_do_not_wrap_around(self):
        voxels = np.random.default_rng(1).integers(0, 200, (6, 8, 8)).astype(np.uint8)
        image, before = as_image(voxels), as_image(255 - voxels)
        done = array(preprocess(image, settings(subtract="DCE0"), {}, precontrast=before).image)
        np.testing.assert_array_equal(done, 2.0 * voxels - 255)

    def test_relative_enhancement_in_percent(self, breast):
        """By hand within the breast; in the air the denominator is held at Li's threshold."""
        image, masks = breast
        inside = array(masks["breast"]) > 0
        before = as_image(np.where(inside, 200.0, array(image)), image)
        threshold = sitk.LiThresholdImageFilter()
        threshold.Execute(before)
        asked = settings(subtract="DCE0", subtract_as="percent")
        done = array(preprocess(image, asked, {"1": masks["lesion"]}, precontrast=before).image)
        after = array(image).astype(float)
        np.testing.assert_allclose(done[inside], 100 * (after[inside] - 200) / 200, rtol=1e-12, atol=1e-12)
        assert 10 < threshold.GetThreshold() < 200
        noise = as_image(np.where(inside, 200.0, array(image) + 9), image)
        threshold.Execute(noise)
        done = array(preprocess(image, asked, {}, precontrast=noise).image)
        np.testing.assert_allclose(done[~inside].mean(), -100 * 9 / threshold.GetThreshold(), rtol=0.05)

    def test_a_dark_pre_contrast_lesion_is_warned_of(self, breast):
        image, masks = breast
        lesion = array(masks["lesion"]) > 0
        air = array(masks["breast"]) == 0
        before = as_image(np.where(lesion | air, 1.0, 200.0), image)
        asked = settings(subtract="DCE0", subtract_as="percent")
        done = preprocess(image, asked, {"1": masks["lesion"]}, precontrast=before)
        count = int(lesion.sum())
        assert f"in {count} of {count} tumour voxels the pre-contrast signal lies below" in done.warnings["1"][0]

    def test_a_phase_without_positive_values_has_no_percentages(self, breast):
        image, _ = breast
        asked = settings(subtract="DCE0", subtract_as="percent")
        with pytest.raises(CaseError, match="pre-contrast image whose foreground starts at -"):
            preprocess(image, asked, {}, precontrast=as_image(-array(image) - 50, image))

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda image: image.SetOrigin((-20.5, 11.26, 3.0)), "origin"),
            (lambda image: image.SetSpacing((0.8, 0.8, 2.001)), "spacing"),
        ],
    )
    def test_another_grid_is_refused(self, breast, change, words):
        image, _ = breast
        before = sitk.Image(image)
        change(before)
        with pytest.raises(CaseError, match=f"pre-contrast image .DCE0. of {words}.*registration"):
            preprocess(image, settings(subtract="DCE0"), {}, precontrast=before)

    def test_a_missing_phase_and_one_subtracted_from_itself(self, breast):
        image, _ = breast
        with pytest.raises(CaseError, match="no image of DCE0"):
            preprocess(image, settings(subtract="DCE0"), {})
        with pytest.raises(CaseError, match="constant image .*after preprocessing"):
            preprocess(image, settings(subtract="DCE0"), {}, precontrast=image)


class TestResampling:
    def test_the_grid_by_hand(self):
        """10 voxels of 0.7 mm are 7 mm: 7 of 1 mm, whose first centre lies 0.5 − 0.35 mm further in."""
        size, spacing, shift = resampled_grid((10, 10, 4), (0.7, 0.7, 3.0), (1.0, None, 2.0))
        assert (size, spacing) == ([7, 10, 6], [1.0, 0.7, 2.0])
        np.testing.assert_allclose(shift, [0.15, 0.0, -0.5], atol=1e-12)
        # 100 float32 voxels of 0.7 are 70.0000001 mm, not 71 voxels
        assert resampled_grid((100,) * 3, (float(np.float32(0.7)),) * 3, (1.0,) * 3)[0] == [70] * 3

    @pytest.mark.parametrize("interpolator", ["linear", "b_spline", "nearest"])
    def test_a_constant_stays_constant(self, breast, interpolator):
        image = as_image(np.full((9, 11, 12), 37.5))
        asked = settings(resample={"spacing_mm": [1.1, 0.6, 1.0], "interpolator": interpolator})
        done = preprocess(image, asked, {}).image
        np.testing.assert_allclose(done.GetSpacing(), (1.1, 0.6, 1.0))
        np.testing.assert_allclose(array(done), 37.5, rtol=1e-12)

    @pytest.mark.parametrize("direction", [np.eye(3), np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]])])
    def test_a_linear_ramp_stays_linear_in_the_patient(self, direction):
        """f = 3x − 2y + 5z at every voxel's place, on an oblique grid; up to half a voxel inside the border."""
        tilt = np.deg2rad(20)
        turn = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])

        def places(image):
            index = np.stack(np.meshgrid(*(np.arange(n) for n in image.GetSize()), indexing="ij"), -1)
            axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
            return (index @ axes.T + image.GetOrigin()).transpose(2, 1, 0, 3)

        image = as_image(np.zeros((12, 20, 18)))
        image.SetDirection((turn @ direction).ravel().tolist())
        ramp = as_image(places(image) @ [3.0, -2.0, 5.0], image)
        asked = settings(resample={"spacing_mm": [0.5, 1, None], "interpolator": "linear"})
        done = preprocess(ramp, asked, {}).image
        assert done.GetSize() == (29, 16, 12)
        # the fields of view share their centre
        middle = [(n - 1) / 2 for n in done.GetSize()]
        before = [(n - 1) / 2 for n in ramp.GetSize()]
        np.testing.assert_allclose(
            done.TransformContinuousIndexToPhysicalPoint(middle),
            ramp.TransformContinuousIndexToPhysicalPoint(before),
            atol=1e-9,
        )
        inner = (slice(None), slice(1, -1), slice(1, -1))
        np.testing.assert_allclose(array(done)[inner], (places(done) @ [3.0, -2.0, 5.0])[inner], atol=1e-6)

    @pytest.mark.parametrize("interpolation", ["nearest", "linear"])
    def test_masks_keep_their_volume(self, breast, interpolation):
        image, masks = breast
        asked = settings(resample={"spacing_mm": [1, 1, 1], "mask": interpolation})
        done = preprocess(image, asked, {"1": masks["lesion"]}, breast=masks["breast"])
        for before, after in ((masks["lesion"], done.masks["1"]), (masks["breast"], done.breast)):
            assert after.GetSize() == done.image.GetSize()
            assert set(np.unique(array(after))) == {0, 1}
            assert array(after).sum() * 1.0 == pytest.approx(array(before).sum() * 1.28, rel=0.03)
        assert done.warnings["1"] == []

    def test_a_lesion_that_vanishes_is_that_reader_s_problem(self, breast):
        image, masks = breast
        small = np.zeros(array(image).shape, np.uint8)
        small[12, 30:32, 30:32] = 1
        asked = settings(resample={"spacing_mm": [3, 3, 3], "interpolator": "linear"})
        done = preprocess(image, asked, {"1": masks["lesion"], "2": as_image(small, image)})
        assert list(done.masks) == ["1"]
        assert "after resampling to 3×3×3 mm" in str(done.problems["2"])

    def test_a_grid_that_fills_the_memory_is_refused(self, breast):
        with pytest.raises(CaseError, match="expected at most 268435456"):
            preprocess(breast[0], settings(resample={"spacing_mm": [0.05, 0.05, 0.05]}), {})


class TestSettings:
    @pytest.mark.parametrize(
        ("keys", "words"),
        [
            ({"n5": {}}, "did you mean 'n4'"),
            ({"clip": {"low": 99, "high": 1}}, "low < high"),
            ({"normalise": {}}, "'normalise.within' is missing"),
            ({"resample": {"spacing_mm": [None, 0, None]}}, "not all of them null"),
            ({"subtract_as": "percent"}, "without subtract"),
            ({"n4": {}, "subtract": "DCE0", "subtract_as": "percent"}, "cancels in a ratio"),
        ],
    )
    def test_mistakes(self, keys, words):
        with pytest.raises(SettingsError, match=words):
            settings(**keys)

    @pytest.mark.parametrize(
        ("keys", "setting"),
        [
            ({"normalise": {"within": "image"}}, "normalize: true"),
            ({"resample": {"spacing_mm": [1, 1, 1]}}, "resampledPixelSpacing: [1, 1, 1]"),
        ],
    )
    def test_parameter_file_and_preprocessing_do_not_both_do_it(self, breast, keys, setting, tmp_path):
        image, masks = breast
        path = tmp_path / "both.yaml"
        path.write_text(BINS.replace("binWidth: 25", f"binWidth: 25, {setting}"))
        with pytest.raises(SettingsError, match="expected one of the two"):
            extract_features(image, {"lesion": masks["lesion"]}, path, keys)

    def test_nothing_is_done_by_default(self, breast):
        image, masks = breast
        done = preprocess(image, Preprocessing(), {"1": masks["lesion"]})
        assert done.image is image and done.masks["1"] is masks["lesion"]


def test_n4_on_a_real_sagittal_volume(real_data):
    """The fat within the breast of a real image gets more even; sizes and header stay."""
    path = real_data / "breast_mri_nact_pilot/mama_mia_layout/images/NACT_06/nact_06_0000.nii.gz"
    image = sitk.ReadImage(str(path))
    done = preprocess(image, settings(n4={}), {}).image
    assert (done.GetSize(), done.GetOrigin()) == (image.GetSize(), image.GetOrigin())
    voxels = array(image)
    tissue = as_image(
        ((voxels > 40) & (voxels < 160) & (array(sitk.LiThreshold(image, 0, 1)) > 0)).astype(np.uint8), image
    )
    assert variation(done, tissue) < variation(image, tissue)


class TestResegmentation:
    """IBSI-1's re-segmentation: intensity mask by range and outliers, shape by the whole region."""

    def test_range_and_outliers_by_hand(self):
        voxels = np.array([[[0, 10, 20, 30, 40, 1000]] * 3] * 3, dtype=np.float64)
        image, mask = as_image(voxels), as_image(np.ones(voxels.shape, dtype=np.uint8))
        kept = array(resegmented(image, mask, Resegment(low=10, high=30)))
        assert kept[0, 0].tolist() == [0, 1, 1, 1, 0, 0]
        mean, spread = voxels.mean(), voxels.std()  # of the whole region, population
        kept = array(resegmented(image, mask, Resegment(outliers_sd=1)))
        assert kept[0, 0].tolist() == (np.abs(voxels[0, 0] - mean) <= spread).astype(int).tolist() == [1] * 5 + [0]
        both = array(resegmented(image, mask, Resegment(low=20, outliers_sd=1)))
        assert both[0, 0].tolist() == [0, 0, 1, 1, 1, 0]
        with pytest.raises(CaseError, match="after resegmentation"):
            resegmented(image, mask, Resegment(low=2000))

    def test_a_range_is_pyradiomics_own_and_leaves_the_shape(self, breast, tmp_path):
        image, mask = breast[0], breast[1]["gland"]
        text = "setting: {{binWidth: 25{more}}}\nimageType: {{Original: {{}}}}\n"
        text += "featureClass: {{shape: [], firstorder: [], glcm: []}}\n"
        plain, own = tmp_path / "plain.yaml", tmp_path / "own.yaml"
        plain.write_text(text.format(more=""))
        values = array(image)[array(mask) != 0]
        low, high = (float(np.percentile(values, share)) for share in (20, 90))
        own.write_text(text.format(more=f", resegmentRange: [{low}, {high}]"))
        ours = extract_features(image, {"r": mask}, plain, {"resegment": {"low": low, "high": high}}).loc["r"]
        theirs = extract_features(image, {"r": mask}, own).loc["r"]
        np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-9)
        with pytest.raises(SettingsError, match="resegmentRange"):
            extract_features(image, {"r": mask}, own, {"resegment": {"low": low}})

    def test_bins_start_at_the_lower_bound(self, breast, tmp_path):
        """Grey level 1 is the first bin above low, though the region's minimum lies bins above it."""
        image, mask = breast[0], breast[1]["gland"]
        file = tmp_path / "p.yaml"
        file.write_text("setting: {binWidth: 7}\nimageType: {Original: {}}\nfeatureClass: {glcm: [JointAverage]}\n")
        low = float(array(image)[array(mask) != 0].min()) - 3.5 * 7
        asked = {"resegment": {"low": low, "bins_from_low": True}}
        shifted = extract_features(image - low, {"r": mask}, file, {"resegment": {"low": 0.0, "bins_from_low": True}})
        np.testing.assert_allclose(extract_features(image, {"r": mask}, file, asked), shifted, rtol=1e-9)
        assert (shifted > extract_features(image - low - 3.5 * 7, {"r": mask}, file) + 2.5).all(axis=None)

    def test_rounding_to_whole_units(self, breast):
        image = preprocess(breast[0] + 0.3, settings(round=True), {}).image
        assert np.array_equal(array(image), np.round(array(image)))

    @pytest.mark.parametrize("wrong", [{}, {"low": 5, "high": 5}, {"outliers_sd": 3, "bins_from_low": True}])
    def test_settings_that_say_nothing_are_refused(self, wrong):
        with pytest.raises(SettingsError):
            validate(Resegment, wrong, "resegment")
