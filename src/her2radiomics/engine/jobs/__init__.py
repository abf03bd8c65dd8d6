"""What the scripts of a stage share, and the jobs that take several patients."""
