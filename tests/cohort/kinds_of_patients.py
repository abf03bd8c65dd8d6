"""Categories, identifiers, joined tables, manifests and predictions that differ from right ones by one thing."""

from __future__ import annotations

import shutil
import unicodedata
from functools import partial

import pandas as pd
from table_kinds import LEAVE, REFUSED, SAID, Files, csv_file, kind

categories, identifiers, tables, names = (partial(kind, number) for number in range(3, 7))


def cells(f: Files, column: str, change, name: str = "clinical.csv") -> None:
    """A column with other texts."""
    table = f.clinical if name == "clinical.csv" else f.features
    f.csv(name, [{**row, column: change(i, row[column])} for i, row in enumerate(table)])


def one(f: Files, column: str, value, row: int = 2, name: str = "clinical.csv") -> None:
    cells(f, column, lambda i, cell: value if i == row else cell, name)


# categories and missing values
categories("a centre in another case", REFUSED, "the centres 'South'")(lambda f: one(f, "centre", "South"))
categories("a centre with a slip of one letter", REFUSED, "and 'soutj' (1)")(lambda f: one(f, "centre", "soutj"))


categories("a centre with a character that nobody sees", REFUSED, "the centres 'south'")(
    lambda f: one(f, "centre", "south\u200b")
)
categories("a centre with a space that does not break", REFUSED, "one spelling of each centre")(
    lambda f: cells(f, "centre", lambda i, cell: f"{cell}\xa0clinic" if i % 4 == 0 else f"{cell} clinic")
)


@categories("two centres that differ by one letter and are both named")
def _(f: Files) -> None:
    for row in f.clinical[::4]:
        row["centre"] = "southe"
    f.study["partitions"] = {"kind": "centre", "training": ["north"], "testing": ["south", "southe"]}


categories("an empty centre", REFUSED, "found an empty cell")(lambda f: one(f, "centre", ""))
categories("a level in another case", REFUSED, "Did you mean 'pos'?")(lambda f: one(f, "er", "Pos"))
categories("a level that is not declared", REFUSED, "one of neg, pos")(lambda f: one(f, "er", "3+"))


@categories("a level called NA")
def _(f: Files) -> None:
    f.study["columns"]["er"]["levels"] = {"NA": "not amplified", "pos": "positive"}
    for row in f.clinical:
        row["er"] = "NA" if row["er"] == "neg" else row["er"]


@categories("two declared levels that differ in case", REFUSED, "differ in spelling alone")
def _(f: Files) -> None:
    f.study["columns"]["er"]["levels"] = {"neg": "a", "Neg": "b", "pos": "c"}


categories("NA for no reason of exclusion (R)")(lambda f: cells(f, "exclude_reason", lambda i, cell: cell or "NA"))
categories("a reason of exclusion for everybody", REFUSED, "a reason in all 24 rows")(
    lambda f: cells(f, "exclude_reason", lambda i, cell: "moved away")
)


@categories("NA, N/A and nan for a missing value")
def _(f: Files) -> None:
    cells(f, "age", lambda i, cell: {2: "NA", 3: "N/A", 4: "nan"}.get(i, cell))
    for i in (2, 3, 4):
        f.clinical[i]["age"] = ""


categories("no outcome", REFUSED, "give a patient without one an exclude_reason")(lambda f: one(f, "pcr", ""))
categories("NA for an outcome", REFUSED, "found 'NA'")(lambda f: one(f, "pcr", "NA"))
categories("an outcome of 2", REFUSED, "expected 0 or 1")(lambda f: one(f, "pcr", 2))
categories("an outcome written 1.0 and 0.0")(lambda f: cells(f, "pcr", lambda i, cell: float(cell)))


def recoded(f: Files, rule: dict[str, str], change=lambda i, cell: cell) -> None:
    cells(f, "pcr", lambda i, cell: change(i, "complete" if cell else "partial"))
    f.cohort["columns"] = {"pcr": {"recode": rule}}


