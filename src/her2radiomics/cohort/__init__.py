"""Cohorts: participants, manifest, brought features, exclusions, partitions and the flow of patients."""
