"""The roster: every participant, every image to come, and the planted truth. Needs numpy and pandas only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.core.seeds import stream
from her2radiomics.core.tables import assemble
from her2radiomics.simulation.biology import Biology, biology, phase_minutes
from her2radiomics.simulation.column_settings import CategoricalColumn, ContinuousColumn
from her2radiomics.simulation.columns import Drawn, Outcome, depends_on_outcome, draw_after, draw_before
from her2radiomics.simulation.exact import exact_levels
from her2radiomics.simulation.settings import SimulationSettings
from her2radiomics.simulation.traits import TRAITS, draw_traits


@dataclass(frozen=True)
class Roster:
    """Who and what a simulated cohort holds.

    ``participants`` has a row per participant, all text; ``manifest`` a row per image and reader, all text,
    paths relative to the cohort's folder; ``truth`` a row per participant with images: ``patient_id``,
    ``centre``, the traits, the physical quantities, ``linear_score`` (strength × weighted predictors),
    ``noise``, ``outcome_score`` (their sum) and ``outcome`` (0/1).
    """

    participants: pd.DataFrame
    manifest: pd.DataFrame
    truth: pd.DataFrame
    size: str
    seed: int
    strength: float


@dataclass(frozen=True)
class Member:
    """One participant before the outcome; ``excluded`` is the index of the reason, or None."""

    patient_id: str
    centre: str
    excluded: int | None
    traits: dict[str, float]
    body: Biology


def members(settings: SimulationSettings, *, size: str, seed: int) -> list[Member]:
    """List the participants: each centre's included ones, then its excluded ones, numbered from 1.

    Raises
    ------
    SettingsError
        The size is unknown, or the seed is negative.
    """
    if size not in settings.sizes:
        raise SettingsError(f"simulation: no size '{size}'; known sizes: {', '.join(settings.sizes)}")
    if seed < 0:
        raise SettingsError(f"simulation: found the seed {seed}; expected 0 or more")
    return [
        enrol(settings, centre=centre, number=number, excluded=excluded, seed=seed)
        for centre in settings.centres
        for number, excluded in _places(settings, centre, size)
    ]


def enrol(settings: SimulationSettings, *, centre: str, number: int, excluded: int | None, seed: int) -> Member:
    """Draw one participant; the same whatever the size of the cohort and whoever else is in it."""
    patient = f"{settings.prefix(centre)}{number:03d}"
    traits = draw_traits(seed, patient, settings.outcome.heterogeneity_loadings)
    return Member(patient, centre, excluded, traits, biology(traits, settings.tumour, seed, patient))


def find(settings: SimulationSettings, *, size: str, seed: int, patient_id: str) -> Member:
    """Return one participant without drawing the others.

    Raises
    ------
    SettingsError
        No such participant in this size, or one that was excluded and has no images.
    """
    if size not in settings.sizes:
        raise SettingsError(f"simulation: no size '{size}'; known sizes: {', '.join(settings.sizes)}")
    for centre in settings.centres:
        for number, excluded in _places(settings, centre, size):
            if f"{settings.prefix(centre)}{number:03d}" == patient_id:
                if excluded is not None:
                    reason = settings.excluded[excluded].reason
                    raise SettingsError(f"simulation: {patient_id} is excluded ({reason}) and has no images")
                return enrol(settings, centre=centre, number=number, excluded=None, seed=seed)
    raise SettingsError(f"simulation: no patient '{patient_id}' in the cohort of size '{size}'")


def read_twice(settings: SimulationSettings, *, size: str, seed: int) -> frozenset[str]:
    """Return the patients whom readers other than the reference outline too: all, or a random number of them."""
    included = [
        f"{settings.prefix(centre)}{number:03d}"
        for centre in settings.readers.read_twice_centres or settings.centres
        for number, excluded in _places(settings, centre, size)
        if excluded is None
    ]
    wanted = settings.readers.read_twice
    if isinstance(wanted, dict):
        wanted = wanted[size]
    if wanted == "all":
        return frozenset(included)
    order = sorted(included, key=lambda patient: float(stream(seed, patient, "read twice").uniform()))
    return frozenset(order[:wanted])


def roster(settings: SimulationSettings, *, size: str, seed: int, strength: float | None = None) -> Roster:
    """Draw a cohort.

    Parameters
    ----------
    settings
        The ``simulation`` section of a protocol.
    size
        One of its sizes, e.g. ``demo``.
    seed
        Seed of the cohort, ≥ 0.
    strength
        Strength of the planted signal; the settings' own when absent. 0: the outcome depends on nothing.

    Raises
    ------
    SettingsError
        Unknown size, negative seed or strength.
    """
    strength = settings.strength if strength is None else float(strength)
    if strength < 0:
        raise SettingsError(f"simulation: found the strength {strength}; expected 0 or more")
    people = members(settings, size=size, seed=seed)
    before = [_columns_before(settings, person, seed) for person in people]
    linear = np.array([strength * _score(settings, p, drawn) for p, drawn in zip(people, before, strict=True)])
    noise = np.array([float(stream(seed, person.patient_id, "outcome").logistic()) for person in people])
    score = linear + noise
    positive = _positive(settings, people, score, size)
    included = np.array([person.excluded is None for person in people])
    rank = _mid_ranks(score, positive, included)

    association = min(strength / settings.strength, 1.0) if settings.strength else 0.0
    share = float(positive[included].mean()) if included.any() else 0.5
    exact = _exact_columns(settings, people, before, positive, association, seed)
    rows = []
    for i, (person, drawn) in enumerate(zip(people, before, strict=True)):
        outcome = Outcome(bool(positive[i]), float(rank[i]), share, association)
        given = {name: levels[person.patient_id] for name, levels in exact.items()} if included[i] else {}
        rows.append(_participant(settings, person, drawn, given, outcome, seed))
    truth = [
        {
            "patient_id": person.patient_id,
            "centre": settings.centres[person.centre].centre or person.centre,
            **person.traits,
            **_quantities(person.body),
            "linear_score": linear[i],
            "noise": noise[i],
            "outcome_score": score[i],
            "outcome": int(positive[i]),
        }
        for i, person in enumerate(people)
        if person.excluded is None
    ]
    return Roster(
        participants=pd.DataFrame(rows, dtype=str),
        manifest=assemble("manifest", list(_manifest(settings, people, size, seed))),
        truth=pd.DataFrame(truth),
        size=size,
        seed=seed,
        strength=strength,
    )


def image_path(patient: str, sequence: str) -> str:
    """Return where an image lies, relative to the cohort's folder."""
    return f"images/{patient}/{patient}_{sequence}.nii.gz"


