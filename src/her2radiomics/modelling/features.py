"""Image features of a model: which columns they are, and the steps that scale and select them."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import StudyError, TableError
from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings
from her2radiomics.modelling.base import Training
from her2radiomics.modelling.chain import FittedChain, check_order, fit_chain
from her2radiomics.modelling.people import People
from her2radiomics.modelling.saved.rules import FeaturePredictor
from her2radiomics.modelling.steps import Step
from her2radiomics.statistics.nomogram_scale import few_values

if TYPE_CHECKING:
    from her2radiomics.modelling.model import Learning

# columns of participants and feature tables that are never predictors
RESERVED = (
    "patient_id", "reader", "centre", "partition", "label", "mri_date", "exclude_reason",
    "time", "event",
)  # fmt: skip


class FeatureBlock(Settings):
    """Image features, and the steps that scale and select them."""

    sequences: tuple[str, ...] = Field((), description="Sequences to use; empty: every feature column.")
    regions: tuple[str, ...] = Field((), description="Regions of interest to use; empty: every region.")
    only: tuple[str, ...] = Field(
        (),
        description="Feature columns to use and no others, as <sequence>__<region>__<feature>: a published signature.",
    )
    steps: tuple[Step, ...] = Field((), description="Scaling and selection, in the order in which they run.")

    @model_validator(mode="after")
    def _steps_in_a_possible_order(self) -> Self:
        check_order(self.steps)
        return self

    def select(self, X: pd.DataFrame, labels: np.ndarray, learning: Learning) -> tuple[FittedChain, pd.DataFrame]:
        """Fit the steps on training rows.

        Returns
        -------
        tuple
            The fitted steps, and the scaled features that they keep, patients × features.

        Raises
        ------
        StudyError
            The table holds no such feature.
        """
        names = self.columns(X, learning.columns, name=learning.name)
        if not names:
            raise StudyError(
                f"model '{learning.name}': found no feature column in the table; expected some. "
                "Give the extracted features, or remove the model."
            )
        # one memory layout, so that the last bit of a sum does not depend on how the table was put together
        values = np.array(X[names].to_numpy(dtype=float), order="C")
        raw = pd.DataFrame(values, index=X.index, columns=names)
        wanted = dict.fromkeys(name for step in self.steps for name in step.columns_used())
        table = X[[name for name in wanted if name in X.columns]]
        people = People(table, learning.columns) if wanted else None
        training = Training(learning.seed, raw, learning.second_reader, people, learning.persons, self.sequences)
        return fit_chain(self.steps, raw, labels, training)

    def columns(self, X: pd.DataFrame, columns: Mapping[str, Column], *, name: str) -> list[str]:
        """Feature columns of a table, sorted by name: no clinical or reserved ones, of the named sequences and regions.

        Parameters
        ----------
        X
            Patients × columns.
        columns
            The protocol's participants columns.
        name
            The model's name, for errors.

        Raises
        ------
        StudyError
            A named sequence, region or feature has no column.
        TableError
            A feature column does not hold numbers, or occurs twice.
        """
        features = _chosen(tuple(X.columns), frozenset(columns), self.sequences, self.regions, self.only, name)
        kinds = X.dtypes.loc[list(features)]
        numeric = {kind: pd.api.types.is_numeric_dtype(kind) for kind in kinds.unique()}
        for feature, kind in kinds.items() if not all(numeric.values()) else ():
            if not numeric[kind]:
                raise TableError(
                    file="feature table",
                    column=str(feature),
                    found=f"{kind}",
                    expected="numbers, or a column declared in the protocol",
                    remedy="Declare the column in the protocol, or remove it from the table.",
                )
        return list(features)


@lru_cache(maxsize=32)
def _chosen(
    names: tuple[str, ...],
    declared: frozenset[str],
    sequences: tuple[str, ...],
    regions: tuple[str, ...],
    only: tuple[str, ...],
    model: str,
) -> tuple[str, ...]:
    """Names of a table's feature columns, remembered: a study is fitted a thousand times on the same columns."""
    known = declared.union(RESERVED)
    features = sorted(str(c) for c in names if c not in known)
    for what, place, wanted in (("sequence", 0, sequences), ("region", 1, regions)):
        if not wanted:
            continue
        parts = {f: f.split("__") for f in features}
        found = {p[place] for p in parts.values() if len(p) >= 3}
        for item in wanted:
            if item not in found:
                raise StudyError(
                    f"model '{model}': found no feature of the {what} '{item}'; expected columns named "
                    f"<sequence>__<region>__<feature>; {what}s in the table: {', '.join(sorted(found)) or 'none'}."
                )
        features = [f for f in features if len(parts[f]) >= 3 and parts[f][place] in wanted]
    for feature in only:
        if feature not in features:
            near = difflib.get_close_matches(feature, features, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise StudyError(f"model '{model}', only: found no feature '{feature}'{hint}")
    features = [f for f in features if f in only] if only else features
    if len(set(features)) < len(features):
        twice = next(f for f, g in itertools.pairwise(features) if f == g)
        raise TableError(
            file="feature table", column=twice, found="the column twice", expected="once", remedy="Drop one of them."
        )
    return tuple(features)


def feature_predictors(
    chain: FittedChain, table: pd.DataFrame, coefficients: Mapping[str, float]
) -> tuple[FeaturePredictor, ...]:
    """Rules of the columns of ``table``, scaled as the steps do; coefficient 1 where none is given."""
    return tuple(
        FeaturePredictor(
            name=f,
            coefficient=coefficients.get(f, 1.0),
            fill=chain.median(f),
            low=float(column.min()),
            high=float(column.max()),
            scalings=chain.scalings(f),
            values=few_values(column),
        )
        for f, column in zip(map(str, table.columns), table.to_numpy(dtype=float).T, strict=True)
    )
