"""Extract some patients' images of one sequence: features, quality control, overlays. A bad case is recorded, not raised."""

from pathlib import Path

from her2radiomics.cohort.identity import printed_names
from her2radiomics.core.errors import CaseError
from her2radiomics.engine.jobs.attempts import Attempt
from her2radiomics.engine.jobs.batch import FEATURES, OVERLAY, QC, Case, run_batch
from her2radiomics.engine.jobs.case_store import CaseStore
from her2radiomics.engine.jobs.hidden_names import without_files
from her2radiomics.engine.script import logged, settings_from

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
    from her2radiomics.extraction import extract_case

    result = extract_case(
        case["rows"],
        regions=params.regions,
        parameters=parameters,
        expected_features=params.features,
        root=params.root,
        **asked_for(params.options, case["precontrast"]),
    )
    return write(result, case, params, folder)


def give_up(case, params, parameters, folder, found):
    """The files of a case that no attempt could compute."""
    from her2radiomics.extraction.case import failed_case

    error = CaseError(
        found=found,
        expected="a case that fits into the memory of its job",
        remedy="Crop or resample the image, give the job more memory (--set-resources extract:mem_mb=12000), or exclude "
        "the patient with a reason.",
    )
    result = failed_case(case["rows"], error, regions=params.regions, parameters=parameters, root=params.root)
    write(result, case, params, folder)


def write(result, case, params, folder):
    from her2radiomics.extraction import draw_overlay, write_case

    if params.numbered:
        without_files(result, names_in(case), params.root)
    draw_overlay(case["rows"], params.regions, folder / OVERLAY, simulated=params.simulated, case=result.case)
    write_case(result, folder / FEATURES, folder / QC)
    return all(row["status"] != "failed" for row in result.qc)


def files_of(case):
    """Image, masks and the image to subtract, each once."""
    paths = [row[name] for row in case["rows"] for name in ("image", "mask")] + [case["precontrast"]]
    return list(dict.fromkeys(filter(None, paths)))


def main(snakemake):
    params, output, resources = snakemake.params, snakemake.output, snakemake.resources
    parameters = Path(snakemake.input.parameters)
    # run by hand, the script shares its process with Snakemake's plan
    memory = None if getattr(snakemake, "by_hand", False) else resources.get("mem_mb")
    attempt = Attempt(resources.attempt, params.attempts, memory)
    attempt.begin()
    shared = {name: getattr(params, name) for name in SHARED}
    cases = {
        patient: Case((*files_of(case), parameters), {**shared, **case})
        for patient, case in params.cases.items()
    }
    computed = run_batch(
        cases,
        lambda patient, folder: extract(params.cases[patient], params, parameters, folder),
        CaseStore(Path(output.batch_features).parent / ".cases"),
        sequence=snakemake.wildcards.sequence,
        features=output.batch_features,
        qc=output.batch_qc,
        overlays=output.batch_overlays,
        attempt=attempt,
        give_up=lambda patient, folder, found: give_up(
            params.cases[patient], params, parameters, folder, found
        ),
    )
    print(
        f"{len(computed)} of {len(cases)} cases were computed ({', '.join(computed) or 'all were in the store'})"
    )


# the images of a brought cohort are no inputs of the rule
with logged(snakemake, [path for case in snakemake.params.cases.values() for path in files_of(case)]):  # noqa: F821
    main(snakemake)  # noqa: F821
