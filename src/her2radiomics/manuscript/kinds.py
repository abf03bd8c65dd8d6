"""What figures and tables share: what a protocol says of each, and what is known about its kind.

A kind is one module of the package of figures or of tables, found by itself
(:class:`~her2radiomics.core.registry.Kinds`). It holds the options, whose docstring is the sentence that says what the kind
shows, and under the decorator ``figure`` or ``table`` the function that draws or makes it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from her2radiomics.core.registry import Kinds
from her2radiomics.core.settings import Settings

Maker = TypeVar("Maker", bound=Callable[[Any, Any], Any])


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is known about a kind.

    Attributes
    ----------
    name
        As protocols write it.
    make
        Draws or makes it from inputs and options.
    example
        YAML of a protocol's section that shows the kind.
    needs
        Names of the inputs that it may read, out of :attr:`inputs`.
    """

    name: str
    make: Callable[[Any, Any], Any]
    example: str
    needs: tuple[str, ...] = ()
    inputs: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        """Refuse inputs that there are not, and leave the example without the code's indent."""
        unknown = [need for need in self.needs if need not in self.inputs]
        if unknown:
            raise TypeError(f"found needs '{unknown[0]}'; expected some of {', '.join(self.inputs)}.")
        object.__setattr__(self, "example", inspect.cleandoc(self.example))


class Options(Settings):
    """What a protocol says of one figure or table, whatever its kind."""

    about: ClassVar[Kind]

    if TYPE_CHECKING:  # each kind declares its name, and figures and tables declare their own forms of the others
        kind: str
        id: str
        title: str

    def needs(self) -> tuple[str, ...]:
        """Names of the inputs that it is made from."""
        return self.about.needs

    def models_needed(self, need: str) -> tuple[str, ...]:
        """Models whose ``need`` (``predictions``, ``coefficients``, …) it reads, in order."""
        named = [*getattr(self, "models", ()), getattr(self, "model", None)]
        return tuple(dict.fromkeys(name for name in named if name))

    def columns_used(self) -> tuple[str, ...]:
        """Participants columns that it reads, the one that groups the patients among them."""
        by = getattr(self, "by", "")
        return (*getattr(self, "columns", ()), *(() if by in ("", "label", "partition") else (by,)))

    def partitions_used(self) -> tuple[str, ...]:
        """Partitions that it names."""
        one = getattr(self, "partition", None)
        return (one,) if one else tuple(getattr(self, "partitions", ()))

    def keys_needed(self, need: str) -> tuple[str, ...]:
        """Models, or of ``partition_…`` the partitions, whose ``need`` it reads."""
        return self.partitions_used() if need.startswith("partition_") else self.models_needed(need)

    def make(self, inputs: Any) -> Any:
        """Draw the figure or make the table."""
        return self.about.make(inputs, self)


def register(kinds: Kinds, options: type[Options], **words: Any) -> Callable[[Maker], Maker]:
    """Decorate the function ``(inputs, options)`` that draws or makes the kind of these options.

    Parameters
    ----------
    kinds
        All kinds of figure, or of table.
    options
        What a protocol may say; its docstring says what the kind shows.
    words
        What is known about the kind besides: see :class:`Kind`.

    Raises
    ------
    TypeError
        A part of the kind is missing, or its name is taken: the message names the module and the part.
    """

    def decorate(make: Maker) -> Maker:
        kinds.register(make=make, **words)(options)
        return make

    return decorate
