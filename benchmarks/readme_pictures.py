"""The pictures of README and tutorial, drawn from the demo; ``tests/manuscript/test_readme_pictures.py`` compares them.

    .venv/bin/python benchmarks/readme_pictures.py        # after a demo: takes over its tables, draws docs/images

The tables that the pictures are drawn from are kept in ``docs/images/drawn_from``; the images of the example patients are
simulated again, by the demo's seed.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from her2radiomics.core.settings import read_yaml
from her2radiomics.engine.jobs.manuscript import example_images, figure_inputs_from
from her2radiomics.manuscript.figures import render
from her2radiomics.simulation import simulate_patient
from her2radiomics.study import descriptions
from her2radiomics.study import manuscript_inputs as manuscript
from her2radiomics.study.plan import Plan
from her2radiomics.study.run import Run

ROOT = Path(__file__).resolve().parent.parent
STUDY = "nat_response"
IMAGES = ROOT / "docs/images"
TABLES = IMAGES / "drawn_from"
#: Figure to its picture; a photograph-like one is a JPEG.
PICTURES = {
    "figure_2_sequences": "figure_2_sequences.jpg",
    "figure_5a_nomogram": "figure_5a_nomogram.png",
    "figure_5c_roc_testing": "figure_5c_roc_testing.png",
}


def planned() -> Run:
    """The demo's run."""
    return Plan({"runs": [{"study": STUDY}], "size": "demo", "seed": seed()}, ROOT / "workflow").runs[STUDY]


def seed() -> int:
    """The demo's seed."""
    return int(read_yaml(ROOT / "config.yaml")["seed"])


def kept(run: Run, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The same inputs among the tables that are kept."""
    return {
        name: kept(run, value) if isinstance(value, Mapping) else str(TABLES / Path(value).relative_to(run.folder))
        for name, value in inputs.items()
    }


def picture(name: str, folder: Path) -> bytes:
    """A picture of the README as bytes, drawn anew; ``folder`` takes the images of the example patients."""
    run = planned()
    settings = manuscript.item_of(run.protocol.figures, name)
    study = descriptions.study_text(run, ROOT / "workflow/extraction")
    cases = manuscript.example_cases(run, settings)
    for patient in sorted({patient for patients in cases.values() for patient in patients}):
        simulate_patient(run.protocol.simulation, size="demo", seed=seed(), patient_id=patient, folder=folder)
    moved = _moved(cases, str(run.dataset.folder), str(folder))
    images = example_images(moved, study, str(TABLES / "cohort/qc.csv"))
    inputs = figure_inputs_from(kept(run, manuscript.figure_inputs(run, settings)), study, images)
    render(settings, inputs, folder / name, metadata={})
    with Image.open(folder / f"{name}.png") as drawn:
        plain = drawn.convert("RGB")
    buffer = io.BytesIO()
    if PICTURES[name].endswith("jpg"):
        plain.resize((1000, round(1000 * plain.height / plain.width))).save(buffer, "JPEG", quality=82)
    else:
        plain.quantize(48, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _moved(value: Any, old: str, new: str) -> Any:
    """Paths of the cohort's folder, within another one."""
    if isinstance(value, Mapping):
        return {name: _moved(item, old, new) for name, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    return value.replace(old, new, 1) if isinstance(value, str) and value.startswith(old) else value


def take_over(results: Path) -> None:
    """Copy the tables of a finished demo that the pictures are drawn from."""
    run = planned()
    files = {run.path("qc")}
    for name in PICTURES:
        files.update(manuscript.paths_in(manuscript.figure_inputs(run, manuscript.item_of(run.protocol.figures, name))))
    for file in sorted(files):
        inside = Path(file).relative_to(run.folder)
        target = TABLES / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results / inside, target)
    settings = manuscript.item_of(run.protocol.figures, "figure_2_sequences")
    patients = tuple(f"{name}," for part in manuscript.example_patients(run, settings).values() for name in part)
    qc = TABLES / Path(run.path("qc")).relative_to(run.folder)
    heading, *rows = qc.read_text(encoding="utf-8").splitlines(keepends=True)
    qc.write_text("".join([heading, *(row for row in rows if row.startswith(patients))]), encoding="utf-8")


if __name__ == "__main__":
    take_over(ROOT / "results" / STUDY)
    for figure, file in PICTURES.items():
        with TemporaryDirectory() as temporary:
            (IMAGES / file).write_bytes(picture(figure, Path(temporary)))
        print(IMAGES / file)
