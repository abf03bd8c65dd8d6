"""The kinds of table there are: each registers its maker and the workflow outputs that it reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from her2radiomics.manuscript.tables.inputs import TableInputs
    from her2radiomics.manuscript.tables.model import Table
    from her2radiomics.manuscript.tables.settings import TableBase

    Maker = Callable[[TableInputs, Any], Table]


@dataclass(frozen=True)
class Kind:
    """A registered kind of table."""

    name: str
    make: Maker
    needs: Callable[[TableBase], tuple[str, ...]]


KINDS: dict[str, Kind] = {}


def table(
    kind: str, *, needs: tuple[str, ...] | Callable[[Any], tuple[str, ...]]
) -> Callable[[Maker], Maker]:
    """Register the decorated ``make(inputs, options)`` as the maker of tables of this kind.

    Parameters
    ----------
    kind
        The name under which protocols ask for it.
    needs
        Members of :class:`~her2radiomics.manuscript.tables.inputs.TableInputs`, or a function from the options to them.

    Raises
    ------
    ValueError
        The kind is registered already.
    """

    def register(make: Maker) -> Maker:
        if kind in KINDS:
            raise ValueError(f"the table kind '{kind}' is registered twice")
        KINDS[kind] = Kind(kind, make, needs if callable(needs) else lambda _: needs)
        return make

    return register
