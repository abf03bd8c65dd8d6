"""Files, headings, rows and numbers that differ from right ones by one thing."""

from __future__ import annotations

import datetime as dt
import gzip
from functools import partial

from table_kinds import REFUSED, SAID, Files, frame, kind, ods_file

file, rows_of, numbers = partial(kind, 0), partial(kind, 1), partial(kind, 2)


def by_line(change):
    """A change of a text, line by line: number and text of a line to its new text."""

    def changed(text: str) -> str:
        return "\n".join(change(i, line) for i, line in enumerate(text.splitlines())) + "\n"

    return changed


# the file
@file("semicolons and decimal commas (Excel in half of Europe)", SAID, "separated by semicolons")
def _(f: Files) -> None:
    f.csv("clinical.csv", sep=";", decimal=",")
    f.csv("features.csv", sep=";", decimal=",")


@file("tabs in a file called .csv", SAID, "separated by tabs")
def _(f: Files) -> None:
    f.csv("clinical.csv", sep="\t")


@file("commas in a file called .tsv", SAID, "separated by commas")
def _(f: Files) -> None:
    f.csv("clinical.tsv")
    f.clinical_table("clinical.tsv")


@file("vertical bars as separators", SAID, "vertical bars")
def _(f: Files) -> None:
    f.csv("clinical.csv", sep="|")


@file("Excel's line `sep=;` above the headings")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: "sep=,\n" + text)


file("UTF-8 with a byte-order mark")(lambda f: f.csv("clinical.csv", encoding="utf-8-sig"))
file("UTF-16", SAID, "UTF-16")(lambda f: f.csv("clinical.csv", encoding="utf-16"))
file("UTF-16 without a mark", SAID, "UTF-16-LE")(lambda f: f.csv("clinical.csv", encoding="utf-16-le"))


def note(f: Files, text: str) -> list:
    return [{**row, "note": text} for row in f.clinical]


file("Windows-1252, a remark *Größe*", SAID, "Windows-1252")(
    lambda f: f.csv("clinical.csv", note(f, "Größe"), encoding="cp1252")
)
file("GB18030, a remark in Chinese", SAID, "GB18030")(
    lambda f: f.csv("clinical.csv", note(f, "患者同意随访治疗良好"), encoding="gb18030")
)


@file("an encoding that is none of these (Cyrillic, KOI8-R)", REFUSED, "name the encoding")
def _(f: Files) -> None:
    f.csv("clinical.csv", note(f, "Опухоль левой груди"), encoding="koi8-r")


@file("another encoding that the cohort file names", SAID, "as the cohort file says")
def _(f: Files) -> None:
    f.csv("clinical.csv", note(f, "Опухоль левой груди"), encoding="koi8-r")
    f.clinical_table("clinical.csv", encoding="koi8-r")


@file("line ends of Windows, or of an old Mac")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: text)
    path = f.data / "clinical.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path = f.csv("features.csv")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r"))


@file("compressed by gzip")
def _(f: Files) -> None:
    path = f.csv("clinical.csv")
    (f.data / "clinical.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    f.clinical_table("clinical.csv.gz")


@file("a compressed file that is cut off", REFUSED, "a broken gzip file")
def _(f: Files) -> None:
    (f.data / "clinical.csv.gz").write_bytes(gzip.compress(f.csv("clinical.csv").read_bytes())[:-40])
    f.clinical_table("clinical.csv.gz")


file("XLSX")(lambda f: f.workbook())
file("XLSX called .csv")(lambda f: f.workbook(name="clinical.csv"))


@file("ODS (LibreOffice)")
def _(f: Files) -> None:
    ods_file(f.clinical, f.data / "clinical.ods")
    f.clinical_table("clinical.ods")


@file("Parquet")
def _(f: Files) -> None:
    frame(f.clinical).to_parquet(f.data / "clinical.parquet")
    f.clinical_table("clinical.parquet")


@file("Parquet with the identifier as its index, and numbers with empty cells")
def _(f: Files) -> None:
    table = frame(f.clinical).set_index("patient_id")
    table["age"] = table["age"].astype(float)
    table.to_parquet(f.data / "clinical.parquet")
    f.clinical_table("clinical.parquet")


@file("a workbook of the old kind (XLS)", REFUSED, "save it as XLSX")
def _(f: Files) -> None:
    (f.data / "clinical.csv").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))


