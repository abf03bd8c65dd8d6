"""Kinds that are found by looking: one module a kind, registered by a decorator, and no list of their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from importlib import import_module
from inspect import isabstract
from operator import or_
from pkgutil import iter_modules
from typing import Annotated, Any, TypeVar, get_args

from pydantic import Field

from her2radiomics.core.settings import Settings

Base = TypeVar("Base", bound=Settings)
Kind = TypeVar("Kind", bound=type[Settings])


class Kinds(dict[str, type[Base]]):
    """The settings classes of all kinds of one thing, by the name that protocols write.

    Parameters
    ----------
    what
        The thing, for errors: ``selection step``.
    base
        What the settings of every kind derive from.
    tag
        The field that names the kind: ``step: Literal["lasso"]``.
    about
        Makes what is printed and known about a kind from its ``name`` and the words of the decorator; a class has it as
        ``about``.
    """

    def __init__(self, what: str, base: type[Base], tag: str, about: Callable[..., Any]) -> None:
        """Start without a kind."""
        super().__init__()
        self.what, self.base, self.tag, self.about = what, base, tag, about

    def register(self, **words: Any) -> Callable[[Kind], Kind]:
        """Decorate the settings class of a kind, with what is printed and known about it.

        Raises
        ------
        TypeError
            A part of the kind is missing, or its name is taken: the message names the module and the part.
        """

        def decorate(settings: Kind) -> Kind:
            where = f"{settings.__module__}: {settings.__name__}"
            name = self._name(settings)
            if not name:
                raise TypeError(f"{where} has no field {self.tag}: Literal['…'], by which protocols ask for it.")
            if name in self:
                raise TypeError(f"{where}: the {self.what} '{name}' is that of {self[name].__module__} already.")
            lacking = sorted(settings.__abstractmethods__) if isabstract(settings) else []
            lacking += [] if settings.__doc__ else ["a docstring"]
            if lacking:
                raise TypeError(f"{where}: the {self.what} '{name}' is without {', '.join(lacking)}.")
            try:
                settings.about = self.about(name=name, **words)  # type: ignore[attr-defined]
            except TypeError as error:
                raise TypeError(f"{where}: the {self.what} '{name}': {error}") from None
            self[name] = settings  # type: ignore[assignment]
            return settings

        return decorate

    def discover(self, package: str, path: Iterable[str]) -> None:
        """Import every module of a package, so that its kinds are registered, and sort them by name.

        Raises
        ------
        TypeError
            A module has the settings of a kind, but the kind is not registered.
        """
        for found in iter_modules(path):
            module = import_module(f"{package}.{found.name}")
            for settings in vars(module).values():
                own = getattr(settings, "__module__", "") == module.__name__ and isinstance(settings, type)
                if own and issubclass(settings, self.base) and settings not in self.values():
                    if self._name(settings):
                        raise TypeError(f"{module.__name__}: {settings.__name__} is no {self.what} yet; decorate it.")
        for name in sorted(self):
            self[name] = self.pop(name)

    def union(self, without: Iterable[str] = ()) -> Any:
        """The settings of all kinds, but those named in ``without``, as one type, told apart by the tag."""
        members = (settings for name, settings in self.items() if name not in without)
        return Annotated[reduce(or_, members), Field(discriminator=self.tag)]

    def _name(self, settings: type[Settings]) -> str:
        """The only value of the field that names the kind; empty where there is none."""
        field = settings.model_fields.get(self.tag)
        return str(get_args(field.annotation)[0]) if field and get_args(field.annotation) else ""
