"""Shadows of a run: its features extracted once more with something changed, for the evidence about it.

A shadow is a run that ends with a feature table below ``results/<run>/evidence/<name>/``. It is made by the rules of every
extraction, and by no target but those that ask for the table. It holds what differs: of which sequences and regions says
:class:`~her2radiomics.evidence.extractions.Reextraction`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.seeds import stream
from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.evidence.extractions import Reextraction
from her2radiomics.imaging import parse_region
from her2radiomics.study.checks import sequence_problems
from her2radiomics.study.protocol import AlteredSequence, Protocol, Sequence
from her2radiomics.study.run import Dataset, Part, Run

#: What is extracted of all patients: voxels that cannot hold what a model claims.
CONTROLS = {
    "shuffled_voxels": ("Grey levels shuffled within each region", {"kind": "shuffled_voxels"}),
    "other_tissue": ("Outline moved to other tissue of the same image", {"kind": "other_tissue"}),
}
#: What is extracted of some patients, of the reference reader. A reader's border is off by 0.5 to 1 mm.
PERTURBATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "grown": ("Outline grown by 1 mm", {"kind": "grow", "mm": 1.0}),
    "shrunk": ("Outline shrunk by 1 mm", {"kind": "shrink", "mm": 1.0}),
    "shifted": ("Outline shifted by 1 mm in the plane", {"kind": "shift", "mm": 1.0}),
    "redrawn": (
        "Border off by noise of 0.7 mm (standard deviation)",
        {"kind": "contour_noise", "sd_mm": 0.7, "length_mm": 5.0},
    ),
    "noisy": ("Noise of 10% of the region's standard deviation added", {"kind": "image_noise", "share": 0.1}),
}
BIN_WIDTHS = {"bins_halved": 0.5, "bins_doubled": 2.0}
RING_STEPS_MM = {"ring_narrower": -1.0, "ring_wider": 1.0}


def shadows_of(run: Run, parameters: Path, seed: int) -> dict[str, Run]:
    """Name of each other extraction to the run that makes it.

    Parameters
    ----------
    run
        A run to the report; where features were brought there is nothing to extract.
    parameters
        Folder of the parameter files.
    seed
        That of ``config.yaml``.

    Raises
    ------
    SettingsError
        With the key of the protocol.
    """
    if not run.extracted:
        return {}
    asked, usual = run.protocol.evidence.extractions, usual_extractions(run.protocol, parameters)
    made = {}
    for name in dict.fromkeys([*usual, *asked]):
        settings = asked.get(name, usual.get(name))
        if settings is not None:
            if name in asked and name in usual:
                laid = overlay(usual[name].model_dump(), settings.model_dump(exclude_unset=True))
                settings = validate(Reextraction, laid, f"run {run.id}: evidence.extractions.{name}")
            made[name] = _shadow(run, name, settings, parameters, seed)
    return made


def usual_extractions(protocol: Protocol, parameters: Path) -> dict[str, Reextraction]:
    """What is extracted once more where a protocol says nothing, by name."""
    found = {
        name: Reextraction(description=words, purpose="control", changes={"*": {"perturb": change}})
        for name, (words, change) in CONTROLS.items()
    }
    for name, (words, change) in PERTURBATIONS.items():
        found[name] = Reextraction(
            description=words,
            purpose="perturbation",
            changes={"*": {"perturb": change}},
            patients=protocol.evidence.perturbed_patients,
            readers="reference",
        )
    names = evidence_sequences(protocol)
    widths = {}
    for name in names:
        setting = read_yaml(parameters / f"{protocol.sequences[name].parameters}.yaml").get("setting") or {}
        if setting.get("binWidth") and not setting.get("binCount"):
            widths[name] = float(setting["binWidth"])
    for name, factor in BIN_WIDTHS.items() if widths else ():
        changes = {sequence: {"setting": {"binWidth": width * factor}} for sequence, width in widths.items()}
        shown = ", ".join(dict.fromkeys(f"{width * factor:g}" for width in widths.values()))
        found[name] = Reextraction(description=f"Bin width {shown}", purpose="specification", changes=changes)
    for name, step in RING_STEPS_MM.items():
        regions = _other_rings(protocol, names, step)
        if regions:
            shown = ", ".join(dict.fromkeys(f"{parse_region(new).radius_mm:g} mm" for new in regions.values()))
            found[name] = Reextraction(description=f"Ring of {shown}", purpose="specification", regions=regions)
    return found


def evidence_sequences(protocol: Protocol) -> list[str]:
    """Sequences whose features the primary model reads; where it reads none, those that any model reads."""
    primary = protocol.models[protocol.primary_model]
    asked = [primary, *(protocol.models[name] for name in primary.parts())]
    blocks = [model.block for model in asked if model.block] or [
        model.block for model in protocol.models.values() if model.block
    ]
    if not all(block.sequences for block in blocks):
        return [*protocol.sequences]
    read = {name for block in blocks for name in block.sequences}
    return [name for name in protocol.sequences if name in read]


def _other_rings(protocol: Protocol, names: list[str], step: float) -> dict[str, str]:
    """Ring to the one that is so much wider, of all sequences that have one."""
    found = {}
    for region in dict.fromkeys(region for name in names for region in protocol.sequences[name].regions):
        ring = parse_region(region)
        if ring.radius_mm is not None and ring.radius_mm + step > 0:
            found[region] = f"ring_{ring.radius_mm + step:g}mm_{ring.extent}"
    return found


def _shadow(run: Run, name: str, settings: Reextraction, parameters: Path, seed: int) -> Run:
    where = f"run {run.id}: evidence.extractions.{name}"
    if not (settings.changes or settings.regions) or not settings.description:
        raise SettingsError(f"{where}: found no description or no change; expected both: changes or regions.")
    known = run.protocol.sequences
    odd = sorted({*settings.changes} - {"*", *known})
    if odd:
        raise SettingsError(f"{where}.changes: found '{odd[0]}'; expected '*' or one of {', '.join(known)}.")
    sequences = {}
    for sequence in evidence_sequences(run.protocol) if "*" in settings.changes or settings.regions else known:
        changes = overlay(settings.changes.get("*", {}), settings.changes.get(sequence, {}))
        regions = [settings.regions[region] for region in known[sequence].regions if region in settings.regions]
        if (settings.regions and regions) or (not settings.regions and changes):
            altered = _altered(known[sequence], changes, regions, f"{where}.changes", seed)
            # where an outline was moved to is worth a look; what else is changed would show nothing, at a tenth of the cost
            drawn = settings.purpose == "control" or not altered.altered()
            sequences[sequence] = altered.model_copy(update={"pictures": drawn})
    if not sequences:
        raise SettingsError(
            f"{where}.regions: found {', '.join(settings.regions)}; expected regions of the study's sequences."
        )
    shadow = replace(
        run,
        protocol=run.protocol.model_copy(update={"sequences": sequences}),
        dataset=_part(run.dataset, settings, seed),
        shadow=name,
        reextraction=settings,
    )
    problems = sequence_problems(shadow, parameters)
    if problems:
        raise SettingsError("\n".join(f"{where}: {problem}" for problem in problems))
    return shadow


def _altered(own: Sequence, changes: Mapping[str, Any], regions: list[str], where: str, seed: int) -> AlteredSequence:
    """A sequence with changes laid over it, with the study's seed where it says none."""
    content = overlay(own.model_dump(mode="json"), changes) | ({"regions": regions} if regions else {})
    altered = validate(AlteredSequence, content, where)
    drawn = altered.perturb
    if drawn is not None and "seed" in type(drawn).model_fields and "seed" not in drawn.model_fields_set:
        return altered.model_copy(update={"perturb": drawn.model_copy(update={"seed": seed})})
    return altered


