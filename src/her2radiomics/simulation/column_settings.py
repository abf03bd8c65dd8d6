"""How a participants column of the simulated cohort is drawn: a small declarative language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from her2radiomics.core.settings import Settings
from her2radiomics.simulation.traits import TRAITS

RESERVED = ("patient_id", "centre", "mri_date", "exclude_reason")
Frequencies = Annotated[dict[str, NonNegativeFloat], Field(min_length=1)]
Part = TypeVar("Part")


class ByOutcome(Settings, Generic[Part]):
    """A distribution for each outcome."""

    positive: Part = Field(description="Among patients with the outcome.")
    negative: Part = Field(description="Among patients without the outcome.")


class Normal(Settings):
    """A normal distribution."""

    mean: float = Field(description="Mean.")
    sd: PositiveFloat = Field(description="Standard deviation.")


class InCentre(Normal):
    """A normal distribution of one centre's patients, cut off at its ends."""

    minimum: float | None = Field(default=None, description="Smallest value; smaller ones are set to it.")
    maximum: float | None = Field(default=None, description="Largest value; larger ones are set to it.")


class ContinuousColumn(Settings):
    """A number: normal, or log-normal with the given mean and standard deviation."""

    kind: Literal["continuous"] = Field(description="A number.")
    mean: float | None = Field(default=None, description="Mean over all patients; or give by_outcome.")
    sd: PositiveFloat | None = Field(default=None, description="Standard deviation over all patients.")
    log_normal: bool = Field(default=False, description="Right-skewed: the logarithm is normal.")
    traits: dict[str, float] = Field(default={}, description="Trait → correlation with it.")
    by_outcome: ByOutcome[Normal] | None = Field(
        default=None, description="Instead of mean and sd: distribution per outcome; pooled when nothing is planted."
    )
    by_centre: dict[str, InCentre] = Field(
        default={}, description="Instead of mean and sd: distribution per centre of the simulation."
    )
    minimum: float | None = Field(default=None, description="Smallest value; smaller ones are set to it.")
    maximum: float | None = Field(default=None, description="Largest value; larger ones are set to it.")
    decimals: int = Field(default=0, ge=0, le=6, description="Decimals written.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = [self.mean is not None and self.sd is not None, self.by_outcome is not None, bool(self.by_centre)]
        if sum(given) != 1:
            raise ValueError("expected one of: mean and sd, by_outcome, by_centre")
        _known_traits(self.traits)
        if sum(weight**2 for weight in self.traits.values()) > 1:
            raise ValueError("traits: the squares of the correlations add up to more than 1")
        if self.log_normal and (self.mean or 0) <= 0:
            raise ValueError("log_normal needs a positive mean, without by_outcome or by_centre")
        return self

    def of_centre(self, centre: str) -> ContinuousColumn:
        """The column as a centre's patients have it."""
        own = self.by_centre.get(centre)
        return self if own is None else self.model_copy(update=own.model_dump())


class CategoricalColumn(Settings):
    """A level, drawn with given frequencies; ordered levels may follow a trait."""

    kind: Literal["categorical"] = Field(description="A level.")
    levels: Frequencies | None = Field(
        default=None, description="Level → relative frequency, in ascending order; counts may be given."
    )
    driver: str | dict[str, float] | None = Field(
        default=None,
        description="Trait or continuous column whose quantile decides the level: low value, first level. "
        "With by_outcome only where exact: it decides inside each outcome, and several may be given with their weights.",
    )
    agreement: float = Field(
        default=1.0, gt=0, le=1, description="Correlation of the level's latent value with a single driver."
    )
    by_outcome: ByOutcome[Frequencies] | None = Field(
        default=None, description="Instead of levels: frequencies per outcome; pooled when nothing is planted."
    )
    exact: bool = Field(
        default=False,
        description="With by_outcome: each centre's counts by outcome are apportioned by largest remainder instead "
        "of drawn, so that published counts come out as they are and smaller cohorts scale them.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.levels is None) == (self.by_outcome is None):
            raise ValueError("expected either levels or by_outcome")
        if self.by_outcome is not None:
            if self.driver is not None and not self.exact:
                raise ValueError("driver goes with levels, or with by_outcome and exact: true")
            _same_levels(self.by_outcome)
            _some(self.by_outcome.positive, self.by_outcome.negative)
        else:
            if self.exact:
                raise ValueError("exact goes with by_outcome")
            if isinstance(self.driver, dict):
                raise ValueError("several drivers go with by_outcome and exact: true")
            _some(self.levels or {})
        if sum(weight**2 for weight in self.links.values()) > 1:
            raise ValueError("driver: the squares of the weights add up to more than 1")
        return self

    @property
    def links(self) -> dict[str, float]:
        """What drives the level, each with its weight."""
        if isinstance(self.driver, dict):
            return self.driver
        return {self.driver: self.agreement} if self.driver else {}


class MeasuredColumn(Settings):
    """What a reader measures on the images: follows from what is planted, with an error."""

    kind: Literal["measured"] = Field(description="A measurement on the simulated tumour.")
    quantity: Literal["max_diameter", "area", "volume", "adc", "tic_type"] = Field(
        description="max_diameter in mm; area of the largest axial cross-section in cm²; volume in cm³; "
        "adc of the viable tumour in 10⁻³ mm²/s; tic_type: type of the time-signal curve by its late change."
    )
    error: NonNegativeFloat = Field(
        0.0, description="Standard deviation of the measurement error: relative, for tic_type in units of change."
    )
    decimals: int = Field(default=0, ge=0, le=6, description="Decimals written.")
    levels: tuple[str, str, str] = Field(
        default=("inflow", "plateau", "outflow"), description="tic_type: names for rising, flat and falling curves."
    )
    late_minutes: PositiveFloat = Field(
        default=4.5,
        description="tic_type: when the late signal is read, in minutes after the injection: the same at every centre.",
    )
    flat_within: PositiveFloat = Field(
        default=0.10, description="tic_type: largest late change of signal, relative to the early peak, called flat."
    )


class OutcomeColumn(Settings):
    """A column that states or grades the outcome: linked to it by definition, planted signal or not."""

    kind: Literal["outcome"] = Field(description="States or grades the outcome.")
    positive: Frequencies = Field(description="Level → relative frequency among patients with the outcome.")
    negative: Frequencies = Field(description="Level → relative frequency among patients without it.")
    ordered: bool = Field(
        default=False, description="Levels ascend with the outcome score inside each outcome, instead of at random."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _some(self.positive, self.negative)
        return self


class OutcomeNumber(Settings):
    """A number that states the outcome, uniform between two ends: a FISH ratio."""

    kind: Literal["outcome_number"] = Field(description="A number that states the outcome.")
    positive: tuple[float, float] = Field(description="Smallest and largest among patients with the outcome.")
    negative: tuple[float, float] = Field(description="Smallest and largest among patients without it.")
    where: dict[str, tuple[str, ...]] = Field(
        default={}, description="Column given before → levels with which it is measured; else the cell is empty."
    )
    decimals: int = Field(default=1, ge=0, le=6, description="Decimals written.")


class SecondReading(Settings):
    """What a second reader says of a characteristic: the same, or with an error another level."""

    kind: Literal["second_reading"] = Field(description="A second reader's level.")
    of: str = Field(description="The first reader's column, given before.")
    levels: tuple[str, ...] = Field(min_length=2, description="Its levels.")
    error: float = Field(default=0.1, ge=0, le=1, description="Share of patients with another level, at random.")


class EndPoint(Settings):
    """Another time to event, by its two columns."""

    time: str = Field(description="Its column of months.")
    event: str = Field(description="Its event column.")


class Hazard(Settings):
    """How soon something happens: exponential times."""

    median_months: PositiveFloat = Field(description="Median time to the event without the outcome, in months.")
    hazard_ratio: PositiveFloat = Field(default=1.0, description="Hazard with the outcome over hazard without it.")


class TimeToEventColumn(Hazard):
    """Follow-up time in months, exponential, with the event in a second column."""

    kind: Literal["time_to_event"] = Field(description="Follow-up time, with the event beside it.")
    event_column: str = Field(description="Column of the event: 1 happened, 0 censored.")
    follow_up_months: tuple[NonNegativeFloat, PositiveFloat] = Field(
        description="Shortest and longest follow-up: censoring is uniform between them."
    )
    decimals: int = Field(default=1, ge=0, le=6, description="Decimals written.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.follow_up_months[0] > self.follow_up_months[1]:
            raise ValueError("follow_up_months: the shortest comes after the longest")
        return self


class FollowUp(Settings):
    """Months from the MRI examination to the day on which the data were closed."""

    kind: Literal["follow_up"] = Field(description="Months from the examination to the closing date.")
    until: date = Field(description="The closing date, after every centre's last day of examination.")
    decimals: int = Field(default=1, ge=0, le=6, description="Decimals written.")


class Course(Settings):
    """The course of the disease: recurrence, seen at visits, and death; three times to event that belong together."""

    kind: Literal["course"] = Field(
        description="Disease-free survival in months, its event recurrence, with progression-free and overall survival."
    )
    event_column: str = Field(description="Column of the recurrence: 1 seen, 0 censored.")
    progression_free: EndPoint = Field(description="Columns of the time to recurrence or death.")
    overall: EndPoint = Field(description="Columns of the time to death.")
    follow_up: str = Field(description="The follow_up column, given before this one: nothing is known after it.")
    visit_months: PositiveFloat = Field(
        default=6.0,
        description="Months between visits; a recurrence is seen at the next one, nobody dies before the first.",
    )
    recurrence: Hazard = Field(description="From the examination to recurrence.")
    death: Hazard = Field(description="From the visit at which recurrence was seen to death.")
    other_death: Hazard = Field(description="From the first visit to death without recurrence.")
    decimals: int = Field(default=1, ge=0, le=6, description="Decimals written.")


Column = (
    ContinuousColumn
    | CategoricalColumn
    | MeasuredColumn
    | OutcomeColumn
    | OutcomeNumber
    | SecondReading
    | TimeToEventColumn
    | FollowUp
    | Course
)
ColumnSettings = Annotated[Column, Field(discriminator="kind")]


def check_columns(columns: Mapping[str, Column], weights: Mapping[str, float]) -> None:
    """Check what only the columns together can break.

    Raises
    ------
    ValueError
        A reserved or repeated name, no outcome column, or a weight for something that cannot be a predictor.
    """
    names = [name for key, column in columns.items() for name in written(key, column)]
    taken = sorted({name for name in names if name in RESERVED or names.count(name) > 1})
    if taken:
        raise ValueError(f"columns: {', '.join(taken)} is reserved or given twice")
    if not any(isinstance(column, OutcomeColumn) for column in columns.values()):
        raise ValueError("columns: none is of kind outcome; the label would not be in the participants table")
    _check_sources(columns)
    for name, column in columns.items():
        for driver in column.links if isinstance(column, CategoricalColumn) else ():
            if driver not in TRAITS and not _numeric(columns.get(driver)):
                raise ValueError(
                    f"columns.{name}.driver: '{driver}' is neither a trait nor a continuous column that is drawn before "
                    f"the outcome; traits: {', '.join(TRAITS)}"
                )
    fit = [n for n, c in columns.items() if _numeric(c) or (isinstance(c, CategoricalColumn) and c.levels)]
    for name in weights:
        if name not in TRAITS and name not in fit:
            raise ValueError(
                f"outcome.weights: '{name}' is neither a trait nor a continuous or categorical column that is "
                f"drawn before the outcome; traits: {', '.join(TRAITS)}; columns: {', '.join(fit)}"
            )


def written(name: str, column: Column) -> list[str]:
    """Columns of the participants table that one entry fills."""
    if isinstance(column, Course):
        ends = (column.progression_free, column.overall)
        return [name, column.event_column, *(part for end in ends for part in (end.time, end.event))]
    return [name, column.event_column] if isinstance(column, TimeToEventColumn) else [name]


def _check_sources(columns: Mapping[str, Column]) -> None:
    """Some columns depend on others, which come before them, since columns are drawn in their order."""
    before: dict[str, Column] = {}
    for name, column in columns.items():
        if isinstance(column, Course) and not isinstance(before.get(column.follow_up), FollowUp):
            raise ValueError(
                f"columns.{name}.follow_up: expected a column of kind follow_up given before it, found '{column.follow_up}'"
            )
        if isinstance(column, SecondReading):
            _given(f"columns.{name}.of", [column.of], before)
        if isinstance(column, OutcomeNumber):
            _given(f"columns.{name}.where", column.where, before)
        before[name] = column


def _given(where: str, names: Iterable[str], before: Mapping[str, Column]) -> None:
    for name in names:
        if name not in before:
            raise ValueError(f"{where}: expected a column given before it, found '{name}'")


def _numeric(column: Column | None) -> bool:
    return isinstance(column, ContinuousColumn) and column.by_outcome is None


def _known_traits(names: Mapping[str, float]) -> None:
    unknown = sorted(set(names) - set(TRAITS))
    if unknown:
        raise ValueError(f"no trait {', '.join(unknown)}; known: {', '.join(TRAITS)}")


def _some(*frequencies: Mapping[str, float]) -> None:
    for mapping in frequencies:
        if sum(mapping.values()) <= 0:
            raise ValueError("the frequencies of the levels add up to nothing")


def _same_levels(pair: ByOutcome[Frequencies]) -> None:
    if list(pair.positive) != list(pair.negative):
        raise ValueError("by_outcome: positive and negative must name the same levels in the same order")
