"""Penalised regression: LASSO, elastic net and ridge paths, and their cross-validation."""
