"""Simulated cohorts do not contradict themselves, and the significances that the papers print come out in most seeds."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from her2radiomics.cohort.outcome import labels_of
from her2radiomics.core.layout import Layout
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.core.tables import read_text
from her2radiomics.simulation import Roster, roster
from her2radiomics.study.protocol import Protocol

ROOT = Path(__file__).resolve().parents[2]
STUDIES = ("her2_equivocal", "her2_nomogram", "her2_peritumoral", "nat_response")
DEFAULT_SEED = read_yaml(ROOT / "config.yaml")["seed"]
COHORTS = [(study, size) for study in STUDIES for size in ("demo", "published")]
HER2 = ("her2_equivocal", "her2_nomogram", "her2_peritumoral")
#: What no image shows; every other characteristic of a lesion is measured on what is planted or driven by it.
NOT_SEEN = {"menopausal_status", "regimen", "grade", "er", "pr", "ki67"}

spec = importlib.util.spec_from_file_location("printed_significance", ROOT / "benchmarks/printed_significance.py")
benchmark = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark)


@cache
def protocol_of(study: str) -> Protocol:
    return validate(Protocol, read_yaml(ROOT / f"workflow/studies/{study}.yaml"), study)


@cache
def made(study: str, size: str, seed: int = DEFAULT_SEED) -> Roster:
    return roster(protocol_of(study).simulation, size=size, seed=seed)


def included(study: str, size: str, seed: int = DEFAULT_SEED) -> pd.DataFrame:
    """Participants with images, with the truth's traits and outcome beside them."""
    cohort = made(study, size, seed)
    table = cohort.participants.query("exclude_reason == ''").set_index("patient_id")
    truth = cohort.truth.set_index("patient_id").drop(columns="centre").add_prefix("true_")
    return table.join(truth)


@pytest.mark.parametrize(("study", "size"), COHORTS)
def test_everybody_is_an_adult_and_the_menopause_goes_with_age(study, size):
    table = made(study, size).participants
    age = table["age"].astype(float)
    assert age.between(18, 95).all()
    if "menopausal_status" in table:
        mean = age.groupby(table["menopausal_status"]).mean()
        assert mean["postmenopausal"] > mean["premenopausal"] + 3


@pytest.mark.parametrize(("study", "period"), [
    ("nat_response", ("2019-12-01", "2024-01-31")),
    ("her2_nomogram", ("2022-06-01", "2024-06-30")),
])  # fmt: skip
def test_dates_lie_in_the_printed_period(study, period):
    for size in ("demo", "published"):
        assert made(study, size).participants["mri_date"].between(*period).all()


def test_the_two_periods_of_her2_peritumoral_have_their_own_dates_and_ages():
    """Patients, page 3: July 2020 to December 2021, 52.1 ± 10.3; September 2024 to March 2025, 48.2 ± 10.3."""
    printed = {
        "first_period": ("2020-07-01", "2021-12-31", 52.1, 202),
        "later_period": ("2024-09-01", "2025-03-31", 48.2, 50),
    }
    for seed in (1, 2, DEFAULT_SEED):
        table = included("her2_peritumoral", "published", seed)
        for centre, (first, last, mean, n) in printed.items():
            own = table[table["centre"] == centre]
            assert len(own) == n and own["mri_date"].between(first, last).all()
            assert own["age"].astype(float).mean() == pytest.approx(mean, abs=3 * 10.3 / np.sqrt(n))


