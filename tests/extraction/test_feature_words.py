"""Names of features in words."""

from __future__ import annotations

import pytest

from her2radiomics.extraction.names import feature_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("log-sigma-2-0-mm-3D_firstorder_Skewness", "LoG σ 2 mm, first-order skewness"),
        ("wavelet-LHH_firstorder_90Percentile", "wavelet LHH, first-order 90th percentile"),
        ("squareroot_glcm_Imc2", "square root, GLCM informational measure of correlation 2"),
        ("lbp-3D-m1_glcm_MCC", "LBP 3-D m1, GLCM maximal correlation coefficient"),
        ("original_shape_Maximum2DDiameterSlice", "original, shape maximum 2-D diameter in the slice"),
        ("original_glrlm_GrayLevelNonUniformityNormalized", "original, GLRLM grey-level non-uniformity normalised"),
        ("my_own_feature", "my own feature"),
    ],
)
def test_features_are_named_in_words(name: str, words: str):
    assert feature_words(name) == words
