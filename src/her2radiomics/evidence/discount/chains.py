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
    from her2radiomics.evidence.published import PublishedOrder
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
        Settings of its steps, in the order in which they run on training patients.
    estimator
        Settings of what makes the Rad-score.
    on_all, on_training
        The same steps as the paper describes them: those fitted on all patients, and those after them.
    source
        What the paper says about it.
    """

    name: str
    steps: tuple[dict[str, Any], ...]
    estimator: dict[str, Any]
    on_all: tuple[dict[str, Any], ...]
    on_training: tuple[dict[str, Any], ...]
    source: str

    @classmethod
    def of(cls, name: str, model: RadiomicsSpec, published: PublishedOrder) -> Self:
        """Take the chain of a protocol's model, and its order as published."""
        steps, on_all, on_training = map(_plain, (model.steps, published.on_all, published.on_training))
        return cls(name, steps, _estimator(model), on_all, on_training, published.source)

    @property
    def equal_orders(self) -> bool:
        """Whether it predicts the same either way, since nothing but scaling sees all patients.

        The LASSO standardises again, and the regression has no penalty.
        """
        return all(STEPS[step["step"]].about.role in ("scaling", "reproducibility") for step in self.on_all)

    def to_dict(self) -> dict[str, Any]:
        """Return the chain as plain data."""
        return asdict(self)


def _plain(steps: Sequence[SelectionStep]) -> tuple[dict[str, Any], ...]:
    return tuple(step.model_dump() for step in steps)


def _estimator(model: RadiomicsSpec) -> dict[str, Any]:
    """Settings that matter to the estimates: not how it is cross-validated for a report."""
    return {key: value for key, value in model.estimator.model_dump().items() if key != "folds"}


@cache
def read_chains() -> dict[str, Chain]:
    """Return the chains of the shipped table, by name."""
    content: dict[str, dict[str, Any]] = json.loads(files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    lists = ("steps", "on_all", "on_training")
    return {name: Chain(**{**said, **{key: tuple(said[key]) for key in lists}}) for name, said in content.items()}


def chain_of(model: ModelSettings) -> str:
    """Name of the benchmark's chain that a model is made by, or an empty string.

    The agreement of readers is left out of the comparison: the benchmark's tables have one reader. A chain of several
    studies has the name of the first.
    """
    if not isinstance(model, RadiomicsSpec):
        return ""
    mine = _compared(_plain(model.steps)), _estimator(model)
    for name, chain in read_chains().items():
        if mine == (_compared(chain.steps), chain.estimator):
            return name
    return ""


def _compared(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step for step in steps if STEPS[step["step"]].about.role != "reproducibility"]