categories("words that are recoded exactly")(lambda f: recoded(f, {"complete": "1", "partial": "0"}))
categories("words of which the rest is recoded by *")(lambda f: recoded(f, {"complete": "1", "*": "0"}))
categories("an empty cell beside a rule for *", REFUSED, "give a patient without one an exclude_reason")(
    lambda f: recoded(f, {"complete": "1", "*": "0"}, lambda i, cell: "" if i == 2 else cell)
)
categories("NA beside a rule for *", REFUSED, "found 'NA'")(
    lambda f: recoded(f, {"complete": "1", "*": "0"}, lambda i, cell: "NA" if i == 2 else cell)
)
categories("a spreadsheet's error beside a rule for *", REFUSED, "found '#N/A'")(
    lambda f: recoded(f, {"complete": "1", "*": "0"}, lambda i, cell: "#N/A" if i == 2 else cell)
)
categories("another case beside a rule for *", REFUSED, "which '*' would take and which is nearly 'complete'")(
    lambda f: recoded(f, {"complete": "1", "*": "0"}, lambda i, cell: "Complete" if i == 3 else cell)
)
categories("a value of a rule that no cell holds", SAID, "no cell holds 'none'")(
    lambda f: recoded(f, {"complete": "1", "partial": "0", "none": "0"})
)


@categories("a question mark for unknown, recoded before other values")
def _(f: Files) -> None:
    f.cohort["columns"] = {"er": {"recode": {"?": "", "0": "neg", "1": "pos"}}}
    cells(f, "er", lambda i, cell: "?" if i == 2 else {"neg": "0", "pos": "1"}[cell])
    f.clinical[2]["er"] = ""


@categories("a value with a wildcard's sign in it (`2*`) that a cell holds")
def _(f: Files) -> None:
    f.cohort["columns"] = {"er": {"recode": {"2*": "", "20": "neg", "21": "pos"}}}
    cells(f, "er", lambda i, cell: "2*" if i == 2 else {"neg": "20", "pos": "21"}[cell])
    f.clinical[2]["er"] = ""


@categories("a value that nearly stays (keep)", REFUSED, "which is nearly 'Female'")
def _(f: Files) -> None:
    f.csv("clinical.csv", [{**row, "sex": "female" if i == 2 else "Female"} for i, row in enumerate(f.clinical)])
    f.cohort["keep"] = [{"column": "sex", "keep": ["Female"], "reason": "Male"}]


@categories("a column of which all is missing", SAID, "column 'size': all 23 included patients have no value")
def _(f: Files) -> None:
    for row in f.clinical:
        row["size"] = ""


@categories("a constant column", SAID, "column 'size': all 23 values are '20.0'")
def _(f: Files) -> None:
    for row in f.clinical:
        row["size"] = 20.0


@categories("a cut that leaves one group", SAID, "column 'ki67': all 23 values are 'low'")
def _(f: Files) -> None:
    f.study["columns"]["ki67"]["cut"] = 90


@categories("a level without patients", SAID, "no patient has the level 'unknown'")
def _(f: Files) -> None:
    f.study["columns"]["er"]["levels"]["unknown"] = "unknown"


# identifiers
def renamed(f: Files, change, name: str = "features.csv") -> None:
    cells(f, "patient_id", lambda i, cell: change(cell), name)


identifiers("a space behind an identifier")(lambda f: renamed(f, lambda cell: f"{cell} "))
identifiers("another case in one table", REFUSED, "nearly 'P001' (upper and lower case)")(
    lambda f: renamed(f, str.lower)
)
identifiers("other separators in one table", REFUSED, "is nearly 'P-001'")(
    lambda f: (
        renamed(f, lambda cell: cell.replace("P", "P-"), "clinical.csv"),
        renamed(f, lambda cell: cell.replace("P", "P_")),
    )
)
identifiers("leading zeros lost in one table", REFUSED, "nearly '001' (leading zeros)")(
    lambda f: (renamed(f, lambda cell: cell[1:], "clinical.csv"), renamed(f, lambda cell: str(int(cell[1:]))))
)
identifiers("identifiers that became 1.0 in one table", REFUSED, "(a decimal .0)")(
    lambda f: (
        renamed(f, lambda cell: str(int(cell[1:])), "clinical.csv"),
        renamed(f, lambda cell: f"{int(cell[1:])}.0"),
    )
)


