"""What the texts of a run are written from: its settings with every number bound, and the cells of its tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import groupby
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from her2radiomics.cohort.partitions import REST
from her2radiomics.core import software
from her2radiomics.core.bound import BoundFloat, Source, bind, bind_text, plain
from her2radiomics.core.columns import STAGES, known_at
from her2radiomics.core.contracts import contract
from her2radiomics.core.measures import MEASURES
from her2radiomics.core.wording import listing
from her2radiomics.extraction import Parameters
from her2radiomics.extraction.filters import EXACT_LOG_PADDING
from her2radiomics.extraction.names import region_phrase
from her2radiomics.imaging.regions import parse_region
from her2radiomics.manuscript.cells import Cells
from her2radiomics.manuscript.tables.regression import INTERCEPT
from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.model import step_references
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.modelling.steps import STEPS
from her2radiomics.modelling.steps.icc_filter import IccFilterStep
from her2radiomics.report.cautions import EVENTS_PER_PREDICTOR
from her2radiomics.report.info import RunInfo
from her2radiomics.report.words import FEWEST, lower_first, model_phrase, partition_phrase, upper_first

if TYPE_CHECKING:
    from her2radiomics.study.protocol import Protocol
    from her2radiomics.study.protocol import Sequence as SequenceSettings

SETTINGS = contract("manuscript_settings").path
#: Keys whose texts are printed, with the numbers in them.
PROSE = frozenset(
    "label description definition title question design ethics enrolment sample_size pathology readers blinding software "
    "injection editions acquisition delineation inclusion exclusions centres partition_labels model_labels levels positive "
    "negative caption citation external_from source licence doi".split()
)
#: Numbers of rules that the texts name and no protocol sets.
RULES = {
    "events_per_predictor": EVENTS_PER_PREDICTOR,
    "fewest_of_a_class": FEWEST,
    "normality_p": 0.05,
    "expected_count": 5,
    "nomogram_points": 100,
    "significance": 0.05,
    "odds_level": 0.95,
    "most_terms": 12,
    "imprecise_auc": 0.05,
    "fall_of_auc": 0.05,
    "unstable_share": 0.5,
    "mask_cut": 0.5,
    "spot_voxels": 3,
    "exact_padding": EXACT_LOG_PADDING,
}
NOT_ASSESSED = "not assessed"


def printed_settings(info: RunInfo, parameters: Mapping[str, Parameters], used: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the texts print, as ``manuscript/settings.json`` holds them."""
    return {
        "protocol": info.protocol.model_dump(mode="json"),
        "cohort": info.cohort.model_dump(mode="json", exclude={"root", "linked_folders"}),
        "seed": info.seed,
        "software": dict(software.printed(used)),
        "parameters": {name: _of_file(item) for name, item in parameters.items()},
        "measures": {name: asdict(item) for name, item in MEASURES.items()},
        "counts": _counts(info),
        "reference_reader": info.reference_reader,
        "rules": RULES,
    }


def _counts(info: RunInfo) -> dict[str, Any]:
    """Numbers of things in the protocol."""
    return {
        "features": sum(item.features * len(item.regions) for item in info.protocol.sequences.values()),
        "models": len(info.protocol.models),
        "image_models": sum(model.block is not None for model in info.protocol.models.values()),
        "alike": [len(names) for names in alike(info.protocol.models)],
    }


def alike(models: Mapping[str, ModelSettings]) -> list[list[str]]:
    """Models told together: three or more of a kind that differ in nothing but what they are made from."""
    groups: dict[str, list[str]] = {}
    for name, model in models.items():
        if model.several("", 0):
            rest = model.model_dump_json(exclude={"sequences", "steps", "of"})
            groups.setdefault(rest, []).append(name)
    return [names for names in groups.values() if len(names) > 2]


def _of_file(item: Parameters) -> dict[str, Any]:
    """What the methods name of a parameter file, PyRadiomics' defaults included."""
    return {
        "settings": {key: value for key, value in item.settings.items() if isinstance(value, int | float | str | list)},
        "image_types": {name: item.of_image(name) for name in item.image_types},
        "feature_classes": list(item.feature_classes),
        "named_features": {name: len(features) for name, features in item.feature_classes.items() if features},
    }


@dataclass(frozen=True)
class Names:
    """Printed names of a run, as sentences on its models need them."""

    info: RunInfo

    def label(self, name: str) -> str:
        """A model's printed name."""
        return self.info.protocol.model_label(name)

    def model(self, name: str) -> str:
        """A model inside a sentence."""
        return model_phrase(self.label(name))

    def column(self, name: str) -> str:
        """A participants column inside a sentence."""
        return lower_first(self.info.protocol.column_label(name))

    def sequences(self, names: Sequence[str]) -> list[str]:
        """Printed names of sequences; without names all of them."""
        known = self.info.protocol.sequences if self.info.extracted else {}
        return [self.info.protocol.sequence_label(name) for name in (names or known)] if known else []