@file("a workbook that is cut off", REFUSED, "a workbook that cannot be read")
def _(f: Files) -> None:
    f.workbook()
    path = f.data / "clinical.xlsx"
    path.write_bytes(path.read_bytes()[:-200])


file("an empty file", REFUSED, "an empty file")(lambda f: (f.data / "clinical.csv").write_bytes(b"\n"))
file("headings and no patient", REFUSED, "no row below the headings")(
    lambda f: f.text("clinical.csv", lambda text: text.splitlines()[0] + "\n")
)
file("a file that is not there", REFUSED, "no such file")(lambda f: f.clinical_table("klinik.csv"))


@file("a sheet in front without patients", SAID, "sheet 'Patients' of 2 is read")
def _(f: Files) -> None:
    def change(sheet) -> None:
        legend = sheet.parent.create_sheet("Legend", 0)
        legend["A1"] = "pcr: pathological complete response"

    f.workbook(change)


@file("two sheets with patients", REFUSED, "'sheet: …'")
def _(f: Files) -> None:
    f.workbook(lambda sheet: sheet.parent.copy_worksheet(sheet))


# headings and rows
@rows_of("a heading twice (age), in CSV", REFUSED, "found the column twice (D and I)")
def _(f: Files) -> None:
    f.text("clinical.csv", by_line(lambda i, line: line + (",age" if i == 0 else ",99")))


@rows_of("a heading twice (age), in XLSX", REFUSED, "found the column twice (D and I)")
def _(f: Files) -> None:
    def change(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 9, 99)
        sheet.cell(1, 9, "age")

    f.workbook(change)


@rows_of("a heading twice that the study does not use")
def _(f: Files) -> None:
    f.text("clinical.csv", by_line(lambda i, line: line + (",x,x" if i == 0 else ",1,2")))


@rows_of("a feature twice", REFUSED, "found the column twice")
def _(f: Files) -> None:
    f.text("features.csv", lambda text: text.replace("f3", "f2", 1))


@rows_of("row numbers without a heading in front (pandas)", SAID, "column A has no heading and is left out")
def _(f: Files) -> None:
    f.text("features.csv", by_line(lambda i, line: f"{i - 1 if i else ''},{line}"))


@rows_of("row names without their heading (R's write.table)", REFUSED, "6 cells")
def _(f: Files) -> None:
    f.text("features.csv", by_line(lambda i, line: line if i == 0 else f"{i},{line}"))


rows_of("a separator at the end of each line")(
    lambda f: f.text("clinical.csv", lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1))
)
rows_of("rows of separators alone at the end")(lambda f: f.text("features.csv", lambda text: text + ",,,,\n" * 3))
rows_of("blank lines between the rows")(lambda f: f.text("clinical.csv", lambda text: text.replace("\n", "\n\n")))
rows_of("a comma in a text without quotation marks", REFUSED, "'no consent' beyond the last heading")(
    lambda f: f.text("clinical.csv", lambda text: text.replace("male\n", "male,no consent\n"))
)
rows_of("a row that is too short", REFUSED, "row 4")(
    lambda f: f.text("features.csv", by_line(lambda i, line: line.rsplit(",", 1)[0] if i == 3 else line))
)


@rows_of("a quotation mark that is not closed", REFUSED, "quotation mark")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: text.replace("P003,", '"P003,', 1))


@rows_of("two stray quotation marks that swallow rows", REFUSED, "a cell that holds whole rows")
def _(f: Files) -> None:
    def change(text: str) -> str:
        lines = text.splitlines()
        lines = [
            line + "," + ("note" if i == 0 else '"x' if i == 3 else 'x"' if i == 6 else "x")
            for i, line in enumerate(lines)
        ]
        return "\n".join(lines) + "\n"

    f.text("clinical.csv", change)


rows_of("a text with a comma in quotation marks")(
    lambda f: f.text("clinical.csv", by_line(lambda i, line: line + (",note" if i == 0 else ',"a, ""b"""')))
)
rows_of("the headings once more in the middle", REFUSED, "the headings once more")(
    lambda f: f.text("clinical.csv", lambda text: text.replace("P010,", text.splitlines()[0] + "\nP010,", 1))
)


@rows_of("a title above the headings", SAID, "the headings are in row 3")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: "Breast MRI 2024\n\n" + text)


