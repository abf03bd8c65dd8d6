"""Tables for a trained model that differ from right ones by one thing: what comes of them is the table that is predicted."""

from __future__ import annotations

from functools import partial

import pandas as pd
from table_kinds import REFUSED, SAID, Files, csv_file, kind

prediction = partial(kind, 7)


def both(f: Files, people=lambda row: row, measured=lambda row: row, **how) -> None:
    csv_file([people(dict(row)) for row in f.clinical], f.data / "new.csv", **how)
    csv_file([measured(dict(row)) for row in f.features], f.data / "new_features.csv", **how)


prediction("CSV")(both)
prediction("semicolons and decimal commas", SAID, "separated by semicolons")(lambda f: both(f, sep=";", decimal=","))
prediction("Windows-1252 with a remark *Größe*", SAID, "Windows-1252")(
    lambda f: both(f, people=lambda row: row | {"note": "Größe"}, encoding="cp1252")
)
prediction("a space behind the identifiers")(
    lambda f: both(f, people=lambda row: row | {"patient_id": f"{row['patient_id']} "})
)
prediction("identifiers in another case", REFUSED, "(upper and lower case)")(
    lambda f: both(f, people=lambda row: row | {"patient_id": row["patient_id"].lower()})
)
prediction("text in a feature", REFUSED, "found 'high'")(
    lambda f: both(f, measured=lambda row: row | {"f1": "high"} if row["patient_id"] == "P004" else row)
)
prediction("text in a feature that the model does not use")(
    lambda f: both(f, measured=lambda row: row | {"f9": "high"})
)


@prediction("XLSX")
def _(f: Files) -> None:
    both(f)
    for name in ("new", "new_features"):
        pd.read_csv(f.data / f"{name}.csv").to_excel(f.data / f"{name}.xlsx", index=False)
        (f.data / f"{name}.csv").unlink()


@prediction("a participant without features", REFUSED, "no row of reader 1")
def _(f: Files) -> None:
    both(f)
    csv_file(f.features[1:], f.data / "new_features.csv")


@prediction(
    "features of somebody who is not asked for", SAID, "patient P024 is left out: not in the participants table"
)
def _(f: Files) -> None:
    both(f)
    f.clinical = f.clinical[:-1]
    csv_file(f.clinical, f.data / "new.csv")
