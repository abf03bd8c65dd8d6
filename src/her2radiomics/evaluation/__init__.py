"""How good models are: performance, comparison, validation."""