@identifiers("leading zeros by a number format of XLSX (00123)")
def _(f: Files) -> None:
    def change(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 1).value = int(sheet.cell(row, 1).value[1:])
            sheet.cell(row, 1).number_format = '"P"000'

    f.workbook(change)


@identifiers("`P1` beside `p1` in one table", REFUSED, "'p003' beside 'P003'")
def _(f: Files) -> None:
    f.csv("clinical.csv", [*f.clinical, {**f.clinical[2], "patient_id": "p003"}])


@identifiers("`P3` beside `P003` in one table", REFUSED, "'P3' beside 'P003'")
def _(f: Files) -> None:
    f.csv("clinical.csv", [*f.clinical, {**f.clinical[2], "patient_id": "P3"}])


identifiers("a patient twice", REFUSED, "the patient in row 4 already")(
    lambda f: f.csv("clinical.csv", [*f.clinical, f.clinical[2]])
)
identifiers("a patient twice in the features", REFUSED, "the patient twice with the same reader")(
    lambda f: f.csv("features.csv", [*f.features, f.features[2]])
)
identifiers("an empty identifier", REFUSED, "an empty cell in a row that is not empty")(
    lambda f: one(f, "patient_id", "")
)
identifiers("an identifier with a slash", REFUSED, "letters, digits")(
    lambda f: (one(f, "patient_id", "P/3"), one(f, "patient_id", "P/3", name="features.csv"))
)
identifiers("patients without features", LEAVE, "No features in the feature table")(
    lambda f: f.csv("features.csv", [row for i, row in enumerate(f.features) if i not in (1, 2)])
)
identifiers("features without a patient", REFUSED, "a patient who is not in the participants table")(
    lambda f: f.csv("features.csv", [*f.features, {**f.features[0], "patient_id": "P099"}])
)


@identifiers("two lesions of one woman", SAID, "look like one person")
def _(f: Files) -> None:
    for i, (row, other) in enumerate(zip(f.clinical, f.features, strict=True)):
        row["patient_id"] = other["patient_id"] = f"P{i // 2:03d}_{'LR'[i % 2]}"


# several tables
def split(f: Files, **more) -> None:
    f.csv("clinical.csv", [{k: v for k, v in row.items() if k not in ("er", "ki67")} for row in f.clinical])
    f.csv(
        "pathology.tsv",
        [{"patient_id": row["patient_id"], "er": row["er"], "ki67": row["ki67"]} for row in f.clinical][::-1],
        sep="\t",
    )
    f.cohort["participants"].append({"file": "pathology.tsv", **more})


tables("columns in a second table")(split)


@tables("patients missing in a second table", REFUSED, "no row for 1 of 24 patients (P001)")
def _(f: Files) -> None:
    split(f)
    csv_file(
        [{"patient_id": r["patient_id"], "er": r["er"], "ki67": r["ki67"]} for r in f.clinical[1:]],
        f.data / "pathology.tsv",
        sep="\t",
    )


@tables("patients missing in an optional table", SAID, "1 patients have no row")
def _(f: Files) -> None:
    split(f, optional=True)
    csv_file(
        [{"patient_id": r["patient_id"], "er": r["er"], "ki67": r["ki67"]} for r in f.clinical[1:]],
        f.data / "pathology.tsv",
        sep="\t",
    )
    f.clinical[0] |= {"er": "", "ki67": ""}


