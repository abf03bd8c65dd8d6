# Breast-MRI radiomics studies, from images to manuscript. `snakemake` makes everything that config.yaml asks for.
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/start.smk"


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/records.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/extraction.smk"
include: "workflow/rules/modelling.smk"
include: "workflow/rules/manuscript.smk"
include: "workflow/rules/reporting.smk"
include: "workflow/rules/evidence.smk"


rule all:
    default_target: True
    input:
        PLAN.targets("all"),


rule figures:
    input:
        PLAN.targets("figures"),


rule tables:
    input:
        PLAN.targets("tables"),


rule manuscript:
    input:
        PLAN.targets("manuscript"),


rule records:
    input:
        PLAN.targets("records"),


rule evidence:
    input:
        PLAN.targets("evidence"),


rule report:
    input:
        PLAN.targets("report"),


rule extraction:
    input:
        PLAN.targets("extraction"),
