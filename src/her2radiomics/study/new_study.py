"""A study of one's own from a cohort file: a commented protocol and the configuration that runs it."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import FILE_NAME, read_yaml
from her2radiomics.study.cohort_files import cohort_of, root_of
from her2radiomics.study.config import Config
from her2radiomics.study.new_columns import Source, label_of
from her2radiomics.study.new_manuscript import Fits, figures, tables
from her2radiomics.study.plan import Plan
from her2radiomics.study.project import CONFIGS, Project
from her2radiomics.study.schemas import editor_line

#: Of a clinical and a combined model of the study that is followed, what is a method and no column of it.
CLINICAL, COMBINED = ("p_enter", "keep", "p_keep", "folds"), ("folds",)
RADIOMICS = ("steps", "estimator")
WIDEST = 120  # characters of a line of YAML


@dataclass(frozen=True)
class Answers:
    """What a new study is to be.

    Attributes
    ----------
    name
        Of the study: of its protocol and its configuration.
    label
        The outcome as ``COLUMN=VALUE``: patients with the value are the positive class.
    candidates
        Columns that are known before treatment and may enter the clinical model.
    like
        The study whose selection, models and evaluation are followed.
    external
        Centres that are held out; empty leaves it to :meth:`~her2radiomics.study.new_columns.Source.partitions`.
    survival
        Follow-up times to events, beside those that are recognised by name.
    """

    name: str
    label: str
    candidates: tuple[str, ...] = ()
    like: str = "her2_nomogram"
    external: tuple[str, ...] = ()
    survival: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that cannot be a file's."""
        if not re.fullmatch(FILE_NAME, self.name):
            raise SettingsError(
                f"{self.name}: found no name of a study; expected letters, digits, '_', '-' and '.', beginning with a "
                "letter or digit."
            )

    def choosing(self, candidates: Sequence[str]) -> Answers:
        """The same with these candidates."""
        return replace(self, candidates=tuple(candidates))

    def outcome(self) -> tuple[str, str]:
        """Column and value.

        Raises
        ------
        SettingsError
            The label is not written as ``COLUMN=VALUE``.
        """
        column, sign, value = self.label.rpartition("=")
        if not sign or not column or not value:
            raise SettingsError(f"--label {self.label}: expected COLUMN=VALUE, for example HER2=1.")
        return column.strip(), value.strip()


def cohorts(project: Project) -> list[str]:
    """Names of the project's cohort files."""
    return sorted(path.stem for path in (project.folder / "workflow/cohorts").glob("*.yaml"))


def open_cohort(project: Project, name: str, data: str = "") -> Source:
    """The cohort of a cohort file, read from ``data``, its own ``root``, or where ``config.yaml`` says that it lies.

    Raises
    ------
    SettingsError, TableError
        There is no such file or folder, or the tables are not as the file says.
    """
    main = read_yaml(project.folder / "config.yaml") if (project.folder / "config.yaml").is_file() else {}
    places = {name: str(Path(data).expanduser().resolve())} if data else dict(main.get("data") or {})
    cohort = cohort_of(project.folder / "workflow", name)
    return Source.read(name, cohort, Path() if cohort.kind == "simulated" else root_of(name, cohort, places))


