"""Write the two artificial cohorts of the statistics tests: no random generator, no patient, only formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

HERE = Path(__file__).parent


def uniform(n: int, stream: int) -> np.ndarray:
    """Well-mixed numbers in (0, 1) from a sine: the same on every machine to the digits kept."""
    i = np.arange(1, n + 1)
    return np.clip(np.abs(np.sin(12.9898 * i + 78.233 * stream) * 43758.5453) % 1, 0.001, 0.999)


def cohort(n: int, shift: float, offset: int) -> pd.DataFrame:
    """A cohort of ``n`` rows; ``shift`` moves the prevalence, ``offset`` the streams."""
    u = [uniform(n, offset + k) for k in range(14)]
    z = [ndtri(x) for x in u]
    grade = np.select([u[0] < 0.3, u[0] < 0.7], ["I", "II"], "III")
    er = (u[1] < 0.55).astype(int)
    age = np.round(51 + 9 * z[2])
    latent = 0.9 * z[3] + 0.03 * (age - 51) + 0.5 * (grade == "III") - 0.4 * er + shift
    label = (u[4] < expit(latent)).astype(int)
    score_a = np.round(0.8 * z[3] + 0.6 * z[5], 3)
    time = np.ceil(60 * -np.log(u[9]) / np.exp(0.5 * label))  # whole months: ties
    table = pd.DataFrame(
        {
            "label": label,
            "score_a": score_a,  # nearly no ties
            "score_b": np.round(0.5 * z[3] + 0.9 * z[6], 1),  # ties
            "score_c": np.digitize(0.3 * z[3] + z[7], [-1, 0, 1]) + 1,  # four values
            "age": age,
            "grade": grade,
            "er": er,
            "lesion": np.where((label == 1) & (u[8] < 0.35), 1, 0),  # 1 only with events: quasi-separation
            "rare": np.select([u[10] < 0.08, u[10] < 0.2], ["a", "b"], "c"),  # small expected counts
            "skewed": np.round(np.exp(1 + 0.9 * z[11] + 0.4 * label), 2),
            "time": np.minimum(time, 96),
            "event": (time <= 96).astype(int),
            "reader_2": np.round(score_a + 0.3 * z[12] + 0.15, 3),
            "reader_3": np.round(0.9 * score_a + 0.4 * z[13], 3),
        }
    )
    return table


if __name__ == "__main__":
    cohort(65, 0.55, 0).to_csv(HERE / "small.csv", index=False)
    cohort(150, -1.75, 40).to_csv(HERE / "rare_events.csv", index=False)
