"""What a study protocol (``workflow/studies/*.yaml``) may say: the whole of a study, as data."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from her2radiomics.cohort.outcome import Label, outcome_columns
from her2radiomics.cohort.partitions import Partitioning
from her2radiomics.core.columns import Column, Stage, known_at
from her2radiomics.core.contracts import PARTITIONS, contract
from her2radiomics.core.derivation import sources
from her2radiomics.core.settings import FILE_NAME, Settings
from her2radiomics.core.tables import SIMULATED
from her2radiomics.evaluation.settings import EvaluationSettings
from her2radiomics.evidence.settings import EvidenceSettings
from her2radiomics.extraction.filters import LOG_PADDING
from her2radiomics.extraction.options import Alteration, LogPadding
from her2radiomics.imaging.preprocessing_settings import Preprocessing
from her2radiomics.manuscript.figures import FigureOptions, FigureSettings, with_panels
from her2radiomics.manuscript.palettes import PaletteName
from her2radiomics.manuscript.published import PublishedNumber
from her2radiomics.manuscript.published.settings import PublishedTable
from her2radiomics.manuscript.style import SvgText
from her2radiomics.manuscript.tables import TableSettings
from her2radiomics.manuscript.typefaces import FontName
from her2radiomics.modelling.features import RESERVED
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.modelling.steps.combat import CombatStep
from her2radiomics.simulation.settings import SimulationSettings

#: Columns that the results' own tables have: a participants column may not be called so.
OWN_NAMES = frozenset(
    (*RESERVED, SIMULATED, *(n for name in ("registered", "participants", "predictions") for n in contract(name).names))
)
#: What a set of patients is called in print; ``temporal``: an external partition of later patients.
SETS = {
    "training": "Training set",
    "testing": "Test set",
    "external": "External test set",
    "temporal": "Temporal test set",
}
REGION = r"^(tumour|ring_\d+(\.\d+)?mm)_(volume|slice)$"


class Paper(Settings):
    """The published study that a protocol follows."""

    citation: str = Field(description="Reference as it is to be cited.")
    doi: str = Field("", description="Digital object identifier.")


class Sequence(Settings):
    """One MRI sequence, or one phase of one, and what is extracted from it."""

    label: str = Field(description="Name as tables and figures print it.")
    description: str = Field("", description="What the sequence is, for the methods section.")
    regions: list[Annotated[str, Field(pattern=REGION)]] = Field(
        min_length=1, description="Regions of interest: tumour_volume, tumour_slice, ring_3mm_volume, ring_3mm_slice."
    )
    slice_of: str | None = Field(
        None,
        description="Sequence at the level of whose largest slice this one's _slice regions lie, by physical position; "
        "without it they lie in its own largest slice.",
    )
    parameters: str = Field(description="PyRadiomics parameter file in workflow/extraction, without .yaml.")
    features: int = Field(gt=0, description="Features expected from each region; another count is an error.")
    preprocessing: Preprocessing = Field(
        default_factory=Preprocessing,
        description="What is done to image and masks first; nothing unless it is named here.",
    )
    log_padding: LogPadding = Field(
        LOG_PADDING,
        description="How far, in σ, Laplacian-of-Gaussian filters see beyond the regions: 18 gives the whole image's "
        "values to 1e-7, exact (20) to 1e-9 at more cost.",
    )

    def altered(self) -> dict[str, Any]:
        """What is changed on purpose, as plain data; nothing in a study's own sequences."""
        return {}


class AlteredSequence(Alteration, Sequence):
    """A sequence that is extracted once more with something changed, for the evidence of a run."""

    def altered(self) -> dict[str, Any]:
        """What is changed on purpose, as plain data."""
        return self.chosen()


class Reporting(Settings):
    """What a methods section must say and no run holds; each is a sentence or a phrase as it is to be printed."""

    design: str = Field(default="", description="Design and setting: 'Retrospective study of two hospitals'.")
    ethics: str = Field(default="", description="Approval and consent, as a sentence.")
    enrolment: str = Field(default="", description="Period: 'December 2019 to January 2024'.")
    sample_size: str = Field(default="", description="How the sample size came about, as a sentence.")
    pathology: list[str] = Field(
        default_factory=list,
        description="How receptors and response were determined, a sentence each: IHC and FISH criteria.",
    )
    readers: str = Field(
        default="", description="Who outlined and described: number, experience, consensus; as a sentence."
    )
    blinding: str = Field(default="", description="To what the readers were blinded, as a sentence.")
    software: str = Field(default="", description="Software of the delineation, with its version.")
    injection: str = Field(default="", description="Contrast agent, dose, rate and flush, as a sentence.")
    editions: dict[str, str] = Field(
        default_factory=dict, description="Guideline or lexicon to its edition: BI-RADS, AJCC, NCCN."
    )


