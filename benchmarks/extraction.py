"""CPU and memory of one case against the stock ``pyradiomics`` command line, on the same files in one run.

    .venv/bin/python benchmarks/extraction.py [--output table.md] [--sets 1125 1023 1218] [--repeat 3]

Simulated breast volumes of realistic size are written to a temporary folder: DCE 352 × 352 × 120, T2 448 ×
448 × 40 and DWI 192 × 192 × 30 voxels with a tumour of 24 mm. Stock gets the regions as mask files of one
batch; ours makes them from the tumour mask. One thread each; CPU seconds are user and system time of the
whole process, imports included, their bytecode compiled before; the least of ``--repeat`` runs in turn. The last
column is the largest relative difference of any feature (Laplacian of Gaussian: relative to at least the region's root
mean square).
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from her2radiomics.imaging import make_region

ROOT = Path(__file__).parents[1]
VOLUMES = {
    "DCE": ((352, 352, 120), (0.85, 0.85, 1.5)),
    "T2FS": ((448, 448, 40), (0.76, 0.76, 4.0)),
    "DWI": ((192, 192, 30), (1.77, 1.77, 5.0)),
}
SETS = {
    "1125": ("features_1125_2d.yaml", ["tumour_slice", "ring_3mm_slice"]),
    "1023": ("features_1023_3d.yaml", ["tumour_slice", "ring_3mm_slice"]),
    "1316": ("features_1316_3d.yaml", ["tumour_volume"]),
    "1218": ("features_1218_1mm.yaml", ["tumour_volume"]),
}


@dataclass
class Run:
    seconds: float
    megabytes: float
    rows: list[dict[str, float]]


def simulate(size: tuple[int, ...], spacing: tuple[float, ...], folder: Path, seed: int) -> tuple[Path, Path]:
    """A textured volume with a lobed bright tumour off its centre, and its mask."""
    generator = np.random.default_rng(seed)
    shape = size[::-1]
    noise = sitk.GetImageFromArray(generator.standard_normal(shape, dtype=np.float32))
    noise.SetSpacing(spacing)
    texture = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 2.0))
    texture /= texture.std()
    axes = [
        (np.arange(n) - fraction * n) * step
        for n, fraction, step in zip(shape, (0.5, 0.55, 0.3), spacing[::-1], strict=True)
    ]
    distance = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True)))
    tumour = distance + 2.5 * texture < 12
    voxels = 250 + 90 * texture + 500 * tumour + 20 * generator.standard_normal(shape, dtype=np.float32)
    image = sitk.GetImageFromArray(np.clip(voxels, 0, 2000).astype(np.int16))
    image.SetSpacing(spacing)
    mask = sitk.GetImageFromArray(tumour.astype(np.uint8))
    mask.CopyInformation(image)
    sitk.WriteImage(image, str(folder / "image.nii.gz"), True)
    sitk.WriteImage(mask, str(folder / "mask.nii.gz"), True)
    return folder / "image.nii.gz", folder / "mask.nii.gz"


SKIPPED = {"diagnostics", "Image", "Mask", "region"}  # columns that are no features

# a small process between this one and the measured one: Linux counts the memory of the process that forks
LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def measure(command: list[str], output: Path, cache: Path) -> Run:
    """Run a command with one thread; its CPU seconds, peak memory and the CSV that it wrote."""
    output.unlink(missing_ok=True)  # stock PyRadiomics writes at the end of one
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": str(cache)}
    environment |= {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    launched = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command], env=environment, capture_output=True, encoding="utf-8"
    )
    code, seconds, megabytes = launched.stdout.split()
    if code != "0":
        raise SystemExit(f"failed: {' '.join(command)}\n{launched.stderr}")
    with output.open(newline="", encoding="utf-8") as stream:
        rows = [
            {name: float(value) for name, value in row.items() if name.split("_")[0] not in SKIPPED}
            for row in csv.DictReader(stream)
        ]
    return Run(float(seconds), float(megabytes), rows)


def compare(name: str, volume: str, folder: Path, repeat: int) -> tuple[Run, Run, float]:
    """Stock and our run of one feature set on one volume, and the largest relative difference."""
    parameters, regions = ROOT / "workflow" / "extraction" / SETS[name][0], SETS[name][1]
    image, mask = folder / "image.nii.gz", folder / "mask.nii.gz"
    batch = folder / f"batch_{name}.csv"
    with batch.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Image", "Mask"])
        for region in regions:
            path = folder / f"{region}.nii.gz"
            if not path.is_file():
                sitk.WriteImage(make_region(sitk.ReadImage(str(mask)), region), str(path), True)
            writer.writerow([image, path])
    binaries = Path(sys.executable).parent
    results = folder / f"stock_{name}.csv", folder / f"ours_{name}.csv"
    stock = [sys.executable, str(binaries / "pyradiomics"), str(batch), "--param", str(parameters), "-j", "1"]
    stock += ["-f", "csv", "-o", str(results[0])]
    own = [sys.executable, "-m", "her2radiomics.extraction", str(image), str(mask), str(parameters)]
    own += [part for region in regions for part in ("--region", region)] + ["--output", str(results[1])]
    cache = folder.parent / "bytecode"
    if not cache.is_dir():  # the first run compiles the imports
        for command, result in zip((stock, own), results, strict=True):
            measure(command, result, cache)
    runs = [(measure(stock, results[0], cache), measure(own, results[1], cache)) for _ in range(repeat)]
    theirs, ours = (min(several, key=lambda run: run.seconds) for several in zip(*runs, strict=True))
    worst = 0.0
    for mine, expected in zip(ours.rows, theirs.rows, strict=True):
        if set(mine) != set(expected):
            raise SystemExit(f"{name}, {volume}: the features' names differ")
        for feature, value in expected.items():
            floor = 1e-300
            if feature.startswith("log-sigma"):  # intensities close to zero: relative to the region's
                magnitude = expected[f"{feature.split('_')[0]}_firstorder_RootMeanSquared"]
                floor = magnitude if "_firstorder_" in feature else min(1.0, magnitude)
            worst = max(worst, abs(mine[feature] - value) / max(abs(value), floor))
    return ours, theirs, worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--volumes", nargs="+", default=list(VOLUMES), choices=VOLUMES)
    parser.add_argument("--repeat", type=int, default=1, help="runs, of which the least CPU time counts")
    parser.add_argument("--output", type=Path, help="Markdown file (default: standard output)")
    options = parser.parse_args()
    lines = [
        "| features | regions | volume | stock CPU s | our CPU s | ratio | stock MB | our MB | difference |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folders = {}
        for seed, name in enumerate(options.volumes):
            folders[name] = Path(temporary) / name
            folders[name].mkdir()
            simulate(*VOLUMES[name], folders[name], seed)
        for name in options.sets:
            total = np.zeros(2)
            regions = ", ".join(SETS[name][1])
            for volume, folder in folders.items():
                ours, stock, worst = compare(name, volume, folder, options.repeat)
                total += ours.seconds, stock.seconds
                lines.append(
                    f"| {name} | {regions} | {volume} | {stock.seconds:.2f} | {ours.seconds:.2f} "
                    f"| {ours.seconds / stock.seconds:.2f} | {stock.megabytes:.0f} | {ours.megabytes:.0f} "
                    f"| {worst:.1g} |"
                )
            lines.append(
                f"| {name} | {regions} | **all** | {total[1]:.2f} | {total[0]:.2f} "
                f"| **{total[0] / total[1]:.2f}** | | | |"
            )
    table = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(table, encoding="utf-8")
    else:
        print(table, end="")


if __name__ == "__main__":
    main()
