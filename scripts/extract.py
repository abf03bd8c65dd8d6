"""Extract some patients' images of one sequence: features, quality control, overlays. A bad case is recorded, not raised."""

from pathlib import Path

from her2radiomics.cohort.identity import printed_names
from her2radiomics.extraction.batch import FEATURES, OVERLAY, QC, run_batch
from her2radiomics.extraction.names import without_files
from her2radiomics.extraction.store import CaseStore, case_key
from her2radiomics.script import logged, settings_from

SHARED = ("regions", "features", "options", "root", "simulated", "numbered")


def asked_for(options, precontrast):
    """Preprocessing and filter padding, where the protocol asks for other than the default."""
    if not options:
        return {}
    from her2radiomics.extraction.options import log_sigmas
    from her2radiomics.imaging.preprocessing_settings import Preprocessing

    return {
        "preprocessing": settings_from(Preprocessing, options["preprocessing"]),
        "precontrast": precontrast,
        "log_padding": log_sigmas(options["log_padding"]),
    }


def names_in(case):
    """What the files of a case are called where no file's name may be printed."""
    names = {path: name for row in case["rows"] for path, name in printed_names(row).items()}
    return names | ({case["precontrast"]: "image to subtract"} if case["precontrast"] else {})


def extract(case, params, parameters, folder):
    """One case's files; whether all readers and regions succeeded."""
    from her2radiomics.extraction import draw_overlay, extract_case, write_case

    result = extract_case(
        case["rows"],
        regions=params.regions,
        parameters=parameters,
        expected_features=params.features,
        root=params.root,
        **asked_for(params.options, case["precontrast"]),
    )
    if params.numbered:
        without_files(result, names_in(case), params.root)
    draw_overlay(case["rows"], params.regions, folder / OVERLAY, simulated=params.simulated, case=result.case)
    write_case(result, folder / FEATURES, folder / QC)
    return all(row["status"] != "failed" for row in result.qc)


def main(snakemake):
    params, output = snakemake.params, snakemake.output
    parameters = Path(snakemake.input.parameters)
    shared = {name: getattr(params, name) for name in SHARED}
    keys = {}
    for patient, case in params.cases.items():
        paths = [row[name] for row in case["rows"] for name in ("image", "mask")] + [case["precontrast"]]
        keys[patient] = case_key([*dict.fromkeys(filter(None, paths)), parameters], {**shared, **case})
    computed = run_batch(
        keys,
        lambda patient, folder: extract(params.cases[patient], params, parameters, folder),
        CaseStore(Path(output.features).parent / ".cases"),
        sequence=snakemake.wildcards.sequence,
        features=output.features,
        qc=output.qc,
        overlays=output.overlays,
    )
    print(
        f"{len(computed)} of {len(keys)} cases were computed ({', '.join(computed) or 'all were in the store'})"
    )


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
