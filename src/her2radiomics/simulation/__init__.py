"""The simulated cohort: who is in it (``roster``), its files (``simulate_patient``, ``write_tables``).

The model is written down in ``docs/simulation.md``. Everything here is a function of the settings, the size
and the seed; images never depend on the strength of the planted signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from her2radiomics.simulation.enrolment import Roster, roster
    from her2radiomics.simulation.patient import simulate_patient
    from her2radiomics.simulation.settings import SimulationSettings
    from her2radiomics.simulation.tables import note_text, write_tables

__all__ = ["Roster", "SimulationSettings", "note_text", "roster", "simulate_patient", "write_tables"]

_HOME = {
    "Roster": "enrolment",
    "roster": "enrolment",
    "simulate_patient": "patient",
    "SimulationSettings": "settings",
    "note_text": "tables",
    "write_tables": "tables",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: the roster must not pay for the imaging libraries."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
