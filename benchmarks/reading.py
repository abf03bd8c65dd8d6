"""CPU of reading one case, with all checks of its image and mask, against another state of the code.

    .venv/bin/python benchmarks/reading.py --against FOLDER [--repeat 20] [--output table.md]

``FOLDER`` is another checkout of the project, for example of ``git worktree add FOLDER COMMIT``; both use the packages of
this environment. The files are those of ``benchmarks/extraction.py``. Each process reads every case several times by
``load_case`` with one thread and keeps the least CPU time; processes of both states alternate, since the machine may do
other work. The ratio is the median of those of the pairs. What a case is read into must agree.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from extraction import VOLUMES, simulate
from trial import ROOT, run, table

READ = """
import hashlib, json, os, sys, time
ours = os.environ["PYTHONPATH"]
sys.path[:] = [path for path in sys.path if path == ours or not os.path.isdir(path + "/her2radiomics")]
import SimpleITK as sitk
from her2radiomics.extraction.loading import load_case
found = {}
for folder in sys.argv[1:]:
    row = {"patient_id": "P", "sequence": "S", "reader": "r", "region": "tumour", "mask_label": ""}
    row |= {"image": folder + "/image.nii.gz", "mask": folder + "/mask.nii.gz"}
    spent = []
    for _ in range(6):
        start = time.process_time()
        case = load_case([row])
        spent.append(time.process_time() - start)
    assert not case.problems, case.problems
    images = [sitk.GetArrayViewFromImage(image) for image in (case.image, case.masks["r"])]
    found[folder] = min(spent), [hashlib.sha256(voxels).hexdigest() for voxels in images]
print(json.dumps(found))
"""


def seconds(tree: Path, folders: dict[str, Path]) -> tuple[dict[str, float], list[list[str]]]:
    """Least CPU seconds of each case in one process of a state, and hashes of what was read."""
    variables = {"PYTHONPATH": str(tree / "src"), "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    printed = run([sys.executable, "-c", READ, *folders.values()], ROOT, variables).printed
    found = json.loads(printed.splitlines()[-1])
    least = {name: found[str(folder)][0] for name, folder in folders.items()}
    return least, [found[str(folder)][1] for folder in folders.values()]


def main() -> None:
    """Measure both states in turn, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, required=True, help="another checkout of the project")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--output", type=Path, help="Markdown file (default: standard output)")
    options = parser.parse_args()
    states = {"before": options.against.resolve(), "now": ROOT}
    spent: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: Path(temporary) / name for name in VOLUMES}
        for seed, (name, folder) in enumerate(folders.items()):
            folder.mkdir()
            simulate(*VOLUMES[name], folder, seed)
        for turn in range(options.repeat + 1):
            pair = {state: seconds(tree, folders) for state, tree in states.items()}
            if pair["before"][1] != pair["now"][1]:
                sys.exit("the two states read other voxels from the same files")
            for state, (least, _) in pair.items() if turn else ():  # the first pair compiles the imports
                spent[state].append(least)
    rows = []
    for name, (size, _) in VOLUMES.items():
        before, now = (np.array([least[name] for least in spent[state]]) * 1000 for state in states)
        numbers = (f"{before.min():.0f}", f"{now.min():.0f}", f"{np.median(now / before):.2f}")
        rows.append([f"{name}, {' × '.join(map(str, size))}", *numbers])
    text = table(["case", "before, CPU ms", "now, CPU ms", "ratio"], rows) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
