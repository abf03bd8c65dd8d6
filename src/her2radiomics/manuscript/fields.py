"""Options that several kinds of figure and table share, each described once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

By = Annotated[str, Field(description="'label', 'partition' or a participants column with levels.")]
Partitions = Annotated[tuple[str, ...], Field(description="Partitions taken, in order; empty: all of the study.")]
Models = Annotated[tuple[str, ...], Field(description="Models, in order; empty: all of the study.")]
Summaries = Annotated[
    dict[str, Literal["mean", "median"]],
    Field(
        default_factory=dict,
        description="How a continuous column is described and tested (mean: t test; median: rank test); by default as "
        "Shapiro–Wilk decides.",
    ),
]
Variances = Annotated[
    Literal["welch", "student", "levene"],
    Field(description="Which t test: Welch's, Student's, or the one that Levene's test suggests."),
]
Time = Annotated[str, Field(description="Participants column of the follow-up time, continuous.")]
Event = Annotated[str, Field(description="Participants column of the event.")]
EventLevel = Annotated[
    str | None,
    Field(description="Value of the event column where the event was seen; may be left out where it holds 0 and 1."),
]
DrawnModel = Annotated[str, Field(description="Model to draw.")]
DrawnModels = Annotated[list[str], Field(description="Models to draw.", min_length=1)]
DrawnPartition = Annotated[str, Field(description="Partition whose patients are drawn.")]
