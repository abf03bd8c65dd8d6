"""YAML as it is written: ``yes``, ``no``, ``on``, ``12:30`` and dates are texts, and a number remembers its digits.

Scalars are resolved as YAML 1.2 does, whose only truth values are ``true`` and ``false``. Where a setting is a text, a
number is the text that was written (``007``, ``1.10``); where it is a number, its value.
"""

from __future__ import annotations

import re
from typing import ClassVar, Self

import yaml

from her2radiomics.core.errors import SettingsError

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


class TextLoader(yaml.SafeLoader):
    """Safe YAML that keeps what was written, and refuses a key given twice, which PyYAML resolves to the last one."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

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
        return super().construct_mapping(node, deep)


def _integer(loader: TextLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    value = int(text[2:] if base != 10 else text, base)
    return value if str(value) == text else WrittenInteger(value, text)


def _float(loader: TextLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node)
    value = float(text.replace(".inf", "inf").replace(".nan", "nan") if text[-1:].isalpha() else text)
    return value if str(value) == text else WrittenFloat(value, text)


def _resolve(tag: str, pattern: str | re.Pattern[str], first: str) -> None:
    TextLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"(?:{_source(pattern)})\Z"), list(first))


def _source(pattern: str | re.Pattern[str]) -> str:
    return pattern if isinstance(pattern, str) else pattern.pattern


_resolve("bool", "true|false", "tf")
_resolve("int", _INTEGER, "-+0123456789")
_resolve("float", _FLOAT, "-+0123456789.")
TextLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
TextLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
TextLoader.add_constructor("tag:yaml.org,2002:int", _integer)
TextLoader.add_constructor("tag:yaml.org,2002:float", _float)
# written back as they were read
for _kind, _tag in ((WrittenInteger, "int"), (WrittenFloat, "float")):
    yaml.SafeDumper.add_representer(
        _kind, lambda dumper, number, tag=_tag: dumper.represent_scalar(f"tag:yaml.org,2002:{tag}", str(number))
    )
