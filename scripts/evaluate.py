"""Judge all models on every partition."""

from her2radiomics.core.tables import read
from her2radiomics.engine.script import logged, settings_from, write_tables
from her2radiomics.evaluation.performance import EvaluationSettings, evaluate
from her2radiomics.modelling import load_model


def main(snakemake):
    params, files = snakemake.params, snakemake.input

    def of_models(name, paths):
        return {model: read(name, path) for model, path in zip(params.models, paths, strict=True)}

    thresholds = {name: load_model(path).threshold for name, path in zip(params.models, files.models, strict=True)}
    judged = evaluate(
        of_models("predictions", files.predictions),
        thresholds,
        settings_from(EvaluationSettings, params.evaluation),
        seed=params.seed,
        validation=of_models("validation", files.validations),
        persons=params.persons,
    )
    tables = {"performance": judged.performance, "performance_extra": judged.extra, "delong": judged.delong}
    write_tables(tables, snakemake.output, simulated=params.simulated)


with logged(snakemake):  # noqa: F821
    main(snakemake)  # noqa: F821
