"""Changes to Snakemake while it runs, each for one version and one fault."""