@rows_of("a line of units below the headings", SAID, "a line of the headings")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: text.replace("\n", "\n,,0/1 coded,years,mm,percent,,\n", 1))


rows_of("a sum below the patients", REFUSED, "row 26, column 'patient_id'")(
    lambda f: f.text("clinical.csv", lambda text: text + ",,8,52,30,20,,\n")
)


@rows_of("a sum below the patients that the cohort file skips")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: text + ",,8,52,30,20,,\n")
    f.clinical_table("clinical.csv", skip=[26])


@rows_of("a heading merged over two columns", REFUSED, "a heading merged over the columns D to E")
def _(f: Files) -> None:
    f.workbook(lambda sheet: sheet.merge_cells("D1:E1"))


@rows_of("group headings above the headings, merged", SAID, "the headings are in row 2")
def _(f: Files) -> None:
    def change(sheet) -> None:
        sheet.insert_rows(1)
        sheet["A1"], sheet["D1"] = "Patient", "Tumour"
        sheet.merge_cells("D1:E1")

    f.workbook(change)


@rows_of("headings in two rows that the cohort file names")
def _(f: Files) -> None:
    def change(sheet) -> None:
        sheet.insert_rows(1)
        for column in range(1, 9):
            sheet.cell(1, column, sheet.cell(2, column).value)
        sheet["D1"], sheet["D2"], sheet["E2"] = "Exam", "age", "size"
        sheet["E1"] = None
        sheet.merge_cells("D1:E1")

    f.workbook(change)
    f.clinical_table("clinical.xlsx", header=[1, 2])
    f.cohort["columns"] = {"age": {"source": "Exam age"}, "size": {"source": "Exam size"}}


rows_of("cells merged over two patients", REFUSED, "merged cells B3 to B4")(
    lambda f: f.workbook(lambda sheet: sheet.merge_cells("B3:B4"))
)


def hide(sheet) -> None:
    sheet.row_dimensions[5].hidden = True


rows_of("hidden rows in XLSX", REFUSED, "hidden or filtered away")(lambda f: f.workbook(hide))


@rows_of("filtered rows in ODS", REFUSED, "hidden or filtered away")
def _(f: Files) -> None:
    ods_file(
        f.clinical, f.data / "clinical.ods", row_style=lambda row: ' table:visibility="filter"' if row == 5 else ""
    )
    f.clinical_table("clinical.ods")


@rows_of("hidden rows that the cohort file has read")
def _(f: Files) -> None:
    f.workbook(hide)
    f.clinical_table("clinical.xlsx", hidden="read")


@rows_of("a hidden column in XLSX", SAID, "hidden columns are read")
def _(f: Files) -> None:
    def change(sheet) -> None:
        sheet.column_dimensions["D"].hidden = True

    f.workbook(change)


@rows_of("formulas without stored values", REFUSED, "formulas without a stored value")
def _(f: Files) -> None:
    def change(sheet) -> None:
        sheet["D3"] = "=20+30"

    f.workbook(change)


@rows_of("no identifier column", REFUSED, "Did you mean 'patient'?")
def _(f: Files) -> None:
    f.text("clinical.csv", lambda text: text.replace("patient_id", "patient", 1))


rows_of("columns in another order")(
    lambda f: f.csv("clinical.csv", [dict(reversed(row.items())) for row in f.clinical])
)
rows_of("rows in another order")(lambda f: f.csv("clinical.csv", f.clinical[::-1]))
rows_of("spaces around headings and cells")(lambda f: f.text("clinical.csv", lambda text: text.replace(",", " , ")))


# numbers and dates
def cell(f: Files, column: str, value, row: int = 2, name: str = "clinical.csv") -> None:
    table = f.clinical if name == "clinical.csv" else f.features
    table[row][column] = value
    f.csv(name, table)


numbers("decimal commas in a column of a CSV, in quotation marks")(
    lambda f: f.csv("clinical.csv", [{**row, "size": f'"{row["size"]}"'.replace(".", ",")} for row in f.clinical])
)
numbers("a decimal comma among points", REFUSED, "found '12,5'")(lambda f: cell(f, "size", '"12,5"'))
numbers("a thousands separator", REFUSED, "found '1,234.5'")(lambda f: cell(f, "size", '"1,234.5"'))


