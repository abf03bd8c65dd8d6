"""Extract one patient's sequence: features, quality control and the overlay. A bad case is recorded, not raised."""

from pathlib import Path

from her2radiomics.extraction import draw_overlay, extract_case, write_case
from her2radiomics.script import logged


def main(snakemake):
    rows, regions = snakemake.params.rows, snakemake.params.regions
    result = extract_case(
        rows,
        regions=regions,
        parameters=Path(snakemake.input.parameters),
        expected_features=snakemake.params.features,
    )
    simulated = snakemake.params.simulated
    draw_overlay(rows, regions, snakemake.output.overlay, simulated=simulated, case=result.case)
    write_case(result, snakemake.output.features, snakemake.output.qc)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
