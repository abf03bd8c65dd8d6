"""Breast-MRI radiomics studies as one reproducible workflow: the library behind the Snakemake rules."""

from her2radiomics.core.errors import CaseError, StudyError

__all__ = ["CaseError", "StudyError", "__version__"]


def __getattr__(name: str) -> str:
    """``__version__`` when it is asked for: looking it up costs 50 ms, a tenth of a small job's imports."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("her2radiomics")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"