class Contradiction(Settings):
    """A place where the paper disagrees with itself."""

    finding: str = Field(description="What the paper says, and says otherwise.")
    followed: str = Field(description="The side that this protocol follows, and why.")
    variant: str | None = Field(None, description="The named variant that runs the other side.")


class Variant(Settings):
    """A named alternative of the protocol."""

    description: str = Field(description="What is done otherwise, and why one would.")
    changes: dict[str, Any] = Field(description="Laid over the protocol: mappings merge, lists replace, null removes.")


class Protocol(Settings):
    """A study from its question to its tables."""

    title: str = Field(description="Title of the study, for headings.")
    question: str = Field(description="The question it answers, in one sentence.")
    paper: Paper = Field(description="The published study.")
    label: Label = Field(description="The outcome.")
    prediction_at: Stage = Field("before_treatment", description="When the prediction is made.")
    inclusion: list[str] = Field(
        default_factory=list, description="Inclusion criteria as printed, in the methods and the recruitment flow."
    )
    reporting: Reporting = Field(
        default_factory=Reporting, description="What else a methods section must say: readers, pathology, sample size."
    )
    acquisition: list[str] = Field(
        default_factory=list, description="Scanners and cohort in short lines, for the methods and the workflow figure."
    )
    delineation: list[str] = Field(
        default_factory=list, description="How regions were outlined, in short lines, for the same places."
    )
    columns: dict[str, Column] = Field(default_factory=dict, description="Participants columns that the study uses.")
    centres: dict[str, str] = Field(default_factory=dict, description="Printed names of centres.")
    partitions: Partitioning = Field(description="Who trains and who tests.")
    partition_labels: dict[str, str] = Field(
        default_factory=dict,
        description="Printed names of partitions that say more than training set, test set, external test set or temporal "
        "test set, such as 'Test set (centre 2)'.",
    )
    exclusions: dict[str, str] = Field(
        default_factory=dict, description="Values of exclude_reason as printed, in the order of the flow."
    )
    sequences: dict[str, Sequence] = Field(default_factory=dict, description="Sequences and their extraction.")
    models: dict[str, ModelSettings] = Field(min_length=1, description="Models, by name, in the order of the tables.")
    model_labels: dict[str, str] = Field(default_factory=dict, description="Printed names of models.")
    primary_model: str = Field(description="The model that the study is about.")
    evaluation: EvaluationSettings = Field(default_factory=EvaluationSettings, description="How models are judged.")
    evidence: EvidenceSettings = Field(
        default_factory=EvidenceSettings, description="How much of a performance would survive: the target `evidence`."
    )
    palette: PaletteName = Field("okabe_ito", description="Colours of the figures; a figure may name its own palette.")
    font_family: FontName = Field(
        "liberation_sans",
        description="Typeface of the figures: Liberation Sans (the widths of Arial) and DejaVu Sans come with the package; "
        "Arial and Helvetica must be installed.",
    )
    svg_text: SvgText = Field(
        "outlines",
        description="`outlines` look the same everywhere; `text` can be edited where the typeface is installed.",
    )
    figures: list[FigureSettings] = Field(
        default_factory=list, description="Figures, numbered as in the paper: a mapping from id, or a list."
    )
    tables: list[TableSettings] = Field(
        default_factory=list, description="Tables, numbered as in the paper: a mapping from id, or a list."
    )
    published: list[PublishedNumber] = Field(default_factory=list, description="Numbers that the paper prints.")
    published_tables: list[PublishedTable] = Field(
        default_factory=list,
        description="Tables that the paper prints and the study's audit file transcribes: their numbers join the others.",
    )
    assumptions: list[str] = Field(default_factory=list, description="What the paper leaves open and is chosen here.")
    contradictions: list[Contradiction] = Field(
        default_factory=list, description="Where the paper disagrees with itself."
    )
    simulation: SimulationSettings | None = Field(None, description="The simulated cohort of this study.")
    variants: dict[str, Variant] = Field(default_factory=dict, description="Named alternatives.")

    @field_validator("figures", "tables", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A mapping from id to settings, so that a variant or cohort file can change or remove one of them."""
        if isinstance(value, Mapping):
            return [{"id": name, **(settings or {})} for name, settings in value.items()]
        return value

    @field_validator("figures", mode="after")
    @classmethod
    def _panels_are_figures(cls, value: list[FigureOptions]) -> list[FigureOptions]:
        """Composed figures know the settings of their panels."""
        return with_panels(value)

    @field_validator("sequences", "models", "variants")
    @classmethod
    def _names_are_file_names(cls, value: dict[str, Any]) -> dict[str, Any]:
        """They become folders of the results."""
        odd = next((name for name in value if not re.fullmatch(FILE_NAME, name)), None)
        if odd is not None:
            raise ValueError(
                f"found the name '{odd}'; expected letters, digits, '_', '-' and '.', beginning with a letter or digit"
            )
        return value

    @field_validator("columns")
    @classmethod
    def _columns_are_the_studys(cls, value: dict[str, Column]) -> dict[str, Column]:
        """Names that the results use themselves would be read as something else."""
        taken = next((name for name in value if name.casefold() in OWN_NAMES), None)
        if taken is not None:
            raise ValueError(
                f"found the column '{taken}', a name that the results use themselves; expected another one. Call it, say, "
                f"'{taken}_value' here, and say in the cohort file where it comes from: columns: {{{taken}_value: "
                f"{{source: {taken}}}}}"
            )
        return value

    @model_validator(mode="after")
    def _names_are_known(self) -> Protocol:
        both = next((name for name in self.models if name in self.columns), None)
        if both is not None:
            raise ValueError(
                f"models.{both}: found a column of the same name; expected another name for one of the two"
            )
        if self.label.column in OWN_NAMES - {"label"}:
            raise ValueError(
                f"label.column: found '{self.label.column}', a name that the results use themselves; expected the outcome's"
            )
        for sequence, item in self.sequences.items():
            if item.preprocessing.subtract == sequence:
                raise ValueError(
                    f"sequences.{sequence}.preprocessing.subtract: found the sequence itself; expected another one, "
                    "the pre-contrast phase"
                )
            self._check_level(sequence, item)
        self._check_derived()
        outcome = outcome_columns(self.label, self.columns)
        seen = sorted(name for name in outcome & set(self.columns) if self.columns[name].measured)
        if seen:
            raise ValueError(f"columns.{seen[0]}: the outcome, or what it is made from, is not measured from images")
        for name, model in self.models.items():
            here = f"models.{name}"
            told = sorted(outcome & set(getattr(model, "candidates", [])))
            if told:
                raise ValueError(f"{here}.candidates: '{told[0]}' is the outcome, or what it is made from")
            _known(f"{here}.candidates", getattr(model, "candidates", []), self.columns)
            _known(f"{here}.of", getattr(model, "of", []), self.models)
            if self.sequences and model.block:
                _known(f"{here}.sequences", model.block.sequences, self.sequences)
            self._refuse_unavailable(name, getattr(model, "candidates", []), model.allow_unavailable)
            for step in model.feature_steps():
                if isinstance(step, CombatStep):
                    self._check_harmonisation(name, step, model.allow_unavailable)
        _known("primary_model", [self.primary_model], self.models)
        _known("model_labels", self.model_labels, self.models)
        compared = [name for pair in self.evaluation.comparisons for name in pair]
        _known("evaluation.comparisons", compared, self.models)
        for piece in [*self.figures, *self.tables]:
            used = [model for need in piece.needs() for model in piece.models_needed(need)]
            _known(f"{piece.id}, models", used, self.models)
            _known(f"{piece.id}, participants columns", piece.columns_used(), self.columns)
            _known(f"{piece.id}, partitions", piece.partitions_used(), PARTITIONS)
        return self

    def _check_level(self, sequence: str, item: Sequence) -> None:
        """Another sequence, with a largest slice of its own, decides on a slice."""
        if item.slice_of is None:
            return
        here = f"sequences.{sequence}.slice_of"
        _known(here, [item.slice_of], [name for name in self.sequences if name != sequence])
        if self.sequences[item.slice_of].slice_of is not None:
            raise ValueError(f"{here}: {item.slice_of} takes its own slice from another sequence; name that one")
        if not any(region.endswith("_slice") for region in item.regions):
            raise ValueError(f"{here}: found no _slice region among {', '.join(item.regions)}; leave slice_of out")

    def _check_derived(self) -> None:
        """Derived columns follow those that they are made from, and are not known before them."""
        before: list[str] = []
        for name, column in self.columns.items():
            here = f"columns.{name}.derived"
            _known(here, [source for source in sources(column) if source in self.columns], before)
            _known(here, sources(column), self.columns)
            late = [s for s in sources(column) if not known_at(self.columns[s].available_at, column.available_at)]
            if late:
                raise ValueError(
                    f"columns.{name}: available {column.available_at}, but it is made from {late[0]}, which is known "
                    f"{self.columns[late[0]].available_at}. Say so in available_at"
                )
            before.append(name)
        if self.label.compared:
            _known("label.column", [self.label.column], self.columns)
            _known(
                "label.positive_levels, negative_levels", self.label.compared, self.columns[self.label.column].levels
            )

    def _check_harmonisation(self, model: str, step: CombatStep, allowed: bool) -> None:
        here = f"models.{model}.steps.combat"
        if self.label.column in step.covariates:
            raise ValueError(
                f"{here}.covariates: '{self.label.column}' is the label, which a new patient does not have; say "
                "preserve_label: true to estimate the centres beside it in training"
            )
        _known(f"{here}.covariates", step.covariates, self.columns)
        self._refuse_unavailable(model, step.covariates, allowed)
        named = {name: column for name, column in self.columns.items() if column.kind == "categorical"}
        _known(f"{here}.batch", [step.batch], ["centre", *named])

    def _refuse_unavailable(self, model: str, names: Iterable[str], allowed: bool) -> None:
        names = list(names)
        later = [name for name in names if self.columns[name].available_at == "follow_up"]
        if later and self.prediction_at != "follow_up":
            raise ValueError(
                f"models.{model} uses what is only known during follow-up: {', '.join(later)}. Follow-up may be "
                "described in tables and figures; it is never a predictor. Remove it from the model"
            )
        late = [name for name in names if not known_at(self.columns[name].available_at, self.prediction_at)]
        if late and not allowed:
            stages = ", ".join(f"{name} ({self.columns[name].available_at})" for name in late)
            raise ValueError(
                f"models.{model} predicts {self.prediction_at}, but uses columns known only later: {stages}. "
                "Remove them, or set allow_unavailable: true, which the report marks"
            )

    @property
    def bins_from_low(self) -> list[str]:
        """Parameter files of whose sequences each has its bins start at the lower bound of re-segmentation."""
        starts: dict[str, bool] = {}
        for item in self.sequences.values():
            resegment = item.preprocessing.resegment
            low = resegment is not None and resegment.bins_from_low
            starts[item.parameters] = starts.get(item.parameters, True) and low
        return [name for name, low in starts.items() if low]

    def model_label(self, name: str) -> str:
        """Printed name of a model."""
        return self.model_labels.get(name, name)

    def score_label(self, name: str) -> str:
        """Printed name of a model's score: the Rad-score, with the model's name where there are several."""
        scores = [model for model, item in self.models.items() if item.kind == "radiomics"]
        if name not in scores:
            return f"{self.model_label(name)} score"
        return "Rad-score" if len(scores) == 1 else f"Rad-score {self.model_label(name)}"

    def partition_label(self, name: str) -> str:
        """Printed name of a partition, or of several: ``training + testing``."""
        if " + " in name:
            return " + ".join(map(self.partition_label, name.split(" + ")))
        temporal = name == "external" and getattr(self.partitions, "external_from", None) is not None
        return self.partition_labels.get(name, SETS["temporal" if temporal else name])

    def sequence_label(self, name: str) -> str:
        """Printed name of a sequence."""
        return self.sequences[name].label if name in self.sequences else name

    def column_label(self, name: str) -> str:
        """Printed name of a participants column."""
        return self.columns[name].label if name in self.columns else name

    def level_label(self, column: str, level: str) -> str:
        """Printed name of a level of a participants column."""
        return self.columns[column].levels.get(level, level) if column in self.columns else level

    def centre_label(self, name: str) -> str:
        """Printed name of a centre."""
        return self.centres.get(name, name)


def _known(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            advice = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"{where}: '{name}' is not declared; {advice}")