class Facts:
    """A run as its texts need it. Numbers are bound; what lies in tables is read when a text first names it."""

    def __init__(
        self, info: RunInfo, cells: Cells, parameters: Mapping[str, Parameters], used: Mapping[str, str]
    ) -> None:
        """Bind the settings to the file that holds them."""
        root = Source(SETTINGS, (), "")
        content = printed_settings(info, parameters, used)
        protocol = bind(info.protocol, replace(root, column="protocol"), PROSE)
        cohort = bind(info.cohort, replace(root, column="cohort"), PROSE)
        rest = {
            key: bind(content[key], replace(root, column=key), PROSE)
            for key in ("seed", "parameters", "measures", "rules", "counts")
        }
        self.info = replace(info, protocol=protocol, cohort=cohort, seed=rest["seed"])
        self.protocol: Protocol = protocol
        self.plain: Protocol = info.protocol
        self.cells, self.parameters, self.counts = cells, rest["parameters"], rest["counts"]
        self.measures, self.rules = rest["measures"], rest["rules"]
        reader = bind_text(info.reference_reader, replace(root, column="reference_reader"))
        self.reference_reader = f"reader {reader}"
        self.software = {
            name: bind_text(version, replace(root, column=f"software.{name}"))
            for name, version in content["software"].items()
        }
        self.software_references = [
            software.BY_NAME[name].reference for name in used if software.BY_NAME[name].reference
        ]
        self.names = Names(self.info)
        self.stages, self.rest, self.known_at = STAGES, REST, known_at

    @property
    def simulated(self) -> bool:
        """Whether the patients are made."""
        return self.info.simulated

    def phrase(self, partition: str) -> str:
        """``the test set``."""
        return partition_phrase(self.info, partition)

    def phrases(self, models: Iterable[str]) -> str:
        """``the clinical model and the nomogram``."""
        return listing([self.names.model(name) for name in models])

    def parts(self, models: Iterable[str]) -> list[str]:
        """Models told together, each with what it is made from."""
        said = []
        for name in models:
            made, label = listing(self.protocol.models[name].made_from(self.names)), self.names.label(name)
            said.append(label if not made or plain(made) == plain(label) else f"{label} ({made})")
        return said

    def percents(self, values: Iterable[float]) -> list[str]:
        """Shares as percentages."""
        return [f"{100 * value:g}%" for value in values]

    @staticmethod
    def letter(place: int) -> str:
        """``a``, ``b``: the mark of a step."""
        return ascii_lowercase[place]

    @staticmethod
    def step_references(steps: Sequence[SelectionStep]) -> tuple[str, ...]:
        """Keys of the references of steps."""
        return step_references(steps)

    def kinds(self, *kinds: str) -> list[Any]:
        """Figures and tables of the protocol of these kinds, in order."""
        return [item for item in (*self.protocol.figures, *self.protocol.tables) if item.kind in kinds]

    # participants

    def left(self, step: str) -> list[tuple[str, Any]]:
        """Reason and number of the patients who left at a step of the flow."""
        rows = self.cells.rows("flow", step=step)
        return [
            (
                self.cells.text("flow", "reason", step=step, reason=row["reason"]),
                self.cells.cell("flow", "excluded", step=step, reason=row["reason"]),
            )
            for row in rows
        ]

    def flow(self, how: str, column: str, step: str) -> Any:
        """A sum over the rows of a step of the flow, or the first row's number."""
        return (
            self.cells.over("sum", "flow", column, step=step)
            if how == "sum"
            else self.cells.cell("flow", column, step=step)
        )

    def size(self, partition: str, column: str = "remaining") -> Any:
        """Patients of a partition, or ``events`` of them."""
        return self.cells.cell("flow", column, step="partition", partition=partition)

    # selection and models

    @cached_property
    def chains(self) -> list[tuple[tuple[SelectionStep, ...], list[str]]]:
        """Models on image features that share their steps; a filter of readers' agreement that was not assessed is none."""
        found: dict[tuple[SelectionStep, ...], list[str]] = {}
        for name, model in self.protocol.models.items():
            if model.block:
                done = [s for s in model.feature_steps() if not isinstance(s, IccFilterStep) or self._assessed(name)]
                found.setdefault(tuple(done), []).append(name)
        return list(found.items())

    def _assessed(self, model: str) -> bool:
        """Whether readers' agreement on a model's features was assessed."""
        return any(row["kept"] != NOT_ASSESSED for row in self.cells.rows("reproducibility", {"model": model}))

    def steps(self, steps: Sequence[SelectionStep], model: str = "") -> list[tuple[str, Any]]:
        """Each step in words, and the number of features that it left in a model; none where that is not counted."""
        left = self._left(model) if model else {}
        said = []
        for place, step in enumerate(steps):
            kept = left.get(step.about.name, [])
            said.append((step.sentence(steps[:place]), kept.pop(0) if kept else None))
        return said

    def _left(self, model: str) -> dict[str, list[Any]]:
        """Features left by each step of a name, in order; scaling and harmonisation leave all and are not counted."""
        left: dict[str, list[Any]] = {}
        which = {"model": model}
        for row in self.cells.rows("selection", which):
            name = row["name"].removesuffix("_after").rstrip("0123456789").rstrip("_")
            if name in STEPS and not STEPS[name].about.keeps_all:
                cell = self.cells.cell("selection", "features_out", which, step=row["step"], name=row["name"])
                left.setdefault(name, []).append(cell)
        return left

    @cached_property
    def agreement(self) -> list[dict[str, Any]]:
        """Agreement of readers by how it was measured: form, patients, threshold, and models with features that reached it.

        Where it was not assessed, ``patients`` is ``None`` and ``minimum`` says how many would have been needed.
        """
        rows = []
        for name, model in self.protocol.models.items():
            step = next((step for step in model.feature_steps() if isinstance(step, IccFilterStep)), None)
            if step is None:
                continue
            which = {"model": name}
            assessed = self._assessed(name)
            rows.append(
                {
                    "model": name,
                    "form": step.printed_form,
                    "threshold": step.threshold,
                    "minimum": step.minimum_patients,
                    "patients": self.cells.over("largest", "reproducibility", "n", which) if assessed else None,
                    "kept": self.cells.over("count", "reproducibility", "feature", which, kept="yes"),
                    "features": self.cells.over("count", "reproducibility", "feature", which),
                }
            )

        def how(row: Mapping[str, Any]) -> tuple[Any, ...]:
            return (row["patients"] is None, row["form"], row["patients"] or row["minimum"], row["threshold"])

        groups = [list(group) for _, group in groupby(sorted(rows, key=how), how)]
        return [
            {**group[0], "models": group, "same": len({(r["kept"], r["features"]) for r in group}) == 1}
            for group in groups
        ]

    @cached_property
    def alike(self) -> list[list[str]]:
        """Models told together."""
        return alike(self.plain.models)

    @property
    def alone(self) -> list[str]:
        """Models with a sentence of their own."""
        together = {name for names in self.alike for name in names}
        return [name for name in self.protocol.models if name not in together]

    def late(self, model: ModelSettings) -> list[str]:
        """Candidates of a model that are not known when the prediction is to be made."""
        tried = [self.protocol.columns[name] for name in getattr(model, "candidates", ())]
        return [
            lower_first(column.label)
            for column in tried
            if not known_at(column.available_at, self.protocol.prediction_at)
        ]

    def refits(self, measure: str) -> tuple[Any, Any] | None:
        """Fewest and most bootstrap refits that could be used; ``None`` where there were none."""
        rows = [row for row in self.cells.rows("performance_extra", measure=measure) if row["value"]]
        if not rows:
            return None
        low, high = (
            self.cells.over(how, "performance_extra", "value", measure=measure) for how in ("smallest", "largest")
        )
        return low, high

    # extraction

    def regions(self) -> list[tuple[tuple[str, ...], str | None, list[str]]]:
        """Regions, the sequence that decides on their slice, and the sequences that have them."""
        found: dict[tuple[tuple[str, ...], str | None], tuple[tuple[str, ...], list[str]]] = {}
        for name, item in self.protocol.sequences.items():
            said = tuple(self._region(name, place, region) for place, region in enumerate(item.regions))
            found.setdefault((tuple(item.regions), item.slice_of), (said, []))[1].append(item.label)
        return [(said, other, labels) for (_, other), (said, labels) in found.items()]

    def _region(self, sequence: str, place: int, name: str) -> str:
        """A region in words, the radius of a ring bound to the region's name in the protocol."""
        radius = parse_region(name).radius_mm or 0.0
        source = Source(SETTINGS, (), f"protocol.sequences.{sequence}.regions.{place}", rounding="digits")
        return region_phrase(name, BoundFloat(radius, source))

    @property
    def ring(self) -> bool:
        """Whether a region is a ring around the tumour."""
        return any("ring_" in name for item in self.protocol.sequences.values() for name in item.regions)

    def extractions(self) -> Iterator[tuple[SequenceSettings, list[str]]]:
        """Sequences with the same parameters and preprocessing: the first of them, and the labels of all."""
        alike: dict[str, list[SequenceSettings]] = {}
        for name, item in self.protocol.sequences.items():
            how = self.plain.sequences[name].model_dump_json(include={"parameters", "preprocessing", "log_padding"})
            alike.setdefault(how, []).append(item)
        for items in alike.values():
            yield items[0], [item.label for item in items]

    def terms(self, model: str) -> list[dict[str, str]]:
        """Rows of a model's ``coefficients.csv``, without the intercept."""
        rows = self.cells.rows("coefficients", {"model": model})
        return [row for row in rows if row["term"].lower() not in INTERCEPT]


def model_sentence(info: RunInfo, name: str) -> str:
    """What a model is, in a sentence."""
    names = Names(info)
    return info.protocol.models[name].sentence(upper_first(names.model(name)), names)
