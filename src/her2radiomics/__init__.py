"""Breast-MRI radiomics studies as one reproducible workflow: the library behind the Snakemake rules."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("her2radiomics")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
