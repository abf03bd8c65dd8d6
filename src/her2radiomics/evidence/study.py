"""A study as evidence sees it: all of its patients, and how its models are fitted on any of them.

Everything that learns is fitted on the rows that a repetition names, and on no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
from pydantic import Field

from her2radiomics import modelling
from her2radiomics.cohort.partitions import Partitioning
from her2radiomics.cohort.settings import Readers
from her2radiomics.core.columns import Column
from her2radiomics.core.contracts import PARTITIONS, TRAINING
from her2radiomics.core.errors import StudyError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.evidence.extractions import Purpose, Reextraction
from her2radiomics.evidence.published import PublishedOrder
from her2radiomics.modelling.parts import SharedFits
from her2radiomics.modelling.people import by_person
from her2radiomics.modelling.readers import SecondReader
from her2radiomics.modelling.settings import ModelSettings
from her2radiomics.modelling.tables import model_table
from her2radiomics.statistics import auc

if TYPE_CHECKING:
    from her2radiomics.modelling.study_model import StudyModel

NAN = float("nan")
#: What a data set of evidence is called where it is no partition.
CROSS_VALIDATED = "cross_validated"
#: Fits that are remembered, of the rows and labels that were fitted last.
MOST_RECENT = 12


class About(Settings):
    """What is known of a study before its patients are read: plain data of a rule."""

    models: dict[str, ModelSettings] = Field(description="The protocol's models.")
    columns: dict[str, Column] = Field(description="The protocol's participants columns.")
    primary: str = Field(description="The model that the study is about.")
    partitions: Partitioning = Field(description="How the partitions were made.")
    readers: Readers = Field(default_factory=Readers, description="Whose outlines train, and whose are compared.")
    seed: int = Field(description="The study's seed.")
    persons: dict[str, str] = Field(default_factory=dict, description="Patient to person, of those who share one.")
    level: float = Field(0.95, description="Level of the intervals.")
    second_reader: bool = Field(False, description="Whether a second reader outlined patients.")
    extracted: bool = Field(True, description="Whether features come from images.")
    simulated: bool = Field(False, description="Whether the patients are simulated.")
    published: dict[str, PublishedOrder] = Field(
        default_factory=dict, description="Model to its steps as the paper describes them."
    )
    others: dict[str, Reextraction] = Field(
        default_factory=dict, description="Other extractions from the same images, by name."
    )
    title: str = Field("", description="Title of the study.")
    labels: dict[str, str] = Field(default_factory=dict, description="Printed names of models.")
    partition_labels: dict[str, str] = Field(default_factory=dict, description="Printed names of partitions.")
    centre_labels: dict[str, str] = Field(default_factory=dict, description="Printed names of centres.")
    sequence_labels: dict[str, str] = Field(default_factory=dict, description="Printed names of sequences.")
    outcomes: tuple[str, str] = Field(("negative", "positive"), description="Printed names of the outcomes.")


@dataclass(frozen=True, eq=False, kw_only=True)
class Facts:
    """What is known of a study before its features are.

    Attributes
    ----------
    about
        Its settings.
    people
        ``patient_id, centre, partition, label`` of the included patients, then what else is known of them.
    """

    about: About
    people: pd.DataFrame

    @property
    def main(self) -> list[str]:
        """The primary model and the models that it is made of, these first."""
        return [*self.about.models[self.about.primary].parts(), self.about.primary]

    @property
    def imaging(self) -> list[str]:
        """The main models if one of them uses image features; else the models that use some, parts first."""
        models = self.about.models
        using = [name for name, spec in models.items() if any(models[part].block for part in (*spec.parts(), name))]
        if not set(using).isdisjoint(self.main):
            return self.main
        return sorted(using, key=lambda name: bool(models[name].parts()))

    @property
    def judged(self) -> list[str]:
        """:attr:`imaging` and the models that they are made of, these first."""
        models = self.about.models
        return list(dict.fromkeys(part for name in self.imaging for part in (*models[name].parts(), name)))

    @property
    def chief(self) -> str:
        """The primary model if it is made from image features; else the first that is."""
        found = self.imaging
        return self.about.primary if self.about.primary in found or not found else found[0]

    def extractions(self, purpose: Purpose) -> list[str]:
        """Names of the other extractions that are made for a purpose."""
        return [name for name, item in self.about.others.items() if item.purpose == purpose]

    @property
    def tested(self) -> list[str]:
        """Partitions with patients who do not train, in the order of the papers."""
        return [name for name in PARTITIONS if name != TRAINING and (self.people["partition"] == name).any()]

    def size(self, partition: str) -> tuple[int, int]:
        """Patients of a partition, and those with label 1."""
        labels = self.people.loc[self.people["partition"] == partition, "label"]
        return len(labels), int(labels.sum())

    def label(self, model: str) -> str:
        """Printed name of a model."""
        return self.about.labels.get(model, model)

    def partition_label(self, partition: str) -> str:
        """Printed name of a partition, or of cross-validation in the training set."""
        if partition == CROSS_VALIDATED:
            return "Cross-validation"
        return self.about.partition_labels.get(partition, partition)

    def random(self, analysis: str, index: int) -> np.random.Generator:
        """Random numbers of one repetition of an analysis."""
        return np.random.default_rng((self.about.seed, crc32(analysis.encode()), index))


@dataclass(frozen=True, eq=False, kw_only=True)
class EvidenceStudy(Facts):
    """A study with the features of all of its patients.

    Attributes
    ----------
    features
        ``patient_id``, ``reader``, then features, of all patients.
    other_features
        Name of another extraction to its feature table, laid over the study's own: the same columns, of the patients and
        readers whom it holds.
    """

    features: pd.DataFrame
    other_features: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Features and clinical columns of all patients, sorted by patient."""
        return self.table_of(self.features)

    def table_of(self, features: pd.DataFrame) -> pd.DataFrame:
        """The same with another feature table, of the patients whom it holds."""
        known = self.people["patient_id"].isin(features["patient_id"].astype(str))
        people = self.people[known].sort_values("patient_id")
        return model_table(features, people, self.about.columns, self.about.readers.reference)

    @cached_property
    def patients(self) -> pd.DataFrame:
        """``centre, partition, label`` and more of the patients, indexed as :attr:`table`."""
        return self.people.set_index("patient_id").loc[self.table.index]

    @cached_property
    def outcome(self) -> np.ndarray:
        """Labels of all patients, 0 or 1, shape (patients,)."""
        return self.patients["label"].to_numpy(int)

    @cached_property
    def second(self) -> SecondReader | None:
        """Rows of the compared readers; a fit looks up its own patients and no others."""
        return modelling.second_reader_table(self.features, self.about.readers.compared, self.about.readers.reference)

    def rows(self, partition: str) -> np.ndarray:
        """Row numbers of a partition in :attr:`table`."""
        return np.flatnonzero(self.patients["partition"].to_numpy() == partition)

    @cached_property
    def _recent(self) -> dict[tuple[str, bytes, bytes], StudyModel]:
        """Last fits with the study's own settings by model, rows and labels: other settings leave some models alone."""
        return {}

    @cached_property
    def who(self) -> np.ndarray:
        """Whom each row of :attr:`table` is of: rows of one person are drawn together."""
        return by_person(self.table, self.about.persons).index.to_numpy().astype(str)

    def fit(
        self,
        rows: np.ndarray,
        outcome: np.ndarray | None = None,
        *,
        models: Iterable[str] = (),
        specs: Mapping[str, ModelSettings] | None = None,
        table: pd.DataFrame | None = None,
        second: SecondReader | None = None,
    ) -> dict[str, StudyModel]:
        """Fit models on rows: everything that they learn, and nothing of other rows.

        Parameters
        ----------
        rows
            Row numbers in ``table``; a row may be drawn more than once.
        outcome
            Labels of all rows of ``table``, shape (patients,); those of the study by default.
        models
            Models to fit; :attr:`main` by default. Their parts are fitted once.
        specs
            Settings of the models; those of the study by default.
        table
            Features and clinical columns; :attr:`table` by default.
        second
            The second reader's rows; :attr:`second` by default.

        Returns
        -------
        dict
            Model to its fit; a model that could not be fitted is left out.
        """
        table = self.table if table is None else table
        labels = (self.outcome if outcome is None else outcome)[rows]
        specs = specs or self.about.models
        asked = list(models) or self.main
        chosen, shared = table.iloc[rows], SharedFits()
        parts = [part for name in asked for part in specs[name].parts()]
        fits: dict[str, StudyModel] = {}
        usual = table is self.table and second is None
        for name in dict.fromkeys([*parts, *asked]):
            same = all(specs[part] is self.about.models.get(part) for part in (*specs[name].parts(), name))
            key = (name, np.asarray(rows).tobytes(), labels.tobytes())
            if usual and same and key in self._recent:
                fits[name] = self._recent[key]
                shared.keep(fits[name].fitted_.part(), chosen.index, labels)
                continue
            model = modelling.build_model(
                name,
                specs,
                self.about.columns,
                second_reader=second or self.second,
                seed=self.about.seed,
                shared=shared,
                persons=self.about.persons,
            )
            try:
                fits[name] = model.fit(chosen, labels)
            except (StudyError, ValueError):
                continue  # a resample may lose a class, or what a step needs
            shared.keep(model.fitted_.part(), chosen.index, labels)
            if usual and same:
                self._recent[key] = fits[name]
                if len(self._recent) > MOST_RECENT:
                    del self._recent[next(iter(self._recent))]
        return {name: fits[name] for name in asked if name in fits}


def one_centre(facts: Facts) -> bool:
    """Whether all patients are of one centre."""
    return bool(facts.people["centre"].nunique() < 2)


def probabilities(model: StudyModel | None, table: pd.DataFrame) -> np.ndarray:
    """Probability of label 1, shape (rows,); not a number where a patient, or any, cannot be predicted."""
    found = np.full(len(table), NAN)
    if model is None:
        return found
    try:
        known = np.asarray(model.rule_.predictable(table), dtype=bool)
        found[known] = model.predict_proba(table[known])[:, 1]
    except (StudyError, ValueError):
        return np.full(len(table), NAN)  # a category that the fit has not seen
    return found


def area(outcome: np.ndarray, probability: np.ndarray) -> float:
    """AUC over the rows that have a probability; not a number where they hold one class."""
    known = ~np.isnan(probability)
    if np.unique(outcome[known]).size < 2:
        return NAN
    return auc(outcome[known], probability[known])
