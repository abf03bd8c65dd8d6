"""What is checked of a run before any job starts: its sequences, its centres, and when its features are known."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterable
from pathlib import Path

from her2radiomics.cohort.manifest import BREAST
from her2radiomics.core.columns import Stage, known_at
from her2radiomics.core.contracts import TRAINING
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import read_yaml
from her2radiomics.modelling.centres import check_partitions, outcome_by_centre
from her2radiomics.modelling.steps.combat import CombatStep
from her2radiomics.study.leaks import check_brought, unstated
from her2radiomics.study.protocol import Protocol
from her2radiomics.study.run import Run


def check_harmonisation(
    run: str, protocol: Protocol, typed: pd.DataFrame, partition: pd.Series, labels: pd.Series
) -> list[str]:
    """Refuse ComBat where the partitions leave nothing to learn, or ask for a centre that it cannot know.

    ``typed`` holds the included patients' columns and ``centre``, indexed by patient identifier as ``partition`` and
    ``labels`` are.

    Returns
    -------
    list of str
        How the outcome differs between the centres that are equalised.

    Raises
    ------
    SettingsError
        With the model and the centre.
    """
    notes = []
    for name, model in protocol.models.items():
        for step in model.feature_steps():
            if isinstance(step, CombatStep):
                batch = typed[step.batch].dropna()
                check_partitions(step, batch, partition, f"run {run}: models.{name}")
                trained = batch[partition.loc[batch.index] == TRAINING]
                notes += outcome_by_centre(step, trained, labels, f"model '{name}'")
    return notes


def check_features(run: Run, extraction: Path) -> list[str]:
    """Refuse sequences that the manifest or the folder of parameter files lacks, and brought features that are none.

    Returns
    -------
    list of str
        What planning and report say of the features.

    Raises
    ------
    SettingsError
        With the key of the protocol, or the feature.
    """
    notes: list[str] = []
    if not run.extracted:
        _refuse_no_features(run)
        _refuse_late_features(run)
        notes = [*unstated(run), *check_brought(run)]
    problems = sequence_problems(run, extraction)
    if len(problems) > 1:
        raise SettingsError("\n".join(map(str, problems)))
    if problems:
        raise problems[0]
    return notes


def sequence_problems(run: Run, extraction: Path) -> list[SettingsError]:
    """All that is wrong with the sequences of a run whose features are extracted; nothing else of the run is looked at."""
    if not run.extracted:
        return []
    if not run.protocol.sequences:
        return [SettingsError(f"run {run.id}: the protocol names no sequence, and the cohort brings no features.")]
    found: list[SettingsError] = []
    known = run.dataset.data.manifest["sequence"]

    def collect(check: Callable[..., None], *words: object) -> None:
        try:
            check(*words)
        except SettingsError as error:
            found.append(error)

    for name, settings in run.protocol.sequences.items():
        path = extraction / f"{settings.parameters}.yaml"
        collect(_require_sequence, name, known, f"run {run.id}: the manifest", run)
        if path.is_file():
            collect(_check_preprocessing, run, name, path)
        else:
            found.append(SettingsError(f"run {run.id}: sequences.{name}.parameters: there is no file {path}."))
    collect(_check_readers, run)
    return found


def _refuse_no_features(run: Run) -> None:
    """A cohort of clinical tables alone serves clinical models alone."""
    wanting = [name for name, model in run.protocol.models.items() if model.block]
    if run.dataset.cohort.features is None and wanting:
        missing = (
            "kind 'features' needs a 'features' section naming the table"
            if run.dataset.cohort.kind == "features"
            else f"found no manifest {run.dataset.root}/images.tsv"
        )
        raise SettingsError(
            f"run {run.id}, cohort {run.dataset.cohort_id}: {missing}; models.{wanting[0]} uses image features. Add it, or "
            "remove the models that do."
        )


def _refuse_late_features(run: Run) -> None:
    """Brought features have a stage at which they are known; a model may not look ahead of its prediction."""
    source = run.dataset.cohort.features
    if source is None or run.dataset.data.features is None:
        return
    at = run.protocol.prediction_at
    ahead = [name for name, model in run.protocol.models.items() if not model.allow_unavailable and model.block]
    for feature in run.dataset.data.features.columns.drop(["patient_id", "reader"]) if ahead else ():
        stages = (stage for name, stage in source.available_at.items() if fnmatch.fnmatchcase(feature, name))
        stage: Stage = next(stages, "before_treatment")
        if not known_at(stage, at):
            raise SettingsError(
                f"run {run.id}: models.{ahead[0]} predicts {at}, but the feature '{feature}' is known only {stage}. "
                "Drop it in the cohort file (features.drop), or set allow_unavailable: true, which the report marks."
            )


def _require_sequence(name: str, among: Iterable[str], where: str, run: Run, more: str = "") -> None:
    """Refuse a sequence that the manifest lacks."""
    known = sorted(set(among))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise SettingsError(
            f"{where} of cohort {run.dataset.cohort_id} holds no sequence '{name}'; it holds {', '.join(known)}."
            f"{hint}{more}"
        )


def _check_preprocessing(run: Run, name: str, parameters: Path) -> None:
    """Refuse what no patient's images could satisfy: a phase or breast mask that the whole manifest lacks."""
    settings = run.protocol.sequences[name].preprocessing
    manifest, where = run.dataset.data.manifest, f"run {run.id}: sequences.{name}.preprocessing"
    if settings.subtract is not None:
        simulated = " A simulated cohort holds the sequences of the protocol's simulation.sequences."
        _require_sequence(
            settings.subtract,
            manifest.loc[manifest["image"] != "", "sequence"],
            f"{where}.subtract: the manifest",
            run,
            simulated if run.dataset.simulated else "",
        )
    masked = (manifest["sequence"] == name) & (manifest["region"] == BREAST)
    if settings.needs_breast and not masked.any():
        raise SettingsError(
            f"{where} says within: breast, but the manifest of cohort {run.dataset.cohort_id} holds no breast "
            f"mask (region breast) of {name}. Add them, or set within: foreground or within: image."
        )
    if settings.normalise or settings.resample:
        settings.refuse_twice(read_yaml(parameters).get("setting") or {}, where)


def _check_readers(run: Run) -> None:
    """Refuse a reference reader, or a pair to compare, that outlined nobody."""
    manifest, readers = run.dataset.data.manifest, run.dataset.readers
    outlined = manifest[(manifest["region"] != BREAST) & manifest["sequence"].isin(run.protocol.sequences)]
    known = sorted(set(outlined["reader"]))
    wanted = {"readers.reference": [readers.reference]}
    if len(known) > 1:
        wanted["readers.compared"] = list(readers.compared)
    for key, names in wanted.items():
        for name in names:
            if name not in known:
                raise SettingsError(
                    f"run {run.id}: the manifest of cohort {run.dataset.cohort_id} holds no outline of reader '{name}' "
                    f"({key}); it holds those of {', '.join(known)}. Correct the cohort file."
                )
