"""What made a run: provenance, and the run as a Workflow Run RO-Crate."""
