"""Which value of an event column means that the event was seen."""

from __future__ import annotations

from collections.abc import Mapping

from her2radiomics.core.errors import SettingsError
from her2radiomics.manuscript.formatting import listing


def in_words(value: str, levels: Mapping[str, str]) -> str:
    """Which level is counted and, of more than two, what becomes of the others: *Dead; Alive and Lost are censored*."""
    label = levels.get(value, value)
    others = [printed for level, printed in levels.items() if level != value]
    return f"{label}; {listing(others)} are censored" if len(others) > 1 else label


def counted(event: str, levels: Mapping[str, str], wanted: str | None, where: str) -> tuple[str, str]:
    """Return the value that counts, and its printed label (empty for a column without levels).

    Parameters
    ----------
    event
        The event column.
    levels
        Its levels and their printed labels; none for a number.
    wanted
        The value that a protocol names.
    where
        The table or figure, for errors.

    Raises
    ------
    SettingsError
        No value is named and the levels are not 0 and 1, which alone speak for themselves.
    """
    if wanted is None and not set(levels) <= {"0", "1"}:
        raise SettingsError(
            f"{where}: found no event_level, and '{event}' has the levels {listing([*levels])}; expected the level at which "
            f"the event was seen. Add event_level, such as event_level: '{list(levels)[-1]}'."
        )
    value = "1" if wanted is None else wanted
    return value, levels.get(value, "")
