"""The command line for one case: ``python -m her2radiomics.extraction IMAGE MASK PARAMETERS``."""

from __future__ import annotations

import argparse
import contextlib
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from her2radiomics import imaging
from her2radiomics.core.errors import StudyError
from her2radiomics.extraction.filters import EXACT_LOG_PADDING, LOG_PADDING
from her2radiomics.extraction.outlines import Outline, load
from her2radiomics.extraction.parameters import read_parameters
from her2radiomics.extraction.regions import extract_outlines
from her2radiomics.imaging.formats import formats_in_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Extract one case and write a CSV row per region; bad input exits 1 with one clear line."""
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.extraction",
        description="PyRadiomics features of one image's regions, as CSV: a row per region.",
    )
    steps = "n4, subtract, clip, normalise, resample, resample_mask"
    for name, text in (
        ("image", formats_in_words()),
        ("mask", "tumour mask on the image's grid"),
        ("parameters", "PyRadiomics parameter file (YAML)"),
        ("--breast", "breast mask that limits rings"),
        ("--preprocessing", f"YAML file with the keys of a protocol's preprocessing ({steps})"),
        ("--precontrast", "image that the preprocessing subtracts"),
        ("--output", "CSV file (default: standard output)"),
    ):
        parser.add_argument(name, type=Path, metavar="FILE" if name[0] == "-" else None, help=text)
    regions = "tumour_volume (default), tumour_slice, ring_<r>mm_volume, ring_<r>mm_slice; may be repeated"
    parser.add_argument("--region", action="append", metavar="NAME", help=regions)
    parser.add_argument("--label", help="mask value of the tumour, where the mask holds several")
    exact = "Laplacian of Gaussian to the last digits (crops padded by 20 sigma)"
    parser.add_argument("--exact-log", action="store_true", help=exact)
    options = parser.parse_args(arguments)
    try:
        header, rows = _extract(options)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    with contextlib.ExitStack() as stack:
        stream = sys.stdout
        if options.output is not None:
            stream = stack.enter_context(options.output.open("w", newline="", encoding="utf-8"))
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return 0


def _extract(options: argparse.Namespace) -> tuple[list[str], list[list[str]]]:
    """The table's header and rows; warnings go to standard error."""
    parameters = read_parameters(options.parameters)
    preprocessing = None
    if options.preprocessing:
        preprocessing = imaging.Preprocessing.read(options.preprocessing)
        preprocessing.refuse_twice(parameters.settings, str(options.parameters))
    case = load(
        options.image,
        {"": Outline(options.mask, options.label or "")},
        preprocessing,
        breast=Outline(options.breast) if options.breast else None,
        precontrast=options.precontrast,
    )
    for name, notes in case.warnings.items():
        for note in notes:
            print(f"warning: {f'{name} {note}'.strip()}", file=sys.stderr)
    regions = list(dict.fromkeys(options.region or ["tumour_volume"]))
    padding = EXACT_LOG_PADDING if options.exact_log else LOG_PADDING
    (found,) = extract_outlines(case, parameters, regions, log_padding=padding).values()
    rows = [[name, *map(repr, values.values())] for name, values in found.features().items()]
    return ["region", *parameters.feature_names], rows


if __name__ == "__main__":
    sys.exit(main())
