from .enrolment import Roster as Roster
from .enrolment import roster as roster
from .patient import simulate_patient as simulate_patient
from .settings import SimulationSettings as SimulationSettings
from .tables import note_text as note_text
from .tables import write_tables as write_tables

__all__ = ["Roster", "SimulationSettings", "note_text", "roster", "simulate_patient", "write_tables"]
