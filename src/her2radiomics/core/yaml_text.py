"""YAML as it is written: ``yes``, ``no``, ``on``, ``12:30`` and dates are texts, and a number remembers its digits.

Scalars are resolved as YAML 1.2 does, whose only truth values are ``true`` and ``false``. Where a setting is a text, a
number is the text that was written (``007``, ``1.10``); where it is a number, its value.
"""

from __future__ import annotations

import io
import re
from typing import Any, ClassVar, Self

import yaml

from her2radiomics.core.errors import SettingsError

#: Brackets in a text, and characters in a line, that together bound how deep its values are nested.
MOST_OPEN, LONGEST = 3000, 500
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class _Written:
    """A number that remembers its text."""

    written: str

    def __new__(cls, value: float, written: str = "") -> Self:
        """Keep the text."""
        made = super().__new__(cls, value)  # type: ignore[call-arg]
        made.written = written or repr(made)
        return made

    def __str__(self) -> str:
        """The text that was written."""
        return self.written

    def __getnewargs__(self) -> tuple[float, str]:
        """What a copy is made of."""
        return self.real, self.written  # type: ignore[attr-defined]


class WrittenInteger(_Written, int):  # type: ignore[misc]
    """A whole number whose text is not Python's own."""


class WrittenFloat(_Written, float):  # type: ignore[misc]
    """A number whose text is not Python's own."""


class _Text:
    """What both loaders below do."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    construct_object: Any

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """A mapping whose keys are all different."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # '<<: *base' may be overridden by the keys beside it
                continue
            key = str(self.construct_object(key_node, deep=deep))
            if key in seen:
                raise SettingsError(
                    f"{key_node.start_mark.name}, line {key_node.start_mark.line + 1}: "
                    f"the key '{key}' is given twice. Keep one of the two."
                )
            seen.add(key)
        return super().construct_mapping(node, deep)  # type: ignore[misc]


class TextLoader(_Text, yaml.SafeLoader):
    """Safe YAML that keeps what was written, and refuses a key given twice, which PyYAML resolves to the last one."""


class _FastTextLoader(_Text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same by the library in C, ten times as fast, which says less of what is wrong."""


def loader_of(text: str, name: str) -> tuple[Any, yaml.Node | None]:
    """A loader of a text, and the root of what it holds; ``name`` is that of the file, for errors.

    Raises
    ------
    yaml.YAMLError
        It is not valid YAML.
    RecursionError
        Its values are nested too deep.
    """
    stream = io.StringIO(text)
    stream.name = name
    # values nested without end would overflow the stack of the library in C, which nobody catches
    shallow = text.count("[") + text.count("{") <= MOST_OPEN and max(map(len, text.splitlines()), default=0) <= LONGEST
    try:
        if shallow:
            fast = _FastTextLoader(stream)
            return fast, fast.get_single_node()
    except yaml.YAMLError:
        pass
    loader = TextLoader(text)
    loader.name = name
    return loader, loader.get_single_node()


def _integer(loader: TextLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    value = int(text[2:] if base != 10 else text, base)
    return value if str(value) == text else WrittenInteger(value, text)


def _float(loader: TextLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    value = float(text.replace(".inf", "inf").replace(".nan", "nan") if text[-1:].isalpha() else text)
    return value if str(value) == text else WrittenFloat(value, text)


LOADERS = (TextLoader, _FastTextLoader)


def _resolve(tag: str, pattern: str | re.Pattern[str], first: str) -> None:
    for loader in LOADERS:
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{_source(pattern)})\Z"), list(first))


def _source(pattern: str | re.Pattern[str]) -> str:
    return pattern if isinstance(pattern, str) else pattern.pattern


_resolve("bool", "true|false", "tf")
_resolve("int", _INTEGER, "-+0123456789")
_resolve("float", _FLOAT, "-+0123456789.")
for _loader in LOADERS:
    _loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
    _loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
    _loader.add_constructor("tag:yaml.org,2002:int", _integer)
    _loader.add_constructor("tag:yaml.org,2002:float", _float)
# written back as they were read
for _kind, _tag in ((WrittenInteger, "int"), (WrittenFloat, "float")):
    yaml.SafeDumper.add_representer(
        _kind, lambda dumper, number, tag=_tag: dumper.represent_scalar(f"tag:yaml.org,2002:{tag}", str(number))
    )