@dataclass(frozen=True)
class NewStudy:
    """The protocol and configuration of a new study, as text that was not written yet."""

    project: Project
    source: Source
    answers: Answers

    @cached_property
    def files(self) -> dict[Path, str]:
        """Path, from the project's folder, to text."""
        name = self.answers.name
        return {
            Path(f"workflow/studies/{name}.yaml"): self._protocol_text(),
            Path(f"{CONFIGS}/{name}.yaml"): self._config(),
        }

    def check(self) -> Plan:
        """Plan the study as a run does, without writing into the project.

        Raises
        ------
        SettingsError, TableError
            Whatever planning refuses.
        """
        with tempfile.TemporaryDirectory() as temporary:
            workflow = Path(temporary) / "workflow"
            (workflow / "studies").mkdir(parents=True)
            for part in (self.project.folder / "workflow").iterdir():
                if part.name != "studies":
                    (workflow / part.name).symlink_to(part.resolve())
            protocol, config = self.files.values()
            (workflow / "studies" / f"{self.answers.name}.yaml").write_text(protocol, encoding="utf-8")
            (workflow / "config.yaml").write_text(config, encoding="utf-8")
            return Plan(read_yaml(workflow / "config.yaml"), workflow)

    def write(self, *, force: bool = False) -> list[Path]:
        """Check the study, then write its files; those that are there are kept unless ``force`` says otherwise.

        Raises
        ------
        SettingsError
            A file is there already, or as :meth:`check`.
        """
        there = [path for path in self.files if (self.project.folder / path).exists()]
        if there and not force:
            raise SettingsError(f"{there[0]}: found a file of this name. Give the study another name, or add --force.")
        self.check()
        for path, text in self.files.items():
            (self.project.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.project.folder / path).write_text(text, encoding="utf-8")
        return [*self.files]

    def said(self) -> str:
        """What was decided, and is to be checked by whoever knows the patients."""
        lines = [f"Candidates, taken as known before treatment: {', '.join(self._candidates) or 'none'}."]
        lines += [f"Follow-up: {', '.join(f'{time} with {event}' for time, event in self._follow_up.items())}."] * bool(
            self._follow_up
        )
        lines += [f"Left out: column {name}: {why}." for name, why in self.source.left_out.items()]
        return "\n".join(lines)

    @cached_property
    def _like(self) -> dict[str, Any]:
        """The protocol that is followed."""
        folder = self.project.folder / "workflow/studies"
        known = sorted(path.stem for path in folder.glob("*.yaml"))
        if self.answers.like not in known:
            near = difflib.get_close_matches(self.answers.like, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}."
            raise SettingsError(f"--like {self.answers.like}: no such study; {hint}")
        return read_yaml(folder / f"{self.answers.like}.yaml")

    def _first(self, kind: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """The methods of the followed study's first model of a kind."""
        model: Mapping[str, Any] = next((item for item in self._like["models"].values() if item["kind"] == kind), {})
        return {key: model[key] for key in keys if key in model}

    @cached_property
    def _follow_up(self) -> dict[str, str]:
        found = self.source.endpoints() | dict(self.answers.survival)
        for time, event in found.items():
            for name in (time, event):
                if name not in self.source.columns:
                    raise SettingsError(f"--survival {time}={event}: the cohort has no usable column '{name}'.")
            if not self.source.is_event(event):
                raise SettingsError(
                    f"--survival {time}={event}: expected 0 and 1 in '{event}'. Recode it in the cohort file."
                )
        return found

    @cached_property
    def _columns(self) -> dict[str, dict[str, Any]]:
        """Columns of the protocol: the outcome's where it has levels, candidates, and follow-up."""
        column, _ = self.answers.outcome()
        late = {*self._follow_up, *self._follow_up.values()}
        found = {}
        for name, settings in self.source.columns.items():
            if name != column or self._levels:
                found[name] = settings | ({"available_at": "follow_up"} if name in late else {})
        return found

    @cached_property
    def _levels(self) -> tuple[list[str], list[str]] | None:
        """Positive and negative levels of the outcome; ``None`` where its column holds 0 and 1."""
        column, value = self.answers.outcome()
        others = self.source.outcome(column, value)
        return None if value == "1" and others == ["0"] else ([value], others)

    def _label(self) -> dict[str, Any]:
        column, value = self.answers.outcome()
        name = label_of(column)
        if self._levels is None:
            names = {"positive": f"{name}-positive", "negative": f"{name}-negative"}
            definition = f"{name} was positive where the column '{column}' of the participants table is 1"
            return {"column": column, **names, "definition": definition}
        others = " or ".join(self._levels[1])
        return {
            "column": column,
            "positive": f"{name} {value}",
            "negative": f"{name} {others}",
            "definition": f"as the column '{column}' of the participants table says",
            "positive_levels": self._levels[0],
            "negative_levels": self._levels[1],
        }

    @cached_property
    def _candidates(self) -> list[str]:
        column, _ = self.answers.outcome()
        known = self.source.candidates(column, self._follow_up)
        odd = [name for name in self.answers.candidates if name not in known]
        if odd:
            why = self.source.left_out.get(odd[0], "the outcome, known too late, or not there")
            raise SettingsError(f"--candidates {odd[0]}: cannot be one ({why}); can be: {', '.join(known) or 'none'}.")
        return [name for name in known if name in self.answers.candidates]

    def _models(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        if self.source.has_features or self.source.sequences:
            found["radiomics"] = {"kind": "radiomics"} | self._first("radiomics", RADIOMICS)
            if self.source.readers < 2:  # no agreement can be assessed
                found["radiomics"]["steps"] = [s for s in found["radiomics"]["steps"] if s["step"] != "icc_filter"]
        if self._candidates:
            own = self._first("clinical", CLINICAL)
            lacking = any(not set(self.source.included[name]).isdisjoint(("", "NA")) for name in self._candidates)
            impute = {"missing": "impute"} if lacking else {}
            found["clinical"] = {"kind": "clinical", "candidates": self._candidates} | own | impute
        if not found:
            raise SettingsError(
                f"cohort {self.source.name}: found no features, images or candidates. Name columns: --candidates."
            )
        if len(found) == 2:
            found["combined"] = {"kind": "combined", "of": [*found]} | self._first("combined", COMBINED)
        return found

    def _sequences(self) -> dict[str, dict[str, Any]]:
        """Each sequence as those of the followed study are extracted; steps that need other images are left out."""
        if self.source.has_features:
            return {}
        first = next(iter(self._like["sequences"].values()))
        method = {key: first[key] for key in ("regions", "parameters", "features", "log_padding") if key in first}
        return {name: {"label": name} | method for name in self.source.sequences}

    def _protocol_text(self) -> str:
        answers, source = self.answers, self.source
        column, value = answers.outcome()
        label = self._label()
        models, cohort = self._models(), source.cohort
        positive = source.included[column].astype(str).str.strip() == value
        partitions, names = source.partitions([*answers.external], positive)
        primary = [*models][-1]
        kinds = {item["kind"]: name for name, item in models.items()}
        fits = Fits(
            models=[*models],
            primary=primary,
            radiomics=kinds.get("radiomics", ""),
            clinical=kinds.get("clinical", ""),
            combined=kinds.get("combined", ""),
            lasso=any(step["step"] == "lasso" for step in models.get("radiomics", {}).get("steps", [])),
            images=bool(self._sequences()),
            partitions=names,
            columns={name: item for name, item in self._columns.items() if name != column},
            candidates=self._candidates,
            follow_up=self._follow_up,
        )
        what = {"radiomics": "MRI radiomics", "clinical": "clinical characteristics", "combined": ""}
        means = " and ".join(filter(None, (what[name] for name in models)))
        title = f"{label['positive']} or {label['negative']}: {means} in {cohort.title}"
        # which models are compared is the followed study's own
        evaluation = {key: item for key, item in self._like.get("evaluation", {}).items() if key != "comparisons"}
        centres = sorted(set(source.included["centre"]))
        out = "".join(f"\n  left out: {name} ({why})" for name, why in source.left_out.items())
        parts: list[tuple[str, dict[str, Any]]] = [
            (
                "What the report's first lines say. Write your own.",
                {
                    "title": title,
                    "question": f"Do {means} tell {label['positive']} from {label['negative']}?",
                    "paper": {"citation": "Our own study; not published."},
                },
            ),
            ("The outcome. Say in 'definition' how it was determined, as a methods section does.", {"label": label}),
            (
                "When the prediction is made: a column known later is no candidate.",
                {"prediction_at": "before_treatment"},
            ),
            (
                "Who trains and who tests (docs/protocol.md: CentrePartition, RandomPartition, GivenPartition).",
                {"partitions": partitions, "centres": {name: name for name in centres}},
            ),
            (
                "What a methods section must say and no run holds: inclusion, reporting (design, ethics, readers,\n"
                "pathology), acquisition, delineation. The checklists count what is missing.",
                {"reporting": {"design": ""}},
            ),
            (
                "Columns of the participants table: printed label, unit, levels (the first is the reference), and when the\n"
                "value is known: say available_at: after_surgery or follow_up where it is later than the prediction."
                + out,
                {"columns": self._columns},
            ),
            (
                "Sequences: which regions are made of each mask, and by which parameter file.",
                {"sequences": self._sequences()},
            ),
            (
                f"Models. Selection and estimators are those of {answers.like}"
                + (
                    ""
                    if source.readers > 1 or "radiomics" not in models
                    else ", but for icc_filter: there is one reader"
                )
                + ".\nEverything that learns is fitted on training patients alone.",
                {"models": models, "model_labels": {name: label_of(name) for name in models}, "primary_model": primary},
            ),
            (f"How models are judged, as in {answers.like}.", {"evaluation": evaluation}),
            (
                "Figures: all that fit the cohort; remove what you do not want. Each kind: docs/kinds.md.",
                {"figures": figures(fits)},
            ),
            ("Tables.", {"tables": tables(fits)}),
        ]
        heading = (
            f"{editor_line('protocol', 'workflow/studies')}\n# Study {answers.name} on the cohort {source.name}, made by "
            f"`her2radiomics new study` after {answers.like}.\n"
            f"# Edit it freely, then call: her2radiomics check --study {answers.name}\n"
        )
        return heading + "".join(_section(comment, content) for comment, content in parts)

    def _config(self) -> str:
        name, cohort = self.answers.name, self.source.name
        root = str(self.source.root.absolute())
        content: list[tuple[str, dict[str, Any]]] = [
            ("Seed of everything random.", {"seed": Config.model_fields["seed"].default}),
            ("What is carried out.", {"runs": [{"study": name, "cohort": cohort}]}),
            ("Where the data lie on this machine.", {"data": {cohort: root}}),
        ]
        heading = f"{editor_line('config', CONFIGS)}\n# Runs the study {name}: her2radiomics run --study {name}\n"
        return heading + "".join(_section(comment, item) for comment, item in content)


def _section(comment: str, content: Mapping[str, Any]) -> str:
    """A part of a settings file below its comment; empty values are left out, and with them an empty part."""
    kept = {key: value for key, value in content.items() if value not in ({}, [], None)}
    if not kept:
        return ""
    lines = [f"# {line}" for line in comment.splitlines()] + [line for item in kept.items() for line in _lines(*item)]
    return "\n" + "\n".join(lines) + "\n"


def _lines(key: str, value: Any, indent: str = "") -> list[str]:
    """A key with its value: on one line where it fits and holds no mapping of mappings."""
    start = f"{indent}{_flow(key)}:"
    inner = [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    whole = f"{start} {_flow(value)}"
    if not inner or (len(whole) <= WIDEST and not any(isinstance(item, dict) for item in inner)):
        return [whole]
    if isinstance(value, dict):
        return [start, *(line for item in value.items() for line in _lines(*item, indent=f"{indent}  "))]
    return [start, *(f"{indent}  - {_flow(item)}" for item in value)]


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("...\n").strip()
