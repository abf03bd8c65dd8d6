"""The tables of a simulated cohort, and the note beside them that says it is simulated."""

from __future__ import annotations

from pathlib import Path

from her2radiomics.core.files import write_text
from her2radiomics.core.layout import Layout
from her2radiomics.core.tables import write
from her2radiomics.simulation.enrolment import Roster
from her2radiomics.simulation.settings import SimulationSettings


def write_tables(roster: Roster, settings: SimulationSettings, folder: str | Path) -> None:
    """Write participants.tsv, images.tsv, truth.tsv and SIMULATED.md into ``folder``.

    Numbers of the truth table are written with six significant digits. No file holds a time or a machine's name.
    """
    layout = Layout(Path(folder))
    made = {"registered": roster.participants, "manifest": roster.manifest, "truth": roster.truth}
    for name, table in made.items():
        write(name, table, layout.path(name))
    write_text(note_text(roster, settings), layout.path("simulated_note"))


def note_text(roster: Roster, settings: SimulationSettings) -> str:
    """Return the text of SIMULATED.md: model, size, strength, seed, planted predictors."""
    included = roster.participants["exclude_reason"] == ""
    weights = [f"| {name} | {weight:g} |" for name, weight in settings.outcome.weights.items()]
    loadings = [f"| {name} | {value:g} |" for name, value in settings.outcome.heterogeneity_loadings.items()]
    counts = roster.truth.groupby("centre", sort=False)["outcome"].agg(["size", "sum"])
    centres = [f"| {centre} | {row['size']} | {row['sum']} |" for centre, row in counts.iterrows()]
    planted = (
        "score = strength × Σ weight × standardised predictor + logistic noise; the highest scores of each centre "
        "have the outcome, so that the counts hold exactly."
        if roster.strength
        else "Nothing is planted: the strength is 0, and the outcome depends on neither images nor clinical columns."
    )
    return "\n".join(
        [
            "# Simulated data",
            "",
            "Every image, outline and value here is simulated. It belongs to no patient; no clinical conclusion "
            "may be drawn from it. The model is written down in `docs/simulation.md`.",
            "",
            f"- size: {roster.size}",
            f"- seed: {roster.seed}",
            f"- strength of the planted signal: {roster.strength:g}",
            f"- participants: {len(roster.participants)}, of whom {int((~included).sum())} excluded (no images)",
            "",
            "| centre | patients with images | with the outcome |",
            "|---|---|---|",
            *centres,
            "",
            "## Planted predictors",
            "",
            planted,
            "",
            "| predictor | weight |",
            "|---|---|",
            *weights,
            "",
            "Imaging traits by their correlation with the latent heterogeneity of the tumour:",
            "",
            "| trait | correlation |",
            "|---|---|",
            *loadings,
            "",
            "`truth.tsv` holds what was planted in each patient: for checking the analysis, never for making it.",
            "",
        ]
    )