@tables("further patients in a second table", SAID, "are in no other table and are left out")
def _(f: Files) -> None:
    split(f)
    more = [*f.clinical, {**f.clinical[0], "patient_id": "X9"}]
    csv_file(
        [{"patient_id": r["patient_id"], "er": r["er"], "ki67": r["ki67"]} for r in more],
        f.data / "pathology.tsv",
        sep="\t",
    )


@tables("identifiers in another case in an optional table", REFUSED, "(upper and lower case)")
def _(f: Files) -> None:
    split(f, optional=True)
    csv_file(
        [{"patient_id": r["patient_id"].lower(), "er": r["er"], "ki67": r["ki67"]} for r in f.clinical],
        f.data / "pathology.tsv",
        sep="\t",
    )


def disagreeing(f: Files, **more) -> None:
    csv_file(
        [{"patient_id": r["patient_id"], "age": r["age"] + (i == 7)} for i, r in enumerate(f.clinical)],
        f.data / "second.csv",
    )
    f.cohort["participants"].append({"file": "second.csv", **more})


tables("two tables that disagree in one patient", REFUSED, "patient P008, column 'age'")(disagreeing)


@tables(
    "two tables that disagree, one of them preferred",
    SAID,
    "differs from an earlier table in 1 patients and is preferred",
)
def _(f: Files) -> None:
    disagreeing(f, prefer=["age"])
    f.csv("clinical.csv")
    f.clinical[7]["age"] += 1


@tables("two tables that agree, one with empty cells")
def _(f: Files) -> None:
    csv_file([{"patient_id": r["patient_id"], "age": float(r["age"])} for r in f.clinical], f.data / "second.csv")
    f.csv("clinical.csv", [{**r, "age": "" if i == 3 else r["age"]} for i, r in enumerate(f.clinical)])
    f.cohort["participants"].append({"file": "second.csv"})


def hospitals(f: Files, second, at: int = 10, **more) -> None:
    f.csv("clinical.csv", f.clinical[:at])
    csv_file(second(f.clinical[at:]), f.data / "second.csv", sep=";", decimal=",")
    f.cohort["participants"].append({"file": "second.csv", "append": True, **more})


tables("a second hospital's patients in a separate file, by another separator")(
    lambda f: hospitals(f, lambda rows: rows)
)


@tables("a second hospital's file without a column for the centre")
def _(f: Files) -> None:
    for i, row in enumerate(f.clinical):
        row["centre"] = "north" if i < 14 else "south"
    f.cohort["columns"] = {}
    hospitals(
        f,
        lambda rows: [{k: v for k, v in row.items() if k != "centre"} for row in rows],
        at=14,
        constants={"centre": "south"},
    )


tables("a patient in two hospitals' files", REFUSED, "the patient in an earlier table")(
    lambda f: hospitals(f, lambda rows: [*rows, f.clinical[0]])
)


def feature_tables(f: Files, second, **more) -> None:
    f.csv("features.csv", [{k: v for k, v in row.items() if k != "f3"} for row in f.features])
    csv_file(second([{k: row[k] for k in ("patient_id", "f3")} for row in f.features]), f.data / "second.csv")
    f.cohort["features"]["further"] = [{"file": "second.csv", **more}]


tables("features of a second program in a separate file")(lambda f: feature_tables(f, lambda rows: rows[::-1]))
tables("features of a second program that lack a patient", REFUSED, "no row for 1 of 24 patients and readers (P001)")(
    lambda f: feature_tables(f, lambda rows: rows[1:])
)
tables("two feature tables that disagree", REFUSED, "patient P001, column 'f0'")(
    lambda f: feature_tables(f, lambda rows: [row | {"f0": 1} for row in rows])
)


@tables("features of a second hospital in a separate file")
def _(f: Files) -> None:
    f.csv("features.csv", f.features[:10])
    csv_file(f.features[10:], f.data / "second.csv", sep=";", decimal=",")
    f.cohort["features"]["further"] = [{"file": "second.csv", "append": True}]


