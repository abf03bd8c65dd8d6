"""Command line for a saved model: ``python -m her2radiomics.modelling predict MODEL FEATURES PARTICIPANTS``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from her2radiomics.core.contracts import FIRST_READER
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.settings import load
from her2radiomics.engine.jobs.modelling import extraction_hashes
from her2radiomics.modelling import load_model
from her2radiomics.modelling.saved.application import apply_model, hashes_of, meeting, read_features, read_people
from her2radiomics.modelling.saved.extrapolation import find_extrapolated
from her2radiomics.modelling.tables import reader_rows
from her2radiomics.study.protocol import Protocol

if TYPE_CHECKING:
    from her2radiomics.modelling.saved.fitted import FittedModel


def main(arguments: Sequence[str] | None = None) -> int:
    """Apply a model and write a CSV row per patient; bad input exits 1 with one clear line."""
    options = _parser().parse_args(arguments)

    try:
        model = load_model(options.model)
        notes: list[str] = []
        features = read_features(options.features, [item.name for item in model.rule.features()], notes)
        if features is not None:
            features = reader_rows(features, options.reader).drop(columns="reader", errors="ignore")
        people = read_people(options.participants, features, model.columns, notes)
        people, left_out = meeting(features, people, omit=options.incomplete == "omit")
        hashes = hashes_of(options.extraction)
        if options.protocol is not None:
            hashes = _of_protocol(options.protocol) | hashes
        table = apply_model(model, features, people, extraction=hashes, incomplete=options.incomplete)
        filled = model.imputed(features, people, typed=False)
        obstacles = model.obstacles(features, people, typed=False)
        beyond = find_extrapolated(model, features, people, typed=False)
    except TableError as error:
        print(f"error: {_in_files(error, options.features, options.participants)}", file=sys.stderr)
        return 1
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for row in filled.itertuples():
        print(
            f"note: patient {row.patient_id}, '{row.column}': no value; filled with {row.filled_with}, from training",
            file=sys.stderr,
        )
    left_out += [
        f"patient {row.patient_id} is left out: '{row.column}' is {repr(row.found) if row.found else 'empty'}, expected "
        f"{row.expected}"
        for row in obstacles.itertuples()
    ]
    notes += [
        f"patient {row.patient_id}, '{row.column}': {row.value:g} lies outside the range of training, {row.low:g} to "
        f"{row.high:g}"
        for row in beyond.itertuples()
    ]
    for note in [*notes, *left_out, *_notes(model, hashes)]:
        print(f"note: {note}", file=sys.stderr)
    text = table.to_csv(index=False, lineterminator="\n")
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text, encoding="utf-8", newline="\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m her2radiomics.modelling", description="Use a model that was trained by the workflow."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    predict = commands.add_parser(
        "predict",
        help="score, probability, class and nomogram points of new patients",
        description="Score (log-odds), probability, class at the locked threshold and nomogram points of new patients, "
        "as CSV: a row per patient.",
    )
    predict.add_argument("model", type=Path, help="model.json")
    predict.add_argument(
        "features",
        help="feature table (CSV, TSV, XLSX, ODS or Parquet) with patient_id and, where there are several readers, reader; "
        "- for a model without image features",
    )
    predict.add_argument(
        "participants",
        help="participants table (CSV, TSV, XLSX, ODS or Parquet) with patient_id and the clinical columns, as text; - for "
        "a model without clinical columns",
    )
    predict.add_argument(
        "--reader",
        default=FIRST_READER,
        help="the reader whose rows of the feature table are used (default: %(default)s)",
    )
    predict.add_argument("--output", type=Path, help="CSV file (default: standard output)")
    predict.add_argument(
        "--extraction",
        action="append",
        default=[],
        metavar="SEQUENCE=HASH",
        help="hash of the settings with which a sequence's features were extracted (under 'extraction' in the model.json "
        "of any model made from them), compared with that of training; may be repeated",
    )
    predict.add_argument(
        "--protocol",
        type=Path,
        metavar="STUDY.yaml",
        help="study protocol with whose sequences the features were extracted: the hashes are taken from it; its parameter "
        "files are looked for in ../extraction beside its folder",
    )
    predict.add_argument(
        "--incomplete",
        choices=("refuse", "omit"),
        default="refuse",
        help="patients who lack a value that the model does not fill, or have a category that it never saw: "
        "refuse (default) or leave them out",
    )
    return parser


def _of_protocol(path: Path) -> dict[str, str]:
    """Hashes of a protocol's sequences."""
    sequences = {name: item.model_dump(mode="json") for name, item in load(Protocol, path).sequences.items()}
    folder = path.resolve().parent.parent / "extraction"
    files = [str(folder / f"{item['parameters']}.yaml") for item in sequences.values()]
    absent = [file for file in files if not Path(file).is_file()]
    if absent:
        raise StudyError(f"{path}: found no parameter file '{absent[0]}', expected it beside the protocol.")
    return extraction_hashes(sequences, files)


def _in_files(error: TableError, features: str, participants: str) -> TableError:
    """The same error with the names of the files that were given."""
    return error.renamed(
        file={
            "feature table": features,
            "participants table": participants,
            "table to predict": " and ".join(name for name in (features, participants) if name != "-"),
        }
    )


def _notes(model: FittedModel, hashes: dict[str, str]) -> list[str]:
    """What a user must know of the numbers."""
    notes = []
    if model.content["simulated"]:
        notes.append("the model was trained on simulated patients: its predictions mean nothing for real ones")
    if model.empty:
        notes.append("training selected nothing: the model is its intercept, the same for everybody")
    used = sorted(model.sequences - set(hashes))
    if used and model.content["extraction"]:
        notes.append(
            f"the extraction settings of {', '.join(s or 'the features' for s in used)} were not compared with "
            "training's; say --protocol or --extraction"
        )
    if not model.drawable and not model.empty:
        notes.append("the model has no nomogram, so there are no points")
    return notes


if __name__ == "__main__":
    sys.exit(main())