def mask_path(patient: str, sequence: str, reader: str) -> str:
    """Return where a reader's mask, or with ``breast`` the breast mask, lies in the cohort's folder."""
    who = f"reader{reader}" if reader.isdecimal() else reader
    return f"masks/{patient}/{patient}_{sequence}_{who}.nii.gz"


def _places(settings: SimulationSettings, centre: str, size: str) -> Iterator[tuple[int, int | None]]:
    """Yield a centre's running numbers, each with the index of its exclusion or None."""
    counts = settings.centres[centre].counts[size]
    number = 0
    for _ in range(counts.positive + counts.negative):
        number += 1
        yield number, None
    for index, group in enumerate(settings.excluded):
        for _ in range(group.counts.get(size, {}).get(centre, 0)):
            number += 1
            yield number, index


def _columns_before(settings: SimulationSettings, person: Member, seed: int) -> dict[str, Drawn]:
    """Draw what does not depend on the outcome: numbers first, since levels may follow them."""
    scores, drawn = dict(person.traits), {}
    columns = [item for item in settings.columns.items() if not depends_on_outcome(item[1])]
    for name, column in sorted(columns, key=lambda item: not isinstance(item[1], ContinuousColumn)):
        drawn[name] = draw_before(
            name,
            column,
            seed=seed,
            patient=person.patient_id,
            scores=scores,
            body=person.body,
            centre=settings.centres[person.centre],
            place=person.centre,
        )
        if isinstance(column, ContinuousColumn):
            scores[name] = drawn[name].latent
    return drawn


def _score(settings: SimulationSettings, person: Member, drawn: dict[str, Drawn]) -> float:
    return sum(
        weight * (person.traits[name] if name in TRAITS and name not in drawn else drawn[name].standard)
        for name, weight in settings.outcome.weights.items()
    )


def _positive(settings: SimulationSettings, people: list[Member], score: np.ndarray, size: str) -> np.ndarray:
    """Mark the k highest scores of each centre; the excluded by the same cut, without counting."""
    positive = np.zeros(len(people), dtype=bool)
    for centre, made in settings.centres.items():
        own = np.array([p.centre == centre for p in people], dtype=bool)
        included = np.flatnonzero(own & np.array([p.excluded is None for p in people], dtype=bool))
        order = included[np.argsort(-score[included], kind="stable")]
        chosen = order[: made.counts[size].positive]
        positive[chosen] = True
        cut = score[chosen].min() if len(chosen) else np.inf
        excluded = np.setdiff1d(np.flatnonzero(own), included)
        positive[excluded] = score[excluded] > cut
    return positive