@tables("features of a second hospital that lack one", REFUSED, "a feature that this table lacks")
def _(f: Files) -> None:
    f.csv("features.csv", f.features[:10])
    csv_file([{k: v for k, v in row.items() if k != "f2"} for row in f.features[10:]], f.data / "second.csv")
    f.cohort["features"]["further"] = [{"file": "second.csv", "append": True}]


# manifest and names of files
names("a manifest in TSV")(lambda f: f.images())
names("patients without images", LEAVE, "No images")(lambda f: f.images(lambda rows: rows.__delitem__(slice(0, 2))))
names("an image without a patient", REFUSED, "a patient who is not in the participants table")(
    lambda f: f.images(lambda rows: rows.append({**rows[0], "patient_id": "P099"}))
)
names("a patient in another case", REFUSED, "nearly 'P003' (upper and lower case)")(
    lambda f: f.images(lambda rows: rows[2].update(patient_id="p003"))
)
names("an image twice", REFUSED, "sequence T1, reader 1, region tumour twice")(
    lambda f: f.images(lambda rows: rows.append(rows[0]))
)
names("a sequence in another case", REFUSED, "'t1' beside 'T1'")(
    lambda f: f.images(lambda rows: rows[3].update(sequence="t1"))
)
names("an empty image", REFUSED, "column 'image': found an empty cell")(
    lambda f: f.images(lambda rows: rows[3].update(image=""))
)
names("a path out of the data's folder", REFUSED, "a path below the data's folder")(
    lambda f: f.images(lambda rows: rows[3].update(image="../P003.nrrd"))
)


@names("a manifest in XLSX that the cohort file names")
def _(f: Files) -> None:
    f.images()
    pd.read_csv(f.data / "images.tsv", sep="\t").to_excel(f.data / "manifest.xlsx", index=False)
    (f.data / "images.tsv").unlink()
    f.cohort["manifest"] = {"file": "manifest.xlsx"}


@names("a folder with decomposed accents (Mac), composed in the manifest", SAID, "accents composed otherwise")
def _(f: Files) -> None:
    f.images(lambda rows: rows[0].update(mask="Läsionen/P001.nrrd"))
    folder = f.data / unicodedata.normalize("NFD", "Läsionen")
    folder.mkdir()
    (folder / "P001.nrrd").touch()


PATTERN = "imagesTr/{patient}_{sequence}.nii.gz"
names("files by pattern")(lambda f: f.found(lambda p: f"imagesTr/{p}_0000.nii.gz", PATTERN))


@names("identifiers with the pattern's separator (nnU-Net: B_003_0000)")
def _(f: Files) -> None:
    for row in f.clinical[::2]:
        row["patient_id"] = row["patient_id"].replace("P", "B_")
    f.found(lambda p: f"imagesTr/{p}_0000.nii.gz", PATTERN)


@names("files of a sequence that is not named", SAID, "1 files fit a pattern but no sequence")
def _(f: Files) -> None:
    f.found(lambda p: f"imagesTr/{p}_0000.nii.gz", PATTERN)
    (f.data / "imagesTr/P001_0001.nii.gz").touch()


@names("hidden files and those of a Mac (`._P001_0000.nii.gz`)")
def _(f: Files) -> None:
    f.found(lambda p: f"imagesTr/{p}_0000.nii.gz", PATTERN)
    (f.data / "imagesTr/._P001_0000.nii.gz").touch()
    (f.data / "imagesTr/.DS_Store").touch()


@names("a patient's file in another place", LEAVE, "No images")
def _(f: Files) -> None:
    f.found(lambda p: f"imagesTr/{p}_0000.nii.gz", PATTERN)
    for number in ("P002", "P003"):
        shutil.move(f.data / f"imagesTr/{number}_0000.nii.gz", f.data / f"{number}.nii.gz")
