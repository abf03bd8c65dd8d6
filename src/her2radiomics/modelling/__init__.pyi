from .build import build_model as build_model
from .build import second_reader_table as second_reader_table
from .fit_report import FitReport as FitReport
from .penalised.binomial_path import binomial_path as binomial_path
from .penalised.cross_validation import cross_validated_lasso as cross_validated_lasso
from .penalised.gaussian_path import gaussian_path as gaussian_path
from .penalised.gaussian_path import lambda_grid as lambda_grid
from .ranking import univariate_test as univariate_test
from .readers import SecondReader as SecondReader
from .refits import cross_validated_scores as cross_validated_scores
from .refits import pipeline_refit as pipeline_refit
from .saved.fitted import FittedModel as FittedModel
from .saved.model_file import from_dict as from_dict
from .saved.model_file import load_model as load_model
from .saved.model_file import save_model as save_model
from .saved.model_file import to_dict as to_dict
from .study_model import StudyModel as StudyModel
from .tables import model_table as model_table
from .tables import reader_rows as reader_rows
from .transformers import RedundancyFilter as RedundancyFilter

__all__ = [
    "FitReport",
    "FittedModel",
    "RedundancyFilter",
    "SecondReader",
    "StudyModel",
    "binomial_path",
    "build_model",
    "cross_validated_lasso",
    "cross_validated_scores",
    "from_dict",
    "gaussian_path",
    "lambda_grid",
    "load_model",
    "model_table",
    "pipeline_refit",
    "reader_rows",
    "save_model",
    "second_reader_table",
    "to_dict",
    "univariate_test",
]
