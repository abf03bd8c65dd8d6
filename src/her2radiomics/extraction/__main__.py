"""Command line door for one case: ``python -m her2radiomics.extraction IMAGE MASK PARAMETERS``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from her2radiomics.errors import StudyError


def main(arguments: Sequence[str] | None = None) -> int:
    """Extract one case and write a CSV row a region; bad input exits 1 with one clear line."""
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.extraction",
        description="PyRadiomics features of one image's regions, as CSV: a row a region.",
    )
    parser.add_argument(
        "image", type=Path, help="NIfTI, NRRD or MetaImage file, or a folder with one DICOM series"
    )
    parser.add_argument("mask", type=Path, help="tumour mask on the image's grid")
    parser.add_argument("parameters", type=Path, help="PyRadiomics parameter file (YAML)")
    parser.add_argument(
        "--region",
        action="append",
        metavar="NAME",
        help="tumour_volume (default), tumour_slice, ring_<r>mm_volume, ring_<r>mm_slice; may be repeated",
    )
    parser.add_argument("--label", help="mask value of the tumour, where the mask holds several")
    parser.add_argument("--breast", type=Path, help="breast mask that limits rings")
    parser.add_argument("--output", type=Path, help="CSV file (default: standard output)")
    options = parser.parse_args(arguments)

    from her2radiomics.extraction.engine import extract
    from her2radiomics.extraction.parameters import read_parameters
    from her2radiomics.imaging import make_region, read_image, read_mask

    try:
        parameters = read_parameters(options.parameters)
        image = read_image(options.image)
        mask = read_mask(options.mask, image, options.label)
        breast = read_mask(options.breast, image) if options.breast else None
        names = list(dict.fromkeys(options.region or ["tumour_volume"]))
        regions = {name: make_region(mask, name, breast) for name in names}
        values = extract(image, regions, parameters)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    header = ["region", *parameters.feature_names]
    lines = [
        [name, *(repr(row[feature]) for feature in parameters.feature_names)] for name, row in values.items()
    ]
    if options.output is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows([header, *lines])
    else:
        with options.output.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows([header, *lines])
    return 0


if __name__ == "__main__":
    sys.exit(main())
