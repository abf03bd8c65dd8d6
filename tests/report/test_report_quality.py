"""Quality control and standards on the page: what is shown, counted and said, and how it behaves in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import asdict
from hashlib import sha256
from math import prod

import pandas as pd
import pytest
from report_run import FIGURES, build, build_context, describe

from her2radiomics.core.tables import read
from her2radiomics.extraction import QC_COLUMNS, read_parameters
from her2radiomics.extraction.ibsi import standings
from her2radiomics.manuscript import style
from her2radiomics.manuscript.figures.grey_levels import GreyLevelText, draw_grey_levels, outside_counts, place_of
from her2radiomics.manuscript.figures.render import write
from her2radiomics.report import page
from her2radiomics.study.descriptions import read_run_info


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(tmp_path_factory.mktemp("quality"))


@pytest.fixture(scope="module")
def context(made):
    folder, arguments = made
    return build_context(folder, describe(), **arguments)


@pytest.fixture(scope="module")
def html(context):
    return page(context)


def test_quality_control_lists_failures_first(context, html):
    assert [row.status for row in context.quality.rows[:3]] == ["failed", "failed", "warned"]
    assert len(context.quality.rows) == 66 * 3
    assert [row[0] for row in context.failed.rows] == ["C1-901", "C2-902"]
    assert "Outline it, or exclude the patient." in html
    assert [picture.status for picture in context.overlays] == ["failed", "extracted", "extracted"]
    # of those that are sound the readers who agree least come first
    assert [p.patient for p in context.overlays] == ["C1-901", "C1-002", "C1-001"]
    assert context.overlays[0].href == "../cohorts/made/C1-901/DWI.png"


def test_quality_control_shows_every_column(context):
    assert {column.name for column in context.quality.columns} == {*QC_COLUMNS, "centre"} - {"image_hash"}
    assert [column.name for column in context.quality.columns if column.printed] == [
        *(
            "status",
            "patient_id",
            "centre",
            "sequence",
            "reader",
            "region",
            "reason",
            "grey_levels",
            "dice",
            "volume_ml",
        ),
        "voxels",
    ]
    assert {choice.name: choice.values for choice in context.quality.choices} == {
        "status": ("failed", "warned", "extracted"),
        "sequence": ("DCE phase 2", "DWI", "fs-T2WI"),
        "centre": ("Centre 1 (3.0 T)", "Centre 2 (1.5 T)"),
    }


def test_quality_control_keeps_columns_that_it_does_not_know(made, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(made[0], folder)
    table = pd.read_csv(folder / "cohort" / "qc.csv", dtype=str, keep_default_na=False)
    table.assign(bias_field="1.25").to_csv(folder / "cohort" / "qc.csv", index=False)
    context = build_context(folder, describe(), parameters=made[1]["parameters"])
    assert context.quality.columns[-1].heading == "Bias field"
    assert {row.cells[-1] for row in context.quality.rows} == {"1.25"}
    assert "centre" not in [column.name for column in context.quality.columns]  # none was given


def test_grey_levels_are_counted(context, made):
    levels = pd.read_csv(made[0] / "cohort" / "qc.csv")["grey_levels"].dropna()
    below = int((levels < 16).sum())
    assert below > 0 and len(levels) == 66 * 3 - 2
    assert context.grey_levels_note == (
        f"{below} of {len(levels)} regions lie outside 16 to 128 grey levels: {below} below 16."
    )
    assert context.grey_levels.alt.endswith(context.grey_levels_note)
    drawn = pd.read_csv(made[0] / "cohort" / "grey_levels.csv")
    assert sorted(drawn["grey_levels"]) == sorted(levels)


def test_places_of_grey_levels():
    # warned below 16 and above 128, refused above 500: the limits of the extraction
    from inspect import signature

    from her2radiomics.extraction import extract_case

    limits = signature(extract_case).parameters
    low, high = limits["warn_grey_levels"].default
    most = limits["max_grey_levels"].default
    places = [place_of(levels) for levels in (low - 1, low, high, high + 1, most, most + 1)]
    assert places == ["below", "usual", "usual", "above", "above", "refused"]
    assert outside_counts(Counter(places)) == (
        "4 of 6 regions lie outside 16 to 128 grey levels: 1 below 16, 2 above 128, 1 beyond 500, which is refused."
    )
    assert outside_counts({"usual": 3}) == "0 of 3 regions lie outside 16 to 128 grey levels."
    assert "No region was measured" in outside_counts({})


def test_grey_levels_of_no_region_are_said_in_words(tmp_path):
    text = GreyLevelText(title="T", simulated=False, sequences={}, regions={}, groups={}, group_of={})
    nothing = pd.DataFrame(
        {
            "patient_id": ["P1"],
            "sequence": "DWI",
            "reader": "1",
            "region": "x",
            "grey_levels": [float("nan")],
            "status": "failed",
        }
    )
    with style.in_style():
        drawing = draw_grey_levels(nothing, text)
    write(drawing, tmp_path / "none", {}, simulated=False)
    assert len(drawing.data) == 0 and (tmp_path / "none.svg").stat().st_size > 1000


def test_standards_of_the_feature_set(context, html):
    # 9 of 2-D shape; 18 first-order features of the original, four wavelet images and LoG 3 mm
    assert context.standards.rows == (("features_1125_2d", "117", "16", "1", "0", "10", "90"),)
    (found,) = context.feature_sets
    assert found.headline == "16 of 117 features per region comply with IBSI-1, and 1 more after a conversion."
    assert found.serves == "fs-T2WI, DWI and DCE phase 2"
    text = " ".join(found.remarks)
    assert "(wavelet and Laplacian of Gaussian)" in text and "Aggregation" not in text
    assert "2-D shape, all 9 (IBSI-1 defines morphology in 3-D alone)" in text
    assert "2 of the features that are IBSI-1's are computed from them" in text  # entropy and uniformity
    assert 'id="standards"' in html and "features/ibsi.csv" in html


@pytest.mark.parametrize(
    ("name", "headline", "phrases"),
    [
        (
            "features_1125_2d",
            "90 of 1125 features per region comply with IBSI-1, and 1 more after a conversion.",
            ("(IBSI:JJUI)", "(IBSI:62GR)", "bins of width 25", "gradient magnitude", "Voxels: as acquired"),
        ),
        (
            "features_1316_3d",
            "98 of 1316 features per region comply with IBSI-1, and 4 more after a conversion.",
            ("(IBSI:ITBB)", "(IBSI:KOBO)", "3-D shape LeastAxisLength", "MCC (maximal correlation coefficient)"),
        ),
        (
            "features_1218_1mm",
            "92 of 1218 features per region comply with IBSI-1, and 4 more after a conversion.",
            ("Resampling to 1 × 1 × 1 mm is PyRadiomics'", "Maximum2DDiameterSlice"),
        ),
    ],
)
def test_standards_of_the_published_sets_in_words(root, name, headline, phrases):
    from her2radiomics.report.ibsi_words import feature_sets

    path = root / "workflow" / "extraction" / f"{name}.yaml"
    table = pd.DataFrame([{"parameters": name, **asdict(item)} for item in standings(read_parameters(path))])
    run = read_run_info(describe())
    _, (found,) = feature_sets(table, {name: read_parameters(path)}, run)
    assert found.headline == headline
    for phrase in phrases:
        assert phrase in " ".join(found.remarks), phrase


def test_grey_levels_are_drawn_the_same_way_twice(made, tmp_path):
    """Same bytes for the same input, and one mark a region, in the order of sequences, groups and patients."""
    table = read("qc", made[0] / "cohort" / "qc.csv")
    text = GreyLevelText(
        title="T",
        simulated=False,
        sequences={"DWI": "DWI", "DCE2": "DCE", "T2FS": "T2"},
        regions={"tumour_slice": "Tumour"},
        groups={"2": "Centre 2", "1": "Centre 1"},
        group_of={patient: patient[1] for patient in table["patient_id"]},
    )
    hashes = []
    for rows in (table, table.iloc[::-1]):
        with style.in_style():
            drawing = draw_grey_levels(rows, text)
        files = write(drawing, tmp_path / "levels", {"title": "T"}, simulated=False)
        hashes.append([sha256(file.read_bytes()).hexdigest() for file in files])
    assert hashes[0] == hashes[1]
    measured = table[table["grey_levels"].notna()]
    assert len(drawing.data) == len(measured)
    marks = sum(len(points.get_offsets()) for points in drawing.figure.axes[0].collections)
    assert marks == len(measured)
    assert list(dict.fromkeys(drawing.data["sequence"])) == ["DWI", "DCE2", "T2FS"]
    assert list(dict.fromkeys(drawing.data["group"])) == ["2", "1"]


def test_grey_levels_are_drawn_by_partition_or_by_centre(root):
    """Names and groups of a run; by centre where it ends with the extraction, before there are partitions."""
    from her2radiomics.study.descriptions import grey_level_text
    from her2radiomics.study.plan import Plan

    config = {"runs": [{"study": "nat_response"}, {"study": "nat_response", "until": "extraction"}]}
    for until, expected in (("report", {"training", "testing"}), ("extraction", {"centre_1", "centre_2"})):
        config["runs"] = [{"study": "nat_response", "until": until}]
        (run,) = Plan(config, root / "workflow").runs.values()
        text = GreyLevelText(**grey_level_text(run))
        assert set(text.groups) == expected == set(text.group_of.values())
        assert set(text.group_of) == set(run.patients)
        assert {f"results/{run.id}/features/ibsi.csv", f"results/{run.id}/cohort/grey_levels.svg"} <= set(
            run.targets("extraction")
        )


def test_standards_say_what_the_protocol_resampled_and_changed(root):
    from her2radiomics.imaging.preprocessing_settings import Preprocessing
    from her2radiomics.report.ibsi_words import feature_sets

    path = root / "workflow" / "extraction" / "features_1023_3d.yaml"
    table = pd.DataFrame([{"parameters": path.stem, **asdict(item)} for item in standings(read_parameters(path))])
    done = {
        "DWI": {"resample": {"spacing_mm": [1, 1, 1], "mask": "linear"}},
        "T2FS": {"normalise": {"within": "image"}},
    }
    info = describe()
    for name, item in info["protocol"]["sequences"].items():
        item |= {"parameters": path.stem}
        item |= {"preprocessing": Preprocessing.model_validate(done.get(name, {})).model_dump(mode="json")}
    _, (found,) = feature_sets(table, {path.stem: read_parameters(path)}, read_run_info(info))
    text = " ".join(found.remarks)
    assert "Resampling on DWI aligns the centres of the old and the new grid, as IBSI-1 does" in text
    assert "linearly, with voxels kept from a half" in text
    assert "Voxels on fs-T2WI and DCE phase 2: as acquired" in text
    assert "Intensities on fs-T2WI were changed before extraction" in text


# in a browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHECK = """<script>
window.problems = [];
addEventListener("error", (e) => problems.push("error: " + (e.message || e.target.tagName)), true);
addEventListener("securitypolicyviolation", (e) => problems.push("refused: " + e.blockedURI));
addEventListener("load", () => setTimeout(() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  for (const picture of document.images) picture.loading = "eager";
  const all = (query) => [...document.querySelectorAll(query)];
  const choose = (query, value) => {
    const control = document.querySelector(query);
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const lines = () => all("[data-qc-table] tbody tr");
  const pictures = () => all("[data-qc-pictures] li").filter((item) => !item.hidden);
  const count = () => document.querySelector("[data-count]").textContent;
  const columns = {};
  for (const [place, heading] of all("[data-qc-table] thead th").entries()) {
    const cells = () => lines().map((row) => row.cells[place].textContent);
    heading.firstElementChild.click();
    columns[heading.dataset.name] = { up: cells(), sorted: heading.getAttribute("aria-sort") };
    heading.firstElementChild.click();
    columns[heading.dataset.name].down = cells();
  }
  choose("[data-sort]", "dice");
  choose("[data-order]", "ascending");
  const worst = pictures().map((item) => [item.dataset.patient, item.querySelector("output").textContent]);
  choose("[data-filter=centre]", "Centre 2 (1.5 T)");
  const elsewhere = count();
  choose("[data-filter=centre]", "");
  choose("[data-filter=sequence]", "fs-T2WI");
  const other = count();
  choose("[data-filter=sequence]", "");
  choose("[data-filter=status]", "failed");
  const failed = [count(), lines().filter((row) => !row.hidden).length, pictures().length];
  document.querySelector("[data-qc-controls]").reset();
  setTimeout(() => {
    const again = [count(), pictures().map((item) => item.dataset.patient)];
    // drawing decodes at once, where a promise would outlast the browser's virtual time
    const decodes = (picture) => {
      try { document.createElement("canvas").getContext("2d").drawImage(picture, 0, 0); } catch { return 0; }
      return picture.naturalWidth > 0 ? 1 : 0;
    };
    const finish = () => {
      if (![...document.images].every((picture) => picture.complete)) return setTimeout(finish, 50);
      const decoded = [...document.images].map(decodes);
      const out = document.createElement("pre");
      out.id = "checked";
      out.textContent = JSON.stringify({ problems, wide, columns, worst, elsewhere, other, failed, again, decoded });
      document.body.append(out);
    };
    finish();
  }, 50);
}, 200));
</script>"""


def in_order(cells: list[str], down: bool) -> bool:
    """Whether cells are sorted: numbers as numbers, a×b×c by product, text by its words and numbers, empty last."""
    given = [cell for cell in cells if cell]
    if cells != given + [""] * (len(cells) - len(given)):
        return False
    try:
        keys: list = [prod(float(part) for part in cell.replace("−", "-").split("×")) for cell in given]
    except ValueError:
        keys = [
            [
                (0, int(part), "") if part.isdigit() else (1, 0, part)
                for part in re.findall(r"[0-9]+|[a-z]+", cell.lower())
            ]
            for cell in given
        ]
    return keys == sorted(keys, reverse=down)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser, and none is installed")
@pytest.mark.parametrize("width", [1280, 360])
def test_page_in_chromium(html, tmp_path, width):
    """No script error, nothing refused, every picture decodes, sorting and filtering work, no sideways scrolling."""
    inner = html.replace("<head>", f"<head>{CHECK}", 1)
    (tmp_path / "inner.html").write_text(inner, encoding="utf-8")
    # a frame, since a window cannot be made as narrow as a telephone
    frame = f"""<!doctype html><iframe id="f" src="inner.html" style="width:{width}px;height:800px;border:0"></iframe>
