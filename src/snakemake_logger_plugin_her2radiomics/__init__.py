"""Snakemake's logger plug-in ``her2radiomics`` (``logger: her2radiomics`` in the default profile)."""

from her2radiomics.engine.progress import ProgressHandler as LogHandler

__all__ = ["LogHandler"]
