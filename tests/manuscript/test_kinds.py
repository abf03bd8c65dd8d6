"""Kinds of figure and table: each has all its parts and a worked example, and a module is all that a new one takes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from figure_inputs import ADAPTER as FIGURES
from figure_inputs import make_inputs
from pydantic import TypeAdapter
from table_run import make_run

from her2radiomics.core.settings import validate
from her2radiomics.manuscript import figures, tables
from her2radiomics.study import reference
from her2radiomics.study.protocol import Protocol

TABLES: TypeAdapter = TypeAdapter(tables.TableSettings)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> figures.FigureInputs:
    return make_inputs(tmp_path_factory.mktemp("study"), images=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tables.TableInputs:
    return make_run(tmp_path_factory.mktemp("run")).inputs


@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_example_of_every_figure_is_drawn(study: figures.FigureInputs, kind: str):
    items = yaml.safe_load(figures.KINDS[kind].about.example)
    made = figures.with_panels([FIGURES.validate_python({"id": name, **item}) for name, item in items.items()])
    assert kind in {item.kind for item in made}
    for item in made:
        assert len(figures.draw(item, study).data)


@pytest.mark.parametrize("kind", tables.KINDS)
def test_the_example_of_every_table_is_made(run: tables.TableInputs, kind: str):
    items = yaml.safe_load(tables.KINDS[kind].about.example)
    for name, item in items.items():
        options = TABLES.validate_python({"id": name, **item})
        made = options.make(run)
        assert options.kind == kind and made.cells and made.title == item["title"]


FIGURE = """
from typing import Literal

from her2radiomics.core.libraries import pd
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.registry import Drawing, FigureOptions, figure


class PieOptions(FigureOptions):
    \"\"\"Shares of the patients by partition, as a pie.\"\"\"

    kind: Literal["pie"]


@figure(PieOptions, needs=("flow",), caption="A pie.", example="figure_9_pie: {kind: pie, title: Shares}")
def draw(inputs, options):
    table = inputs.table("flow").query("step == 'partition'")
    figure = style.new_figure(options.width_mm, 80.0)
    style.place(figure, 10.0, 10.0, 60.0, 60.0).pie(table["remaining"], labels=table["partition"])
    return Drawing(figure, table[["partition", "remaining"]], "Patients")
"""
TABLE = """
from typing import Literal

from her2radiomics.manuscript.tables.model import Heading, Rows
from her2radiomics.manuscript.tables.registry import TableOptions, table


class CountTable(TableOptions):
    \"\"\"Number of models.\"\"\"

    kind: Literal["count"]


@table(CountTable, example="table_9_count: {kind: count, title: Models}")
def make(inputs, options):
    rows = Rows()
    rows.add("Models", cells={"n": str(len(inputs.models))})
    return options.table(inputs, rows, "What", [Heading("n", "n")], [], first=[])
"""


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Adds a module to a package as a contributor does; takes it, and what it registered, away again."""

    def add(package: ModuleType, text: str) -> None:
        (tmp_path / "added.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
        monkeypatch.delitem(sys.modules, f"{package.__name__}.added", raising=False)
        package.KINDS.discover(package.__name__, [str(tmp_path)])

    before = [dict(kinds) for kinds in (figures.KINDS, tables.KINDS)]
    yield add
    for kinds, old in zip((figures.KINDS, tables.KINDS), before, strict=True):
        kinds.clear()
        kinds.update(old)
    for package in (figures, tables):
        sys.modules.pop(f"{package.__name__}.added", None)


def test_a_figure_kind_is_one_module(added, study: figures.FigureInputs, tmp_path: Path):
    added(figures, FIGURE)
    options = TypeAdapter(figures.KINDS.union()).validate_python(
        {"id": "figure_9_pie", "kind": "pie", "title": "Shares"}
    )
    files = figures.render(options, study, tmp_path / "figure_9_pie")
    assert [file.suffix for file in files] == [".svg", ".pdf", ".png", ".csv"]
    page = reference.files()["docs/kinds.md"]
    assert options.about.caption == "A pie."
    assert "### `pie`\n\nShares of the patients by partition, as a pie. Made from `flow`." in page
    assert "figure_9_pie: {kind: pie, title: Shares}" in page


def test_a_table_kind_is_one_module(added, run: tables.TableInputs):
    added(tables, TABLE)
    options = TypeAdapter(tables.KINDS.union()).validate_python(
        {"id": "table_9_count", "kind": "count", "title": "Models"}
    )
    assert options.make(run).cells == [["3"]]


@pytest.mark.parametrize(
    ("part", "instead", "said"),
    [
        (r'    """Shares.*?"""\n', "", "the figure 'pie' is without a docstring"),
        (r', caption="A pie."', "", "missing 1 required keyword-only argument: 'caption'"),
        (r', example=".*?"', "", "missing 1 required keyword-only argument: 'example'"),
        (r'\n    kind: Literal\["pie"\]', "", "no field kind: Literal"),
        (r"@figure.*\n", "", "PieOptions is no figure yet; decorate it"),
        ("flow", "flwo", "the figure 'pie': found needs 'flwo'; expected some of flow, participants"),
        ("pie", "roc", "the figure 'roc' is that of her2radiomics.manuscript.figures.roc already"),
    ],
)
def test_a_missing_part_is_an_error_that_names_the_module(added, part: str, instead: str, said: str):
    text = re.sub(part, instead, FIGURE, flags=re.S if '"""' in part else 0)
    assert text != FIGURE
    with pytest.raises(TypeError, match=re.escape(said)) as error:
        added(figures, text)
    assert "her2radiomics.manuscript.figures.added: PieOptions" in str(error.value)


def test_protocols_ask_for_the_kinds_that_are_registered(root: Path):
    from her2radiomics.core.errors import SettingsError
    from her2radiomics.core.settings import read_yaml

    content = read_yaml(root / "workflow/studies/nat_response.yaml")
    content["figures"] = {"figure_1_rock": {"kind": "rock", "title": "t"}}
    content["tables"] = {"table_1_baselin": {"kind": "baselin", "title": "t"}}
    with pytest.raises(SettingsError) as error:
        validate(Protocol, content, "p.yaml")
    assert "did you mean 'roc'" in str(error.value) and "did you mean 'baseline'" in str(error.value)