def _mid_ranks(score: np.ndarray, positive: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Rank of each score among the included of the same outcome, in (0, 1)."""
    rank = np.full(len(score), 0.5)
    for outcome in (True, False):
        peers = np.sort(score[included & (positive == outcome)])
        own = positive == outcome
        rank[own] = (np.searchsorted(peers, score[own]) + 0.5) / (len(peers) + 1)
    return rank


def _exact_columns(
    settings: SimulationSettings,
    people: list[Member],
    before: list[dict[str, Drawn]],
    positive: np.ndarray,
    association: float,
    seed: int,
) -> dict[str, dict[str, str]]:
    """Return the columns with exact counts: column → included patient → level."""
    included = [i for i, person in enumerate(people) if person.excluded is None]
    who = [people[i] for i in included]
    scores = [{**people[i].traits, **{k: d.latent for k, d in before[i].items()}} for i in included]
    found = {}
    for name, column in settings.columns.items():
        if isinstance(column, CategoricalColumn) and column.exact:
            levels = exact_levels(
                name,
                column,
                seed=seed,
                people=who,
                positive=[bool(positive[i]) for i in included],
                scores=scores,
                association=association,
            )
            found[name] = dict(zip((person.patient_id for person in who), levels, strict=True))
    return found


def _participant(
    settings: SimulationSettings,
    person: Member,
    drawn: dict[str, Drawn],
    given: dict[str, str],
    outcome: Outcome,
    seed: int,
) -> dict[str, str]:
    made = settings.centres[person.centre]
    row = {"patient_id": person.patient_id, "centre": made.centre or person.centre}
    if any(centre.mri_dates for centre in settings.centres.values()):
        row["mri_date"] = _examination(settings, person, seed)
    for name, column in settings.columns.items():
        if name in drawn:
            row[name] = drawn[name].text
        elif name in given:
            row[name] = given[name]
        else:
            row |= draw_after(name, column, seed=seed, patient=person.patient_id, outcome=outcome, row=row)
    reason = ""
    if person.excluded is not None:
        group = settings.excluded[person.excluded]
        row |= group.values
        reason = group.reason
    return {**row, "exclude_reason": reason}


def _examination(settings: SimulationSettings, person: Member, seed: int) -> str:
    dates = settings.centres[person.centre].mri_dates
    if dates is None:
        return ""
    first, last = dates[0].toordinal(), dates[1].toordinal()
    day = int(stream(seed, person.patient_id, "mri_date").integers(first, last + 1))
    return dates[0].fromordinal(day).isoformat()


def _quantities(body: Biology) -> dict[str, float]:
    """Return the physical quantities for the truth table; ``gain`` is a trait's name already."""
    values = {k: v for k, v in vars(body).items() if k not in ("axes", "gain") and k not in TRAITS}
    values |= {f"{k}_value": v for k, v in vars(body).items() if k in TRAITS and k != "gain"}
    return {**values, "max_diameter_mm": body.max_diameter_mm, "gain_value": body.gain}


def _manifest(settings: SimulationSettings, people: list[Member], size: str, seed: int) -> Iterator[dict[str, str]]:
    twice = read_twice(settings, size=size, seed=seed)
    for person in people:
        if person.excluded is not None:
            continue
        patient = person.patient_id
        readers = settings.readers.who(patient in twice)
        for sequence, made in settings.sequences.items():
            row = {"patient_id": patient, "sequence": sequence, "image": image_path(patient, sequence)}
            row |= {"seconds": "", "b_value": f"{made.b_value:g}" if made.kind == "dwi" else ""}
            if made.phase is not None:
                row["seconds"] = f"{60 * phase_minutes(settings.centres[person.centre], made.phase):g}"
            for reader in readers if made.outlined else readers[:1]:
                mask = mask_path(patient, sequence, reader) if made.outlined else ""
                yield row | {"reader": reader, "region": "tumour", "mask": mask, "mask_label": "1" if mask else ""}
            if settings.breast_masks:
                mask = mask_path(patient, sequence, "breast")
                yield row | {"reader": readers[0], "region": "breast", "mask": mask, "mask_label": "1"}
