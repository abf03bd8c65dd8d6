"""Image formats: what a file of each kind must be before it is read."""
