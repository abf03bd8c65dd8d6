"""The chains of the benchmark: their steps, which of them a paper fits on all patients, and which chain a model is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

from her2radiomics.modelling.base import SelectionStep
from her2radiomics.modelling.models.radiomics import RadiomicsSpec
from her2radiomics.modelling.steps import STEPS

if TYPE_CHECKING:
    from her2radiomics.modelling.settings import ModelSettings

#: All steps on training rows, or some of them on training and test rows together.
ORDERS = ("leak_safe", "as_published")
FILE = "chains.json"


@dataclass(frozen=True)
class Chain:
    """A chain of the benchmark.

    Attributes
    ----------
    name
        The study whose protocol it is taken from.
    steps
        Settings of its steps, in the order in which they run.
    estimator
        Settings of what makes the Rad-score.
    fitted_on_all
        Names of the first steps, those that are fitted on all patients as published.
    source
        What the paper says about it.
    equal_orders
        Whether it predicts the same either way.
    """

    name: str
    steps: tuple[dict[str, Any], ...]
    estimator: dict[str, Any]
    fitted_on_all: tuple[str, ...]
    source: str
    equal_orders: bool

    @classmethod
    def of(
        cls, name: str, model: RadiomicsSpec, fitted_on_all: Sequence[str], source: str, *, equal_orders: bool = False
    ) -> Self:
        """Take the chain of a protocol's model.

        Raises
        ------
        ValueError
            ``fitted_on_all`` is not how the steps begin.
        """
        steps = tuple(step.model_dump() for step in model.steps)
        first = tuple(step["step"] for step in steps[: len(fitted_on_all)])
        if first != tuple(fitted_on_all):
            raise ValueError(f"{name}: found {', '.join(fitted_on_all)}; expected the first steps, {', '.join(first)}")
        return cls(name, steps, _estimator(model), first, source, equal_orders)

    def split(
        self, steps: Sequence[SelectionStep], order: str
    ) -> tuple[tuple[SelectionStep, ...], tuple[SelectionStep, ...]]:
        """Part a model's steps into those fitted on all patients and those fitted on training rows."""
        place = len(self.fitted_on_all) if order == "as_published" else 0
        return tuple(steps[:place]), tuple(steps[place:])

    def to_dict(self) -> dict[str, Any]:
        """Return the chain as plain data."""
        return asdict(self)


def _estimator(model: RadiomicsSpec) -> dict[str, Any]:
    """Settings that matter to the estimates: not how it is cross-validated for a report."""
    return {key: value for key, value in model.estimator.model_dump().items() if key != "folds"}


@cache
def read_chains() -> dict[str, Chain]:
    """Return the chains of the shipped table, by name."""
    content = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    return {
        name: Chain(**{**said, "steps": tuple(said["steps"]), "fitted_on_all": tuple(said["fitted_on_all"])})
        for name, said in content.items()
    }


def chain_of(model: ModelSettings) -> str:
    """Name of the benchmark's chain that a model is made by, or an empty string.

    The agreement of readers is left out of the comparison: the benchmark's tables have one reader. A chain of several
    studies has the name of the first.
    """
    if not isinstance(model, RadiomicsSpec):
        return ""
    mine = _compared(tuple(step.model_dump() for step in model.steps)), _estimator(model)
    for name, chain in read_chains().items():
        if mine == (_compared(chain.steps), chain.estimator):
            return name
    return ""


def _compared(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for step in steps if STEPS[step["step"]].about.role != "reproducibility"]
