"""Every image and mask of a plan opened and laid on each other, side by side, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from her2radiomics.extraction.loading import load_case
from her2radiomics.study.plan import Plan

Rows = list[dict[str, str]]


def cases_of(plan: Plan) -> list[Rows]:
    """The manifest's rows of every case of patients' images that some run extracts, each once."""
    found: dict[tuple[str, str, str], Rows] = {}
    for run in plan.runs.values():
        if run.extracted and not run.dataset.simulated:
            for patient, sequence in run.cases():
                found[run.dataset.id, patient, sequence] = run.dataset.case_rows(patient, sequence)
    return list(found.values())


def open_images(
    plan: Plan, *, cores: int = 1, steps: Callable[[Sequence[int]], Iterator[int]] = iter
) -> tuple[int, list[str], list[str]]:
    """Open every image and mask of the patients' cohorts.

    Parameters
    ----------
    plan
        The plan; simulated images, which its rules make, are not looked at.
    cores
        Processes side by side.
    steps
        Wraps the numbers of the cases as they end, for a progress line.

    Returns
    -------
    tuple of (int, list of str, list of str)
        How many cases were opened; what is wrong, a sentence each; and what is to be looked at.
    """
    cases = cases_of(plan)
    wrong: list[str] = []
    doubtful: list[str] = []
    with ProcessPoolExecutor(max(1, min(cores, len(cases) or 1))) as pool:
        ended = pool.map(_open, cases)
        for number in steps(range(len(cases))):
            problems, doubts = next(ended)
            named = f"patient {cases[number][0]['patient_id']}, sequence {cases[number][0]['sequence']}"
            wrong += problems
            doubtful += [f"{named}, {doubt}" for doubt in doubts]
    return len(cases), wrong, doubtful


def _open(rows: Rows) -> tuple[list[str], list[str]]:
    """What is wrong with a case, and what is doubtful."""
    case = load_case(rows)
    problems = list(dict.fromkeys(str(problem) for problem in case.problems.values()))
    return problems, [f"reader {name}: {note}" for name, notes in case.warnings.items() for note in notes]