@pytest.mark.parametrize("size", ["demo", "published"])
def test_nobody_is_followed_beyond_the_closing_date_and_no_event_comes_out_of_order(size):
    settings = protocol_of("her2_nomogram").simulation.columns
    table = included("her2_nomogram", size)
    closed = pd.Timestamp(settings["follow_up"].until)
    months = table[["follow_up", "os_months", "pfs_months", "dfs_months"]].astype(float)
    died, progressed, recurred = (table[f"{end}_event"] == "1" for end in ("os", "pfs", "dfs"))
    potential = (closed - pd.to_datetime(table["mri_date"])).dt.days / (365.25 / 12)
    np.testing.assert_allclose(months["follow_up"], potential, atol=0.0501)
    assert (months > 0).all(axis=None) and months["follow_up"].min() > 12
    assert (months["pfs_months"] <= months["os_months"]).all()
    assert (months["os_months"] <= months["follow_up"]).all()
    assert progressed[died].all() and (progressed == (died | recurred)).all()
    visit = settings["dfs_months"].visit_months
    assert (months.loc[recurred, "dfs_months"] % visit == 0).all()  # seen at visits, the first after half a year
    assert months.loc[progressed, "pfs_months"].min() >= visit == 6
    assert months.loc[died, "os_months"].min() > visit
    assert (months.loc[~died, "os_months"] == months.loc[~died, "follow_up"]).all()


def test_follow_up_and_events_are_those_of_the_paper_and_of_a_non_metastatic_cohort():
    """Table 1: 24.81 ± 5.98 and 24.33 ± 6.96 months; the paper prints no number of events."""
    found = [included("her2_nomogram", "published", seed) for seed in (1, 2, 3)]
    table = pd.concat([t[t["centre"] == "study_centre"] for t in found])
    follow_up = table["follow_up"].astype(float)
    assert follow_up.mean() == pytest.approx((80 * 24.81 + 240 * 24.33) / 320, abs=0.7)  # SE 0.22
    assert follow_up.std() == pytest.approx(6.96, abs=0.4)
    share = table[["pfs_event", "os_event"]].astype(int).groupby(table["true_outcome"]).mean()
    assert (share["os_event"] < share["pfs_event"]).all()
    assert share.loc[0, "pfs_event"] < 0.12 and share.loc[1, "pfs_event"] < 0.36
    assert share.loc[0, "os_event"] < 0.07 and share.loc[1, "os_event"] < 0.25


def test_the_demos_tables_of_survival_agree_with_each_other(tmp_path):
    (run,) = benchmark.planned(DEFAULT_SEED, "demo", ["her2_nomogram"]).runs.values()
    people, layout = benchmark.enrolled(run), Layout(tmp_path)
    fitted = benchmark.write_models(run, people, benchmark.TRAINING, layout)
    benchmark.write_tables(run, people, fitted, layout)
    table = read_text("table", layout.path("table", table="table_s2_survival")).set_index(["group", "endpoint"])
    for _, rows in table.groupby("group"):
        ends = rows.droplevel("group")
        overall, free = ends.loc["Overall survival"], ends.loc["Progression-free survival"]
        assert int(overall["events"]) <= int(free["events"]) and overall["n"] == free["n"]
        for time in ("survival_at_12", "survival_at_24"):
            alive, without = (float(row[time].split(" ")[0]) for row in (overall, free))
            assert 0 < without <= alive <= 100
        for row in (overall, free):
            assert 12 < float(row["follow_up"].split(" ")[0]) < 36.5  # the longest anybody can be followed
    clinical = read_text("table", layout.path("table", table="table_1_clinical"))
    (row,) = clinical[clinical.iloc[:, 0].str.startswith("Follow-up")].to_dict("records")
    for group in ("label_0", "label_1"):
        mean, sd = map(float, row[group].split(" ± "))
        assert 18 < mean < 30 and 4 < sd < 9


@pytest.mark.parametrize(("study", "size"), [(study, size) for study, size in COHORTS if study in HER2])
def test_her2_status_follows_from_its_tests(study, size):
    protocol = protocol_of(study)
    table = included(study, size)
    status = labels_of(table.reset_index(), protocol.label, protocol.columns, study)
    assert (status.to_numpy() == table["true_outcome"].to_numpy()).all()
    assert ((table["fish_ratio"] != "") == (table["her2_ihc"] == "2+")).all()


