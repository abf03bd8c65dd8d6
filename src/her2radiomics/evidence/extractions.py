"""Other extractions from a study's images: controls, changed outlines and images, choices that a paper leaves open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from her2radiomics.core.libraries import pd
from her2radiomics.core.settings import Settings

#: What an extraction is made for.
Purpose = Literal["control", "perturbation", "specification"]
KEYS = ["patient_id", "reader"]
#: Settings of a sequence that say what its features are called.
NAMING = frozenset({"regions", "label", "description"})


class Reextraction(Settings):
    """Features extracted again with something changed; what is not changed is as the study has it.

    Of one of the usual names, what is said is laid over the usual settings.
    """

    description: str = Field(default="", description="What is done otherwise, as pages print it.")
    purpose: Purpose = Field(
        default="specification",
        description="control: voxels that cannot hold what a model claims; perturbation: outlines and images that differ as "
        "those of another reader or examination do; specification: a choice that the paper leaves open.",
    )
    changes: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Sequence, or `*` for all that the primary model reads, to what is laid over its settings: `perturb` "
        "and `setting` (of the parameter file) beside those of a sequence. Other sequences keep the study's features.",
    )
    regions: dict[str, str] = Field(
        default_factory=dict,
        description="Region of the study to the one that is extracted instead; the other regions keep the study's features. "
        "Empty: all regions are extracted again.",
    )
    patients: PositiveInt | None = Field(
        default=None,
        description="Number of patients, drawn by the seed with each centre's share; all of them by default.",
    )
    readers: Literal["all", "reference"] = Field(
        default="all",
        description="Outlines of all readers, which models with an ICC filter need, or of the reference reader alone.",
    )

    @model_validator(mode="after")
    def _regions_have_their_own_key(self) -> Self:
        named = sorted({key for own in self.changes.values() for key in own} & NAMING)
        if named:
            raise ValueError(
                f"found {named[0]} in changes; expected regions as a mapping from the study's region to the one instead: "
                "regions: {ring_3mm_slice: ring_2mm_slice}"
            )
        return self


def laid_over(own: pd.DataFrame, other: pd.DataFrame, regions: Mapping[str, str]) -> pd.DataFrame:
    """A study's feature table with what was extracted again in its place, under the study's own names.

    Parameters
    ----------
    own, other
        ``patient_id``, ``reader``, then features.
    regions
        Region of the study to the one that was extracted instead (:attr:`Reextraction.regions`).

    Returns
    -------
    pandas.DataFrame
        The columns of ``own``, of the patients and readers that both tables hold, in the order of ``own``.
    """
    names = {}
    for name in own.columns.difference(KEYS, sort=False):
        sequence, region, feature = name.split("__", 2)
        names["__".join([sequence, regions.get(region, region), feature])] = name
    again = other.rename(columns=names).set_index(KEYS)
    again = again[[name for name in own.columns if name in again.columns]]
    both = own.set_index(KEYS)
    both = both.loc[both.index.isin(again.index)]
    kept = both.drop(columns=again.columns)
    return pd.concat([kept, again.reindex(both.index)], axis=1)[[*both.columns]].reset_index()
