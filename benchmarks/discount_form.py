"""What the discount's intervals cover where the form of the calibration, too, is chosen without the left-out data set.

.venv/bin/python benchmarks/discount_form.py    # a table of docs/discount.md; 2 CPU minutes
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from her2radiomics.evidence.discount import read_benchmark
from her2radiomics.evidence.discount.calibration import (
    LEVEL,
    Form,
    Rows,
    area_of,
    grouped,
    judged,
    left_out_scores,
    width,
)

#: Forms of the relation that could have been chosen: every set of covariates, three penalties, three least shares.
FORMS = tuple(
    Form(chosen, ridge, unexplained)
    for size in range(4)
    for chosen in combinations(("n", "share", "features"), size)
    for ridge in ((0.1, 0.5, 2.0) if size else (0.5,))
    for unexplained in (0.05, 0.1, 0.2)
)


def interval_score(rows: Rows, form: Form, level: float = LEVEL) -> float:
    """Mean interval score of left-out data sets in AUC (Gneiting and Raftery 2007), each counting the same."""
    found = left_out_scores(rows, form=form)
    reach = width(found, level) * (found["error"].abs() / found["score"]).to_numpy()
    low, high = (area_of(found["expected"].to_numpy() + side * reach) for side in (-1, 1))
    seen = area_of(rows.new)
    beyond = np.maximum(low - seen, 0) + np.maximum(seen - high, 0)
    score = pd.Series(high - low + 2 / (1 - level) * beyond)
    return float(score.groupby(found["dataset"]).mean().mean())


def form_chosen_anew(table: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """As ``coverage``, but for each left-out data set the form too is chosen on the others: that of the least score."""
    found = []
    for name in sorted(set(table["dataset"])):
        rest = table[table["dataset"] != name]
        scores = {
            form: np.mean([interval_score(rows, form, level) for _, rows in grouped(rest, form)]) for form in FORMS
        }
        form = min(FORMS, key=lambda form: scores[form])
        others = dict(grouped(rest, form))
        for key, own in grouped(table[table["dataset"] == name], form):
            found.append(judged(own, others[key], level, form).assign(chain=key[0], order=key[1], form=str(form)))
    return pd.concat(found, ignore_index=True)


def anew(table: pd.DataFrame) -> Iterator[str]:
    """Lines on left-out data sets where the form is chosen anew without each of them."""
    seen = form_chosen_anew(table)
    yield "| chain | order | covered | data sets covered in under half | expected is off by |\n|---|---|--:|--:|--:|"
    for key, part in seen.groupby(["chain", "order"], sort=False):
        few = f"{int((part['covered'] < 0.5).sum())} of {len(part)}"
        words = f"{part['covered'].mean():.0%} | {few} | {part['missed'].mean():.3f}"
        yield f"| `{key[0]}` | {key[1].replace('_', ' ')} | {words} |"
    yield ""
    for form, count in seen.groupby("dataset")["form"].first().value_counts().items():
        yield f"{count} of {seen['dataset'].nunique()}: {form}"


if __name__ == "__main__":
    print("\n".join(anew(read_benchmark())))
