"""The command ``her2radiomics``: each of its parts is a function of the library, or runs Snakemake."""