def _part(dataset: Dataset, settings: Reextraction, seed: int) -> Dataset:
    """The data set, or as many of its patients and readers as are asked for."""
    reference = settings.readers == "reference"
    name: dict[str, Any] = {}
    chosen: list[str] = []
    if settings.patients is not None and settings.patients < len(dataset.patients):
        table = dataset.data.participants.set_index("patient_id").loc[dataset.patients]
        chosen = drawn_patients(dict(table["centre"].astype(str)), settings.patients, seed)
        name = {"patients": settings.patients, "seed": seed}
    if reference:
        name["readers"] = "reference"
    return replace(dataset, part=Part(frozenset(chosen), reference, name)) if name else dataset


def drawn_patients(centres: Mapping[str, str], n: int, seed: int) -> list[str]:
    """Draw ``n`` of the patients (patient to centre), of each centre its share; sorted.

    >>> len(drawn_patients({f"P{i}": "a" if i < 60 else "b" for i in range(90)}, 30, 1))
    30
    """
    places: dict[str, tuple[float, str]] = {}
    for centre in sorted(set(centres.values())):
        own = sorted(patient for patient, name in centres.items() if name == centre)
        order = stream(seed, "", f"patients of {centre}").permutation(len(own))
        # at place k of m, evenly spread: the first n of all centres are of each its share
        places |= {own[index]: ((place + 0.5) / len(own), centre) for place, index in enumerate(np.asarray(order))}
    return sorted(sorted(places, key=places.__getitem__)[:n])