@numbers("numbers such as 1,234 that could be either", REFUSED, "can be read in one way")
def _(f: Files) -> None:
    f.csv(
        "features.csv",
        [{"patient_id": r["patient_id"], "f0": f'"1,{i + 100}"', "f1": i} for i, r in enumerate(f.features)],
    )


@numbers("numbers such as 1,234 whose decimal sign the cohort file names")
def _(f: Files) -> None:
    for row in f.features:
        row["f0"] = round(row["f0"], 3) + 1e-12
    text = [{**r, "f0": f'"{r["f0"]:.3f}"'.replace(".", ",")} for r in f.features]
    f.csv("features.csv", text)
    f.cohort["features"]["table"]["decimal"] = ","
    f.features = [{**r, "f0": float(f"{r['f0']:.3f}")} for r in f.features]


numbers("a unit in the cell", REFUSED, "found '45 years'")(lambda f: cell(f, "age", "45 years"))
numbers("a comparison in the cell", REFUSED, "found '<20'")(lambda f: cell(f, "ki67", "<20"))
numbers("per cent signs in the whole column")(
    lambda f: f.csv("clinical.csv", [{**row, "ki67": f"{row['ki67']}%"} for row in f.clinical])
)
numbers("a per cent sign in one cell", REFUSED, "in every cell of the column, or in none")(
    lambda f: cell(f, "ki67", "25%")
)


@numbers("percentages of XLSX, shown as 25%")
def _(f: Files) -> None:
    def change(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 6).value /= 100
            sheet.cell(row, 6).number_format = "0%"

    f.workbook(change)


@numbers("percentages of ODS")
def _(f: Files) -> None:
    ods_file(f.clinical, f.data / "clinical.ods", percent="ki67")
    f.clinical_table("clinical.ods")


@numbers("a number format that shows words", REFUSED, "shown as")
def _(f: Files) -> None:
    def change(sheet) -> None:
        sheet["D3"].number_format = '"young"'

    f.workbook(change)


numbers("999 for a missing age", REFUSED, "'missing: [999]'")(lambda f: cell(f, "age", 999))


@numbers("999 for a missing age that the protocol declares")
def _(f: Files) -> None:
    cell(f, "age", 999)
    f.clinical[2]["age"] = ""
    f.study["columns"]["age"]["missing"] = [999, -9]


@numbers("an age beyond the declared range", REFUSED, "a number from 18 to 100")
def _(f: Files) -> None:
    cell(f, "age", 440)
    f.study["columns"]["age"]["range"] = [18, 100]


numbers("infinity in a feature", REFUSED, "found 'inf'")(lambda f: cell(f, "f1", "inf", name="features.csv"))
numbers("text in a feature", REFUSED, "found 'high'")(lambda f: cell(f, "f1", "high", name="features.csv"))


def dated(f: Files, shown) -> None:
    f.study["partitions"] = {"kind": "random", "training": 0.6, "external_from": "2021-06-01"}
    for i, row in enumerate(f.clinical):
        row["mri_date"] = (dt.date(2019, 1, 1) + dt.timedelta(days=45 * i)).isoformat()
    f.csv("clinical.csv", [{**row, "mri_date": shown(dt.date.fromisoformat(row["mri_date"]))} for row in f.clinical])


numbers("dates with a time")(lambda f: dated(f, lambda day: f"{day.isoformat()}T08:30:00"))
numbers("dates as day, month, year", REFUSED, "a date as YYYY-MM-DD")(lambda f: dated(f, lambda day: f"{day:%d.%m.%Y}"))
numbers("dates as month, day, year", REFUSED, "a date as YYYY-MM-DD")(lambda f: dated(f, lambda day: f"{day:%m/%d/%Y}"))
numbers("a spreadsheet's number for a date", REFUSED, "format the cells as dates")(
    lambda f: dated(f, lambda day: (day - dt.date(1899, 12, 30)).days)
)


@numbers("date cells of XLSX")
def _(f: Files) -> None:
    dated(f, lambda day: day.isoformat())

    def change(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 9).value = dt.datetime.fromisoformat(sheet.cell(row, 9).value)
            sheet.cell(row, 9).number_format = "dd.mm.yyyy"

    f.workbook(change)


@numbers("numbers kept as text in XLSX")
def _(f: Files) -> None:
    def change(sheet) -> None:
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 4).value = str(sheet.cell(row, 4).value)
            sheet.cell(row, 4).number_format = "@"

    f.workbook(change)
