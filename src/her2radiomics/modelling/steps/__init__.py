"""The steps of a radiomics model before its estimator."""
