"""Stars of significance: one scale for figures and tables."""

from __future__ import annotations

import math

NOT_SIGNIFICANT = "ns"
LEVELS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
LEGEND = "* p < 0.05, ** p < 0.01, *** p < 0.001, ns: p ≥ 0.05"


def stars(p: float) -> str:
    """``***`` below 0.001, ``**`` below 0.01, ``*`` below 0.05, ``ns`` otherwise; nothing where there is no p."""
    if math.isnan(p):
        return ""
    return next((mark for below, mark in LEVELS if p < below), NOT_SIGNIFICANT)
