"""The IBSI-1 digital phantom: consensus values of every feature that PyRadiomics defines as IBSI does.

Source: Zwanenburg et al., The Image Biomarker Standardization Initiative, Radiology 295 (2020) 328-338;
reference values of the digital phantom. They are printed to three significant digits: tolerance half of the
third, or the consensus' own where it gives one. Texture is compared with IBSI's 3-D matrices averaged over
directions.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from her2radiomics.extraction import extract_features

PHANTOM = Path(os.environ.get("HER2RADIOMICS_DATA", "")) / "ibsi_digital_phantom"
PARAMETERS = """
setting: {binWidth: 1}
imageType: {Original: {}}
featureClass: {shape: [], firstorder: [], glcm: [], glrlm: [], glszm: [], gldm: [], ngtdm: []}
"""
# PyRadiomics' name after 'original_': IBSI's tag
TAGS = {
    "shape": "Elongation morph_pca_elongation Flatness morph_pca_flatness Maximum3DDiameter morph_diam "
    "MeshVolume morph_volume VoxelVolume morph_vol_approx Sphericity morph_sphericity SurfaceArea morph_area_mesh "
    "SurfaceVolumeRatio morph_av",
    "firstorder": "10Percentile stat_p10 90Percentile stat_p90 Energy stat_energy Entropy ih_entropy "
    "InterquartileRange stat_iqr Maximum stat_max MeanAbsoluteDeviation stat_mad Mean stat_mean "
    "Median stat_median Minimum stat_min Range stat_range RobustMeanAbsoluteDeviation stat_rmad "
    "RootMeanSquared stat_rms Skewness stat_skew Uniformity ih_uniformity Variance stat_var",
    "glcm": "Autocorrelation cm_auto_corr ClusterProminence cm_clust_prom ClusterShade cm_clust_shade "
    "ClusterTendency cm_clust_tend Contrast cm_contrast Correlation cm_corr DifferenceAverage cm_diff_avg "
    "DifferenceEntropy cm_diff_entr DifferenceVariance cm_diff_var Id cm_inv_diff Idm cm_inv_diff_mom "
    "Idmn cm_inv_diff_mom_norm Idn cm_inv_diff_norm Imc1 cm_info_corr1 Imc2 cm_info_corr2 "
    "InverseVariance cm_inv_var JointAverage cm_joint_avg JointEnergy cm_energy JointEntropy cm_joint_entr "
    "MaximumProbability cm_joint_max SumAverage cm_sum_avg SumEntropy cm_sum_entr SumSquares cm_joint_var",
    "glrlm": "ShortRunEmphasis rlm_sre LongRunEmphasis rlm_lre LowGrayLevelRunEmphasis rlm_lgre "
    "HighGrayLevelRunEmphasis rlm_hgre ShortRunLowGrayLevelEmphasis rlm_srlge "
    "ShortRunHighGrayLevelEmphasis rlm_srhge LongRunLowGrayLevelEmphasis rlm_lrlge "
    "LongRunHighGrayLevelEmphasis rlm_lrhge GrayLevelNonUniformity rlm_glnu "
    "GrayLevelNonUniformityNormalized rlm_glnu_norm RunLengthNonUniformity rlm_rlnu "
    "RunLengthNonUniformityNormalized rlm_rlnu_norm RunPercentage rlm_r_perc GrayLevelVariance rlm_gl_var "
    "RunVariance rlm_rl_var RunEntropy rlm_rl_entr",
    "glszm": "SmallAreaEmphasis szm_sze LargeAreaEmphasis szm_lze LowGrayLevelZoneEmphasis szm_lgze "
    "HighGrayLevelZoneEmphasis szm_hgze SmallAreaLowGrayLevelEmphasis szm_szlge "
    "SmallAreaHighGrayLevelEmphasis szm_szhge LargeAreaLowGrayLevelEmphasis szm_lzlge "
    "LargeAreaHighGrayLevelEmphasis szm_lzhge GrayLevelNonUniformity szm_glnu "
    "GrayLevelNonUniformityNormalized szm_glnu_norm SizeZoneNonUniformity szm_zsnu "
    "SizeZoneNonUniformityNormalized szm_zsnu_norm ZonePercentage szm_z_perc GrayLevelVariance szm_gl_var "
    "ZoneVariance szm_zs_var ZoneEntropy szm_zs_entr",
    "gldm": "SmallDependenceEmphasis ngl_lde LargeDependenceEmphasis ngl_hde LowGrayLevelEmphasis ngl_lgce "
    "HighGrayLevelEmphasis ngl_hgce SmallDependenceLowGrayLevelEmphasis ngl_ldlge "
    "SmallDependenceHighGrayLevelEmphasis ngl_ldhge LargeDependenceLowGrayLevelEmphasis ngl_hdlge "
    "LargeDependenceHighGrayLevelEmphasis ngl_hdhge GrayLevelNonUniformity ngl_glnu "
    "DependenceNonUniformity ngl_dcnu DependenceNonUniformityNormalized ngl_dcnu_norm "
    "GrayLevelVariance ngl_gl_var DependenceVariance ngl_dc_var DependenceEntropy ngl_dc_entr",
    "ngtdm": "Coarseness ngt_coarseness Contrast ngt_contrast Busyness ngt_busyness Complexity ngt_complexity "
    "Strength ngt_strength",
}
ENDINGS = {"glcm": "_3D_avg", "glrlm": "_3D_avg", "glszm": "_3D", "gldm": "_3D", "ngtdm": "_3D"}
NOT_IN_IBSI = {
    "original_shape_Maximum2DDiameterColumn",  # diameters within the planes of the grid
    "original_shape_Maximum2DDiameterRow",
    "original_shape_Maximum2DDiameterSlice",
    "original_glcm_MCC",  # maximal correlation coefficient
    "original_firstorder_TotalEnergy",  # energy × voxel volume
}


@pytest.mark.real
def test_consensus_values(tmp_path):
    if not PHANTOM.is_dir():
        pytest.skip("the IBSI digital phantom named by HER2RADIOMICS_DATA is not here")
    with (PHANTOM / "ibsi_1_dig_phantom.csv").open() as stream:
        rows = {row["tag"]: row for row in csv.DictReader(stream, delimiter=";")}
    parameters = tmp_path / "ibsi.yaml"
    parameters.write_text(PARAMETERS)
    image, mask = PHANTOM / "nifti" / "image" / "phantom.nii.gz", PHANTOM / "nifti" / "mask" / "mask.nii.gz"
    found = extract_features(image, {"phantom": mask}, parameters).loc["phantom"]
    compared = set()
    for kind, words in TAGS.items():
        names = iter(words.split())
        for name, tag in zip(names, names, strict=True):
            row = rows[tag + ENDINGS.get(kind, "")]
            value = float(row["reference value"])
            tolerance = max(float(row["tolerance"]), 0.005 * abs(value))
            assert found[f"original_{kind}_{name}"] == pytest.approx(value, abs=tolerance, rel=0), (name, tag)
            compared.add(f"original_{kind}_{name}")
    # IBSI divides the covariance of the 74 voxels' positions by n − 1, PyRadiomics by n
    for name, tag in (("MajorAxis", "maj"), ("MinorAxis", "min"), ("LeastAxis", "least")):
        value = float(rows[f"morph_pca_{tag}_axis"]["reference value"])
        length = found[f"original_shape_{name}Length"] * (74 / 73) ** 0.5
        assert length == pytest.approx(value, abs=0.05 if value > 10 else 0.005)
        compared.add(f"original_shape_{name}Length")
    # PyRadiomics' kurtosis is 3 for a normal distribution, IBSI's excess kurtosis 0
    kurtosis = float(rows["stat_kurt"]["reference value"])
    assert found["original_firstorder_Kurtosis"] - 3 == pytest.approx(kurtosis, abs=0.0005)
    assert compared | NOT_IN_IBSI | {"original_firstorder_Kurtosis"} == set(found.index)
