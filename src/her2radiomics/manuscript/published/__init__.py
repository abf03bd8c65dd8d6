"""What a paper prints beside what a run gives: settings, look-up, and agreement by stated rules."""

from her2radiomics.manuscript.published.comparison import published_table
from her2radiomics.manuscript.published.lookup import Results
from her2radiomics.manuscript.published.settings import PublishedNumber, quantities

__all__ = ["PublishedNumber", "Results", "published_table", "quantities"]
