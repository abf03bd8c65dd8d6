from .calculator import calculator_of as calculator_of
from .calculator import calculator_page as calculator_page
from .measuring import Measuring as Measuring
from .results import Patient as Patient
from .run import INDEX as INDEX
from .run import TABLE as TABLE
from .run import Answer as Answer
from .run import Request as Request
from .run import in_words as in_words
from .run import intended as intended
from .run import model_file as model_file
from .run import predict as predict

__all__ = [
    "INDEX",
    "TABLE",
    "Answer",
    "Measuring",
    "Patient",
    "Request",
    "calculator_of",
    "calculator_page",
    "in_words",
    "intended",
    "model_file",
    "predict",
]
