from .context import ReportContext as ReportContext
from .context import RunSummary as RunSummary
from .gather import build_context as build_context
from .gather import summarise as summarise
from .info import RunInfo as RunInfo
from .pages import index as index
from .pages import page as page
from .quality import gather_pictures as gather_pictures
