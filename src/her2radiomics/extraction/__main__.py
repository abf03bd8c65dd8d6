"""Command line door for one case: ``python -m her2radiomics.extraction IMAGE MASK PARAMETERS``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.errors import StudyError
from her2radiomics.core.settings import load
from her2radiomics.extraction.engine import extract
from her2radiomics.extraction.filters import EXACT_LOG_PADDING, LOG_PADDING
from her2radiomics.extraction.loading import load_case
from her2radiomics.extraction.parameters import read_parameters
from her2radiomics.imaging import make_region
from her2radiomics.imaging.preprocessing_settings import Preprocessing

if TYPE_CHECKING:
    from her2radiomics.extraction.engine import Values
    from her2radiomics.extraction.parameters import Parameters


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
    parser.add_argument(
        "--preprocessing",
        type=Path,
        metavar="FILE",
        help="YAML file with the keys of a protocol's preprocessing (n4, subtract, clip, normalise, resample, "
        "resample_mask)",
    )
    parser.add_argument(
        "--precontrast", type=Path, metavar="IMAGE", help="image that the preprocessing subtracts"
    )
    parser.add_argument(
        "--exact-log",
        action="store_true",
        help="Laplacian of Gaussian to the last digits (crops padded by 20 σ)",
    )
    parser.add_argument("--output", type=Path, help="CSV file (default: standard output)")
    options = parser.parse_args(arguments)

    try:
        names = list(dict.fromkeys(options.region or ["tumour_volume"]))
        parameters, values = _extract(options, names)
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


def _extract(options: argparse.Namespace, names: Sequence[str]) -> tuple[Parameters, dict[str, Values]]:
    """The parameter file as read, and the features of each region; warnings go to standard error."""
    parameters = read_parameters(options.parameters)
    preprocessing = None
    if options.preprocessing:  # settings cost 0.15 s of imports: a third of a small case
        preprocessing = load(Preprocessing, options.preprocessing)
        preprocessing.refuse_twice(parameters.settings, str(options.parameters))
    row = {"patient_id": "", "sequence": "", "reader": "", "image": str(options.image), "mask_label": ""}
    rows = [row | {"region": "tumour", "mask": str(options.mask), "mask_label": options.label or ""}]
    if options.breast:
        rows.append(row | {"region": "breast", "mask": str(options.breast)})
    case = load_case(rows, preprocessing, precontrast=options.precontrast or "")
    for problem in case.problems.values():
        raise problem
    for warning in case.warnings[""]:
        print(f"warning: {warning}", file=sys.stderr)
    assert case.image is not None
    regions = {name: make_region(case.masks[""], name, case.breast) for name in names}
    padding = EXACT_LOG_PADDING if options.exact_log else LOG_PADDING
    return parameters, extract(case.image, regions, parameters, log_padding=padding)


if __name__ == "__main__":
    sys.exit(main())