<script>setInterval(() => {{ const c = document.getElementById("f").contentDocument?.getElementById("checked");
if (c && !document.getElementById("out")) {{ const p = document.createElement("pre"); p.id = "out";
p.textContent = c.textContent; document.body.append(p); }} }}, 50)</script>"""
    (tmp_path / "frame.html").write_text(frame, encoding="utf-8")
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --allow-file-access-from-files --virtual-time-budget=30000 "
        "--enable-logging=stderr --v=0 --window-size=1400,900 --dump-dom"
    ).split()
    profile = tmp_path / "profile"
    done = subprocess.run(
        [str(CHROMIUM), *flags, f"--user-data-dir={profile}", (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    found = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    checked = json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))
    assert checked["problems"] == []
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]
    assert checked["wide"] <= 0
    assert all(checked["decoded"]) and len(checked["decoded"]) == len(FIGURES) + 3 + 1
    assert set(checked["columns"]) == {*QC_COLUMNS, "centre"} - {"image_hash"}
    for name, column in checked["columns"].items():
        assert column["sorted"] == "ascending", name
        assert in_order(column["up"], down=False) and in_order(column["down"], down=True), name
    voxels = [int(cell) for cell in checked["columns"]["voxels"]["up"] if cell]
    assert len({len(str(value)) for value in voxels}) > 1  # as text the order would be another
    assert checked["columns"]["minimum"]["up"][0] == "−1000"
    assert checked["columns"]["size"]["down"][0] == "256×256×40"  # more voxels than 1024×96×9
    assert checked["columns"]["spacing_mm"]["up"][0] == "0.9×0.9×4"
    assert checked["worst"] == [
        ["C1-002", "Dice with the reference: 0.650"],
        ["C1-001", "Dice with the reference: 0.900"],
        ["C1-901", ""],
    ]
    assert checked["elsewhere"] == "93 of 198 regions, 0 of 3 pictures"  # 30 patients and one that failed
    assert checked["other"] == "66 of 198 regions, 0 of 3 pictures"  # the pictures are of DWI
    assert checked["failed"] == ["2 of 198 regions, 1 of 3 pictures", 2, 1]
    assert checked["again"] == ["198 of 198 regions, 3 of 3 pictures", ["C1-901", "C1-002", "C1-001"]]
