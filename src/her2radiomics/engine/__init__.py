"""What the jobs of the workflow share: logging, file records, environment, patches of Snakemake."""
