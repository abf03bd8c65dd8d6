"""The page of the library's public names, made of their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

#: Packages whose names scripts may import; what they hold stays importable from there.
PACKAGES = (
    "her2radiomics",
    "her2radiomics.imaging",
    "her2radiomics.extraction",
    "her2radiomics.modelling",
    "her2radiomics.statistics",
    "her2radiomics.evidence.discount",
    "her2radiomics.prediction",
)
LONGEST_LINE = 88
#: Lines that Python is given, with what it answers.
EXAMPLE = re.compile(r"((?:^(?:>>> |\.\.\. ).*\n?(?:^(?!>>>|\.\.\.|\s*$).*\n?)*)+)", re.MULTILINE)
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
#: A value as Python prints it that is another in every process.
ADDRESS = re.compile(r"<(?:function|class|object)[^>]*>|<[\w.]+ object at [^>]*>")


def python_page(note: str) -> str:
    """The page; ``note`` says what it is made by."""
    parts = [
        f"# Python\n\n<!-- {note} -->\n\nThe names that a script may import from each package; they stay, "
        "whatever moves within it. Errors on input are `CaseError` and `StudyError`.\n"
    ]
    for package in PACKAGES:
        module = import_module(package)
        parts.append(f"## `{package}`\n\n{_marked(_sections(module)[0][1])}\n")
        names = sorted((name for name in module.__all__ if not name.startswith("__")), key=str.lower)
        parts += [text for name in names for text in _entry(name, getattr(module, name))]
    return "\n".join(parts)


def _entry(name: str, value: Any) -> Iterator[str]:
    if inspect.ismodule(value) or not callable(value):
        return
    yield f"### `{name}`\n\n```python\n{_called(name, value)}\n```\n"
    for heading, text in _sections(value):
        listed = heading in ("Parameters", "Attributes", "Returns", "Yields", "Raises")
        said = _list(text, named=heading in ("Parameters", "Attributes")) if listed else _marked(text)
        yield f"**{heading}**\n\n{said}\n" if heading else f"{said}\n"
    if inspect.isclass(value):
        methods = [(own, each) for own, each in vars(value).items() if _is_own(own, each)]
        if methods:
            yield "**Methods**\n\n" + "\n".join(f"- `{own}`: {_first(each)}" for own, each in methods) + "\n"


def _is_own(name: str, value: Any) -> bool:
    public = not name.startswith("_") and bool(inspect.getdoc(value))
    return public and (inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod, property)))


def _called(name: str, value: Any) -> str:
    """How it is called; a class by its name alone where its fields are its attributes."""
    documented = [heading for heading, _ in _sections(value)]
    if inspect.isclass(value) and ("Parameters" not in documented or issubclass(value, Exception)):
        return f"class {name}"
    found = inspect.signature(value)
    each: list[str] = []
    star = False
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            each, star = [*each, "*"], True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        each.append(_parameter(parameter))
    returned = "" if found.return_annotation is found.empty else f" -> {_annotation(found.return_annotation)}"
    short = f"{name}({', '.join(each)}){returned}"
    return (
        short
        if len(short) <= LONGEST_LINE
        else f"{name}(\n" + "".join(f"    {part},\n" for part in each) + f"){returned}"
    )


def _parameter(parameter: inspect.Parameter) -> str:
    """A parameter as its function's first line has it."""
    stars = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (parameter.kind is parameter.VAR_KEYWORD)
    typed = "" if parameter.annotation is parameter.empty else f": {_annotation(parameter.annotation)}"
    default = "" if parameter.default is parameter.empty else ADDRESS.sub("...", repr(parameter.default))
    equals = " = " if typed else "="
    return f"{stars}{parameter.name}{typed}{equals * bool(default)}{default}"


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _sections(value: Any) -> list[tuple[str, str]]:
    """Heading and text of each section of a numpydoc docstring; the first has no heading."""
    parts = SECTION.split(inspect.getdoc(value) or "")
    return [("", parts[0].strip()), *((parts[i], parts[i + 1].rstrip()) for i in range(1, len(parts), 2))]


def _first(value: Any) -> str:
    return " ".join(_marked(_sections(value)[0][1].split("\n\n")[0]).split())


def _list(text: str, *, named: bool) -> str:
    """Entries of a section as a list: a line that is not indented begins one, and is a name where entries are named."""
    entries: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith(" ") and entries:
            entries[-1][1].append(line.strip())
        elif line.strip():
            entries.append((line.strip(), []))
    lines = []
    for head, said in entries:
        head = f"`{head.split(' : ')[0]}`" if named or said else _marked(head)
        lines.append(f"- {head}" + (f": {' '.join(_marked(' '.join(said)).split())}" if said else ""))
    return "\n".join(lines)


def _marked(text: str) -> str:
    """Text of a docstring as Markdown: names in one pair of ticks, examples as code."""
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    text = re.sub(r"^\.\. \[(\d+)\] ", r"[\1] ", text, flags=re.MULTILINE)
    text = re.sub(r"\[(\d+)\]_", r"[\1]", text)
    return EXAMPLE.sub(r"```python\n\1\n```", text)
