"""One class a format: found by itself, whole or refused, and the only way to a reader."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import formats, read_image
from her2radiomics.imaging.formats import FORMATS, ImageFormat, format_of, formats_in_words, image_format

#: A format in one file: eight bytes of text, then 8 × 8 × 8 voxels.
CUBES = '''
"""Cubes."""
import numpy as np
from her2radiomics.core.libraries import sitk
from her2radiomics.imaging.formats import ImageFormat, damaged, image_format

@image_format
class Cube(ImageFormat):
    """Cubes."""
    name, endings = "Cube", (".cube", ".seg.nrrd")

    def check_header(self, path):
        """It says what it is."""
        content = path.read_bytes()
        if content[:8] != b"a cube:\\n":
            raise damaged(path, "no cube")
        return content[8:]

    def check_content(self, path, header):
        """It holds 512 voxels."""
        if len(header) != 512:
            raise damaged(path, f"{len(header)} of 512 voxels")

    def read_voxels(self, path, header):
        return sitk.GetImageFromArray(np.frombuffer(header, "u1").reshape(8, 8, 8))
'''
USE = """
import sys
from her2radiomics.core.errors import CaseError
from her2radiomics.imaging import read_image
from her2radiomics.cohort.manifest import ManifestRow
from her2radiomics.extraction.__main__ import main
print(read_image(sys.argv[1]).GetSize())
for path in sys.argv[2:]:
    try:
        read_image(path)
    except CaseError as error:
        print(error)
print(ManifestRow.model_fields["image"].description)
from her2radiomics.study.reference import files
print("| Cube | `.cube`, `.seg.nrrd` | It says what it is. | It holds 512 voxels. |" in files()["docs/formats.md"])
try:
    main(["--help"])
except SystemExit:
    pass
"""


@pytest.fixture
def registry(monkeypatch):
    """A copy of the registry, so that nothing of a test stays."""
    monkeypatch.setattr(formats, "FORMATS", dict(FORMATS))
    return formats.FORMATS


class Whole(ImageFormat):
    name, endings = "Made up", (".made",)

    def check_header(self, path):
        return None

    def check_content(self, path, header):
        raise CaseError(found="a bad body", expected="a good one", remedy="Correct it.", file=path)

    def read_voxels(self, path, header):
        raise AssertionError("what failed a check is never read")


@pytest.mark.parametrize("part", ["check_header", "check_content", "read_voxels"])
def test_a_format_that_lacks_a_part_cannot_be_registered(registry, part):
    kept = {name: getattr(Whole, name) for name in ("check_header", "check_content", "read_voxels")}
    del kept[part]
    lame = type("Lame", (ImageFormat,), {"name": "Lame", "endings": (".lame",), **kept})
    with pytest.raises(TypeError, match=f"Lame: an image format needs {part}"):
        image_format(lame)
    assert "Lame" not in registry


@pytest.mark.parametrize("part", ["name", "endings"])
def test_a_format_without_a_name_or_an_ending_cannot_be_registered(registry, part):
    with pytest.raises(TypeError, match=f"needs {part}"):
        image_format(type("Lame", (Whole,), {part: ()}))


@pytest.mark.parametrize(
    ("claims", "words"),
    [({"endings": (".made", ".nii.gz")}, ".nii.gz belong to NIfTI"), ({"folder": "x"}, "folders belong to DICOM")],
)
def test_what_one_format_claims_no_other_can(registry, claims, words):
    with pytest.raises(TypeError, match=words):
        image_format(type("Greedy", (Whole,), claims))


def test_every_format_runs_its_checks_before_it_reads(registry, tmp_path):
    image_format(Whole)
    (tmp_path / "x.made").touch()
    with pytest.raises(CaseError, match=r"x\.made: found a bad body"):
        read_image(tmp_path / "x.made")


def test_the_longest_ending_decides_and_content_never(registry, tmp_path):
    assert type(format_of(Path("a/x.NII.GZ"))).__name__ == "NIfTI"
    image_format(type("Layers", (Whole,), {"name": "Layers", "endings": (".seg.nrrd",)}))
    assert [format_of(Path(name)).name for name in ("x.nrrd", "x.seg.nrrd")] == ["NRRD", "Layers"]
    assert format_of(tmp_path).name == "DICOM"


def test_an_ending_of_no_format_is_refused_with_those_that_have_one(tmp_path):
    path = tmp_path / "Smith.Jane"
    path.touch()
    with pytest.raises(CaseError) as caught:
        read_image(path)
    assert all(f"{ending}" in caught.value.expected for form in FORMATS.values() for ending in form.endings)
    assert "Jane" not in f"{caught.value.found} {caught.value.expected} {caught.value.remedy}"


def test_a_format_is_added_by_one_file(tmp_path, root):
    """A copy of the library with one file more: the image is read, refused and told of, in words, help and docs."""
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("docs", "workflow"):  # reference pages, and the files that the schemas take their examples from
        shutil.copytree(root / folder, tmp_path / folder)
    shutil.copy(root / "config.yaml", tmp_path)
    (tmp_path / "src/her2radiomics/imaging/formats/cubes.py").write_text(CUBES)
    voxels = np.arange(512, dtype=np.uint8)
    paths = [tmp_path / name for name in ("a.cube", "b.cube", "c.cube", "d.unknown")]
    for path, content in zip(paths, (voxels.tobytes(), voxels[:-1].tobytes()), strict=False):
        path.write_bytes(b"a cube:\n" + content)
    paths[2].write_bytes(b"no cube")
    paths[3].touch()
    done = subprocess.run(
        [sys.executable, "-c", USE, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    size, cut, other, unknown, description, in_docs, *helped = done.stdout.splitlines()
    assert size == "(8, 8, 8)"
    assert "511 of 512 voxels" in cut and "found no cube" in other and ".cube" in unknown
    assert description == f"Cube, {formats_in_words()}; relative to the manifest."
    assert in_docs == "True"
    assert f"Cube, {formats_in_words()}" in " ".join(" ".join(helped).split())


def test_a_truncated_file_of_a_series_is_not_passed_over(tmp_path):
    """GDCM leaves out what it cannot read: the last slice would be missing without a word."""
    from dicom_series import dicom_folder

    voxels = np.random.default_rng(5).integers(0, 400, (6, 20, 24)).astype(np.int16)
    folder = dicom_folder(tmp_path / "series", voxels, [(index, 2.0 * index) for index in range(6)])
    last = sorted(folder.iterdir())[-1]
    whole = last.read_bytes()
    last.write_bytes(whole[:-100])
    with pytest.raises(CaseError, match="1 of 6 DICOM files that cannot be read"):
        read_image(folder)
    last.write_bytes(whole)
    (folder / "notes.txt").write_text("not an image")
    assert read_image(folder).GetSize() == (24, 20, 6)


@pytest.mark.parametrize("ending", ["nhdr", "mhd", "hdr"])
def test_a_damaged_body_beside_its_header_is_named_by_the_header(tmp_path, ending):
    """The user named the header; the other file's name is nobody's to print."""
    voxels = np.random.default_rng(5).integers(0, 400, (9, 20, 24)).astype(np.int16)
    path = tmp_path / f"image.{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path), True)
    (body,) = (file for file in tmp_path.iterdir() if file != path)
    body.write_bytes(body.read_bytes()[:-500])
    with pytest.raises(CaseError) as caught:
        read_image(path)
    assert caught.value.file == str(path)
    assert body.suffix not in str(caught.value).replace(str(path), "").replace("(.nii.gz, .nrrd, .mha)", "")
