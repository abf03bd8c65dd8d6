"""Which sequence a series is, by rules that are data: a YAML file beside this one for each kind of archive."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from her2radiomics.core import settings
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import Settings

FOLDER = Path(__file__).parent
#: Tried where the patient's identifier fits no other set.
OWN = "own"


class Rule(Settings):
    """A sequence, and the series that it is; every condition that is given must hold."""

    sequence: str = Field(
        description="Name of the sequence; {phase} is the volume's number in its series from 0, {b} its b-value, and any "
        "other name a group of the expression in 'description'."
    )
    description: str = Field("", description="Regular expression found in the series description, whatever its case.")
    unless: str = Field("", description="Regular expression that the series description does not hold.")
    volumes: tuple[int, int] | None = Field(None, description="Least and most volumes (phases) in the series.")
    b_value: bool | None = Field(None, description="Whether volumes have a b-value.")
    derived: bool = Field(False, description="Whether series that were computed from others (ImageType DERIVED) fit.")

    @field_validator("description", "unless")
    @classmethod
    def _expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"found '{value}', which is no regular expression ({error})") from error
        return value


class RuleSet(Settings):
    """The rules of one kind of archive; the first that fits counts."""

    title: str = Field(description="What the archive is.")
    patients: str = Field("", description="Regular expression that the identifiers of its patients fit whole.")
    extends: list[str] = Field(default_factory=list, description="Other sets whose rules come after these.")
    rules: list[Rule] = Field(default_factory=list, description="Rules in the order in which they are tried.")


def names() -> list[str]:
    """Sets that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_rules(name: str) -> RuleSet:
    """A set by its name, or from a YAML file of the user.

    Raises
    ------
    SettingsError
        There is no such set or file, or it is not as it should be.
    """
    path = FOLDER / f"{name}.yaml" if name in names() else Path(name)
    if not path.is_file():
        raise SettingsError(
            f"--rules {name}: found neither a set of rules nor a file; expected one of {', '.join(names())}, or a YAML file."
        )
    found = settings.load(RuleSet, path)
    further = [rule for other in found.extends for rule in read_rules(other).rules]
    return found.model_copy(update={"rules": [*found.rules, *further]})


def rules_for(identifier: str) -> str:
    """Name of the set that fits a patient's identifier in the files."""
    fits = (name for name in names() if name != OWN and re.fullmatch(read_rules(name).patients, identifier))
    return next(fits, OWN)


def propose(rules: RuleSet, *, description: str, volume: int, volumes: int, b_value: str, derived: bool) -> str:
    """The sequence of a volume by the first rule that fits; empty where none does.

    Parameters
    ----------
    rules
        The set.
    description
        Of the series.
    volume, volumes
        The volume's number in its series, from 0, and how many there are.
    b_value
        In s/mm², empty where there is none.
    derived
        Whether the series was computed from others.
    """
    for rule in rules.rules:
        match = re.search(rule.description, description, re.IGNORECASE)
        if (
            match is None
            or (rule.unless and re.search(rule.unless, description, re.IGNORECASE))
            or (rule.volumes is not None and not rule.volumes[0] <= volumes <= rule.volumes[1])
            or (rule.b_value is not None and rule.b_value != bool(b_value))
            or (derived and not rule.derived)
        ):
            continue
        return rule.sequence.format(**{"phase": volume, "b": b_value, **match.groupdict()})
    return ""