@pytest.mark.parametrize("size", ["demo", "published"])
def test_response_is_graded_without_contradiction(size):
    table = included("nat_response", size)
    responded = table["true_outcome"] == 1
    assert ((table["miller_payne"] == "G5") == responded).all()
    assert (table.loc[~responded, "residual_dcis"] == "no").all()  # asked of grade 5 alone
    assert ((table["lesion_number"] == "multiple") == table["true_satellite"]).all()
    assert table["max_diameter"].astype(float).corr(table["true_max_diameter_mm"]) > 0.9


@pytest.mark.parametrize("study", ["her2_peritumoral", "her2_equivocal"])
def test_progesterone_without_oestrogen_receptors_is_rare(study):
    table = included(study, "published")
    assert ((table["er"] == "negative") & (table["pr"] == "positive")).mean() < 0.12


@pytest.mark.parametrize("study", STUDIES)
def test_what_a_reader_describes_is_driven_by_what_is_in_the_image(study):
    protocol = protocol_of(study)
    for name, column in protocol.simulation.columns.items():
        if column.kind == "categorical" and name not in NOT_SEEN:
            assert column.links, name


@pytest.mark.parametrize(("study", "column", "trait", "level"), [
    ("her2_nomogram", "type", "clumping", "nonmass"),
    ("her2_nomogram", "enhancement", "necrosis", "ring"),
    ("her2_peritumoral", "enhancement", "necrosis", "rim"),
    ("her2_peritumoral", "spiculation", "spiculation", "yes"),
    ("her2_equivocal", "enhancement", "necrosis", "rim"),
    ("nat_response", "enhancement_mode", "clumping", "non-mass"),
    ("nat_response", "interior", "texture_amplitude", "heterogeneous"),
])  # fmt: skip
def test_a_level_goes_with_its_trait(study, column, trait, level):
    table = included(study, "published")
    has = table[column] == level
    assert stats.mannwhitneyu(table.loc[has, f"true_{trait}"], table.loc[~has, f"true_{trait}"]).pvalue < 1e-6
    assert table.loc[has, f"true_{trait}"].mean() > table.loc[~has, f"true_{trait}"].mean() + 0.7


def test_centres_agree_on_the_curve_type():
    """Five phases at one centre and six at the other; the late signal is read at the same time (800 patients)."""
    table = pd.concat([included("nat_response", "published", seed) for seed in range(1, 7)])
    share = pd.crosstab(table["centre"], table["tic_type"], normalize="index")
    assert (share.loc["centre_1"] - share.loc["centre_2"]).abs().max() < 0.08


#: What printed counts, or the paper's own contradictions, keep from coming out: see docs/simulation.md.
CANNOT = {
    ("her2_nomogram", "Odds ratio: Margin (edge), final model"),
    ("her2_nomogram", "p of the regression: Margin (edge), final model"),
    ("her2_nomogram", "Odds ratio: Skin thickening or retraction (depression), Yes, final model"),
    ("her2_nomogram", "p of the regression: Skin thickening or retraction (depression), Yes, final model"),
    ("her2_peritumoral", "Terms kept"),
}


@pytest.mark.long
@pytest.mark.parametrize("study", ["her2_nomogram", "her2_peritumoral", "nat_response"])
def test_what_the_papers_print_as_significant_comes_out_in_most_seeds(study):
    """Three seeds here; thirty of each, by the benchmark, in docs/simulation.md."""
    seeds = (1, 2, 3)
    found = benchmark.frequencies(seeds, "published", [study])
    assert len(found) >= 4
    for (_, claim, _, _), counts in found.items():
        # Tables 1 and 2 of her2_peritumoral are made of all 202 patients, of whom 141 train
        rows = benchmark.TOGETHER if study == "her2_peritumoral" and "202" not in claim else benchmark.TRAINING
        shares = [benchmark.share(counts, each) for each in (rows, benchmark.TRAINING)]
        made_in = next((text for text in shares if text), "")
        if made_in and (study, claim) not in CANNOT:
            agrees, seeds_made = map(int, made_in.split(" of "))
            assert seeds_made == len(seeds) and agrees >= 2, (claim, made_in)
