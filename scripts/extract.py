"""Extract one patient's sequence: features, quality control and the overlay. A bad case is recorded, not raised."""

from pathlib import Path

from her2radiomics.extraction import draw_overlay, extract_case, write_case
from her2radiomics.script import logged, settings_from


def asked_for(params):
    """Preprocessing and filter padding, where the protocol asks for other than the default."""
    if not params.options:
        return {}
    from her2radiomics.extraction.options import log_sigmas
    from her2radiomics.imaging.preprocessing_settings import Preprocessing

    return {
        "preprocessing": settings_from(Preprocessing, params.options["preprocessing"]),
        "precontrast": params.precontrast,
        "log_padding": log_sigmas(params.options["log_padding"]),
    }


def main(snakemake):
    rows, regions = snakemake.params.rows, snakemake.params.regions
    result = extract_case(
        rows,
        regions=regions,
        parameters=Path(snakemake.input.parameters),
        expected_features=snakemake.params.features,
        root=snakemake.params.root,
        **asked_for(snakemake.params),
    )
    simulated = snakemake.params.simulated
    draw_overlay(rows, regions, snakemake.output.overlay, simulated=simulated, case=result.case)
    write_case(result, snakemake.output.features, snakemake.output.qc)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
