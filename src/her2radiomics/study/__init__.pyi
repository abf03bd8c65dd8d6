from .new_columns import Source as Source
from .new_study import Answers as Answers
from .new_study import NewStudy as NewStudy
from .new_study import cohorts as cohorts
from .new_study import open_cohort as open_cohort
from .project import Project as Project
from .project import facts as facts
from .project import report_of as report_of

__all__ = ["Answers", "NewStudy", "Project", "Source", "cohorts", "facts", "open_cohort", "report_of"]
