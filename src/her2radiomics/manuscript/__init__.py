"""Figures and tables of a manuscript, by kind, in one style."""
