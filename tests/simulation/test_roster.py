"""The roster: exact counts, contracts, determinism, the planted signal and its absence."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.simulation import SimulationSettings, note_text, roster, write_tables
from her2radiomics.simulation.exact import apportion

EXAMPLE = Path(__file__).with_name("example.yaml")


@pytest.fixture(scope="module")
def section() -> dict:
    return read_yaml(EXAMPLE)


@pytest.fixture(scope="module")
def settings(section) -> SimulationSettings:
    return validate(SimulationSettings, section, "example")


@pytest.fixture(scope="module")
def planted(settings):
    return roster(settings, size="large", seed=7)


@pytest.fixture(scope="module")
def unplanted(settings):
    return roster(settings, size="large", seed=7, strength=0)


def test_counts_of_each_centre_and_outcome_are_exact(settings):
    for seed in (0, 1, 2):
        for strength in (0.0, 4.0):
            cohort = roster(settings, size="small", seed=seed, strength=strength)
            included = cohort.participants.query("exclude_reason == ''")
            counted = included.groupby(["centre", "response"]).size().to_dict()
            assert counted == {("north", "1"): 3, ("north", "0"): 2, ("south", "1"): 2, ("south", "0"): 1}
            assert (cohort.truth["outcome"].astype(str).to_numpy() == included["response"].to_numpy()).all()


def test_the_excluded_have_a_reason_values_and_no_images(settings):
    cohort = roster(settings, size="small", seed=1)
    excluded = cohort.participants.query("exclude_reason != ''").set_index("patient_id")
    assert excluded["exclude_reason"].to_dict() == {
        "N-006": "stage IV",
        "south-004": "fewer than 4 cycles",
        "south-005": "fewer than 4 cycles",
    }
    assert excluded.loc["N-006", "regimen"] == "none"
    assert not set(excluded.index) & set(cohort.manifest["patient_id"])
    assert not set(excluded.index) & set(cohort.truth["patient_id"])


def test_tables_are_text_complete_and_in_the_order_of_the_contract(settings):
    cohort = roster(settings, size="small", seed=1)
    participants = cohort.participants
    assert list(participants.columns[:3]) == ["patient_id", "centre", "mri_date"]
    assert participants.columns[-1] == "exclude_reason"
    assert participants["patient_id"].is_unique
    for table in (participants, cohort.manifest):
        assert table.map(lambda value: isinstance(value, str)).to_numpy().all()
    north = participants["centre"] == "north"
    assert participants.loc[north, "mri_date"].between("2020-07-01", "2021-12-31").all()
    assert (participants.loc[~north, "mri_date"] == "").all()


def test_manifest_has_a_row_per_sequence_reader_and_breast(settings):
    manifest = roster(settings, size="small", seed=1).manifest
    one = manifest.query("patient_id == 'N-001'")
    assert list(manifest.columns) == [
        "patient_id", "sequence", "reader", "region", "image", "mask", "mask_label", "seconds", "b_value",
    ]  # fmt: skip
    tumours = one.query("region == 'tumour'").groupby("sequence")["reader"].apply(list).to_dict()
    assert tumours.pop("DCE0") == ["1"]
    assert all(readers == ["1", "2"] for readers in tumours.values()) and len(tumours) == 5
    assert len(one.query("region == 'breast'")) == 6
    row = one.query("sequence == 'DCE2' and reader == '2'").iloc[0]
    assert row["image"] == "images/N-001/N-001_DCE2.nii.gz"
    assert row["mask"] == "masks/N-001/N-001_DCE2_reader2.nii.gz"
    without = one.query("sequence == 'DCE0' and region == 'tumour'").iloc[0]
    assert (without["mask"], without["mask_label"]) == ("", "")


def test_only_the_wanted_number_of_patients_is_read_twice(section):
    changed = copy.deepcopy(section)
    changed["readers"]["read_twice"] = 40
    settings = validate(SimulationSettings, changed, "example")
    manifest = roster(settings, size="large", seed=1).manifest
    second = manifest.query("reader == '2'")["patient_id"].unique()
    assert len(second) == 40
    assert len({patient[0] for patient in second}) == 2  # of both centres
    assert manifest.query("reader == '1'")["patient_id"].nunique() == 600


def test_a_consensus_outlines_everybody_and_the_readers_those_read_twice(section):
    changed = copy.deepcopy(section)
    changed["readers"] |= {"read_twice": 40, "consensus": True}
    settings = validate(SimulationSettings, changed, "example")
    manifest = roster(settings, size="large", seed=1).manifest.query("region == 'tumour'")
    readers = {reader: set(rows["patient_id"]) for reader, rows in manifest.groupby("reader")}
    assert {reader: len(patients) for reader, patients in readers.items()} == {"consensus": 600, "1": 40, "2": 40}
    assert readers["1"] == readers["2"]
    assert settings.readers.reference == "consensus" and settings.readers.error_scale("consensus") == 2**-0.5
    row = manifest.query("sequence == 'DCE2' and reader == 'consensus'").iloc[0]
    assert row["mask"] == "masks/N-001/N-001_DCE2_consensus.nii.gz"


def test_same_arguments_same_roster_in_another_process(settings):
    code = (
        "import sys; from her2radiomics.core.settings import load;"
        "from her2radiomics.simulation import SimulationSettings, roster;"
        f"r = roster(load(SimulationSettings, {str(EXAMPLE)!r}), size='small', seed=3);"
        "print(r.participants.to_csv() + r.manifest.to_csv() + r.truth.to_csv(), end='');"
        "heavy = {'SimpleITK', 'scipy', 'sklearn', 'radiomics'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, encoding="utf-8")
    assert told.returncode == 0, told.stderr
    here = roster(settings, size="small", seed=3)
    assert told.stdout == here.participants.to_csv() + here.manifest.to_csv() + here.truth.to_csv()
    other = roster(settings, size="small", seed=4)
    assert not here.truth["heterogeneity"].equals(other.truth["heterogeneity"])


def test_a_patient_is_the_same_in_any_size_and_at_any_strength(settings, planted, unplanted):
    small = roster(settings, size="small", seed=7).truth.set_index("patient_id")
    large = planted.truth.set_index("patient_id").loc[small.index]
    traits = list(small.columns[1 : small.columns.get_loc("linear_score")])
    pd.testing.assert_frame_equal(small[traits], large[traits])
    pd.testing.assert_frame_equal(planted.truth[traits], unplanted.truth[traits])


def test_the_planted_predictors_go_with_the_outcome(planted):
    truth = planted.truth
    included = planted.participants.query("exclude_reason == ''")
    label = truth["outcome"]
    # strength 4: score = 4 (H + 0.35 k + 0.3 s) + logistic noise; its SD is 4·1.102 = 4.41 against 1.81
    assert roc_auc_score(label, truth["linear_score"]) > 0.90
    assert roc_auc_score(label, truth["heterogeneity"]) > 0.85
    assert 0.55 < roc_auc_score(label, included["ki67"].astype(float)) < 0.75
    irregular = included["shape"].to_numpy() == "irregular"
    assert label[irregular].mean() > label[~irregular].mean() + 0.05
    assert roc_auc_score(label, included["age"].astype(float)) == pytest.approx(0.5, abs=0.06)


def test_strength_zero_leaves_the_outcome_independent_of_everything(unplanted):
    """Each trait and column against the outcome, 600 patients: Holm-corrected, nothing at 1 %."""
    truth = unplanted.truth
    included = unplanted.participants.query("exclude_reason == ''").reset_index(drop=True)
    label = truth["outcome"].to_numpy()
    assert (truth["linear_score"] == 0).all()
    p = {}
    for name in truth.columns[2:]:
        if name not in ("linear_score", "noise", "outcome_score", "outcome", "satellite"):
            p[name] = stats.mannwhitneyu(truth[name][label == 1], truth[name][label == 0]).pvalue
    for name in included.columns[3:-1]:
        if name in ("response", "grade"):  # they state the outcome
            continue
        values = included[name]
        if values.nunique() > 5:
            number = values.astype(float)
            p[f"column {name}"] = stats.mannwhitneyu(number[label == 1], number[label == 0]).pvalue
        else:
            p[f"column {name}"] = stats.chi2_contingency(pd.crosstab(values, label), correction=False)[1]
    assert len(p) > 35
    assert min(p.values()) * len(p) > 0.01, min(p, key=p.get)


def test_columns_by_outcome_have_the_given_distributions_when_planted(planted, unplanted):
    table = planted.participants.query("exclude_reason == ''")
    positive = table["response"] == "1"
    # without the receptor 55/80 against 80/240, as in the example; 380 and 220 patients, SE 0.024 and 0.032
    assert (table.loc[positive, "oestrogen_receptor"] == "negative").mean() == pytest.approx(55 / 80, abs=0.09)
    assert (table.loc[~positive, "oestrogen_receptor"] == "negative").mean() == pytest.approx(1 / 3, abs=0.11)
    cd8 = table["cd8"].astype(float)
    assert cd8[positive].mean() == pytest.approx(30, abs=1) and cd8[~positive].mean() == pytest.approx(24, abs=1)
    # exponential hazard: events per month, ratio 2.5 (log SE about 0.13)
    rate = {
        outcome: table.loc[rows, "dfs_event"].astype(int).sum() / table.loc[rows, "dfs_months"].astype(float).sum()
        for outcome, rows in (("positive", positive), ("negative", ~positive))
    }
    assert np.log(rate["positive"] / rate["negative"]) == pytest.approx(np.log(2.5), abs=0.45)
    null = unplanted.participants.query("exclude_reason == ''")
    pooled = 380 / 600 * 30 + 220 / 600 * 24
    assert null["cd8"].astype(float).mean() == pytest.approx(pooled, abs=0.8)


EXACT = {
    "kind": "categorical",
    "exact": True,
    "by_outcome": {
        "positive": {"smooth": 23, "blur": 24, "burr": 33},
        "negative": {"smooth": 101, "blur": 103, "burr": 36},
    },
}


def with_column(section: dict, **columns) -> SimulationSettings:
    changed = copy.deepcopy(section)
    changed["columns"] = {**changed["columns"], **columns}
    return validate(SimulationSettings, changed, "example")


def test_numbers_are_apportioned_by_largest_remainder():
    """By hand: quotas 2.5, 1.25, 1.25 of 5 and 0.6, 0.9, 1.5 of 3; counts that fit are kept; no level, no patient."""
    assert apportion({"a": 2, "b": 1, "c": 1}, 5) == {"a": 3, "b": 1, "c": 1}
    assert apportion({"a": 0.2, "b": 0.3, "c": 0.5}, 3) == {"a": 1, "b": 1, "c": 1}
    assert apportion({"a": 23, "b": 24, "c": 33}, 80) == {"a": 23, "b": 24, "c": 33}
    assert apportion({"a": 1, "b": 0}, 7) == {"a": 7, "b": 0}
    assert apportion({"a": 1, "b": 1}, 0) == {"a": 0, "b": 0}


def test_exact_columns_have_the_given_counts_in_each_centre_and_outcome(section):
    settings = with_column(section, edge=EXACT, margin={**EXACT, "driver": "margin_blur"})
    cohort = roster(settings, size="large", seed=5)
    table = cohort.participants.query("exclude_reason == ''")
    for name in ("edge", "margin"):
        counted = table.groupby(["centre", "response", name]).size().to_dict()
        # quotas of 250, 150, 130 and 70 patients, rounded by largest remainder
        assert counted == {
            ("north", "1", "smooth"): 72, ("north", "1", "blur"): 75, ("north", "1", "burr"): 103,
            ("north", "0", "smooth"): 63, ("north", "0", "blur"): 64, ("north", "0", "burr"): 23,
            ("south", "1", "smooth"): 37, ("south", "1", "blur"): 39, ("south", "1", "burr"): 54,
            ("south", "0", "smooth"): 29, ("south", "0", "blur"): 30, ("south", "0", "burr"): 11,
        }  # fmt: skip
    truth = cohort.truth.assign(margin=table["margin"].to_numpy(), edge=table["edge"].to_numpy())
    for _, group in truth.groupby(["centre", "outcome"]):
        low, middle, high = (group.loc[group["margin"] == level, "margin_blur"] for level in ("smooth", "blur", "burr"))
        assert low.max() < middle.min() and middle.max() < high.min()
    assert not table["edge"].equals(table["margin"])


def test_exact_columns_lose_their_link_to_the_outcome_with_the_strength(section):
    """At strength 0 the totals stay, and the levels follow the driver alone, whatever the outcome."""
    settings = with_column(section, edge=EXACT, margin={**EXACT, "driver": "margin_blur"})
    at = {strength: roster(settings, size="large", seed=5, strength=strength) for strength in (0, 3, 4)}
    tables = {k: v.participants.query("exclude_reason == ''") for k, v in at.items()}
    totals = [table.groupby(["centre", "edge"]).size().to_dict() for table in tables.values()]
    assert totals[0] == totals[1] == totals[2]  # in the order of the strengths
    statistic = {
        k: stats.chi2_contingency(pd.crosstab(t["edge"], t["response"]), correction=False)[0] for k, t in tables.items()
    }
    assert statistic[0] < stats.chi2.ppf(0.99, 2) < statistic[3] < statistic[4]
    truth = at[0].truth.assign(margin=tables[0]["margin"].to_numpy())
    for _, group in truth.groupby("centre"):
        first = group.loc[group["margin"] == "smooth", "margin_blur"]
        assert first.max() < group.loc[group["margin"] != "smooth", "margin_blur"].min()


FOLLOW_UP = {"kind": "follow_up", "until": "2023-06-15", "decimals": 1}
COURSE = {
    "kind": "course",
    "event_column": "free_event",
    "progression_free": {"time": "pfs_months", "event": "pfs_event"},
    "overall": {"time": "os_months", "event": "os_event"},
    "follow_up": "follow_up",
    "visit_months": 6,
    "recurrence": {"median_months": 30, "hazard_ratio": 3},
    "death": {"median_months": 10},
    "other_death": {"median_months": 60},
}


def dated(section: dict, **columns) -> SimulationSettings:
    """The section with columns, and dates of examination in both centres."""
    changed = copy.deepcopy(section)
    changed["centres"]["south"]["mri_dates"] = changed["centres"]["north"]["mri_dates"]
    return with_column(changed, **columns)


def test_follow_up_runs_from_the_examination_to_the_closing_date(section):
    table = roster(dated(section, follow_up=FOLLOW_UP), size="large", seed=5).participants
    days = (pd.Timestamp("2023-06-15") - pd.to_datetime(table["mri_date"])).dt.days
    np.testing.assert_allclose(table["follow_up"].astype(float), days / (365.25 / 12), atol=0.05001)


def test_the_course_of_the_disease_does_not_contradict_itself(section):
    """Recurrence at visits, death after it or of another cause, nothing after the end of follow-up."""
    settings = dated(section, follow_up=FOLLOW_UP, free_months=COURSE)
    table = roster(settings, size="large", seed=5).participants.query("exclude_reason == ''")
    months = table[["follow_up", "os_months", "pfs_months", "free_months"]].astype(float)
    died, progressed, recurred = (table[name] == "1" for name in ("os_event", "pfs_event", "free_event"))
    assert (months.loc[recurred, "free_months"] % 6 == 0).all() and (months.loc[recurred, "free_months"] >= 6).all()
    assert (months.loc[died, "os_months"] >= 6).all()
    assert (months["free_months"] == months["pfs_months"]).all()
    assert (months["pfs_months"] <= months["os_months"]).all()
    assert (months["os_months"] <= months["follow_up"]).all()
    assert (months.loc[~died, "os_months"] == months.loc[~died, "follow_up"]).all()
    assert (progressed == (recurred | died)).all()
    without = died & ~recurred
    assert 20 < without.sum() < died.sum() - 20
    assert (months.loc[without, "os_months"] == months.loc[without, "pfs_months"]).all()
    # of those at risk for a whole interval of visits, 1 - 2^(-6/30) without the outcome recur in it (SE 0.03)
    negative = table["response"] == "0"
    at_risk = negative & (months["follow_up"] >= 6)
    first = recurred & (months["free_months"] == 6)
    assert (first & at_risk).sum() / at_risk.sum() == pytest.approx(1 - 2 ** (-6 / 30), abs=0.09)
    positive = table["response"] == "1"
    assert (first & positive).sum() / positive.sum() == pytest.approx(1 - 2 ** (-3 * 6 / 30), abs=0.08)


def test_several_drivers_decide_together_with_their_weights(section):
    column = {**EXACT, "driver": {"irregularity": 0.7, "spiculation": -0.7}}
    cohort = roster(with_column(section, edge=column), size="large", seed=5)
    rank = cohort.participants.query("exclude_reason == ''")["edge"].map({"smooth": 0, "blur": 1, "burr": 2}).to_numpy()
    truth = cohort.truth
    own = truth["irregularity"] - truth["spiculation"]
    # within an outcome, where counts are fixed, the levels follow the difference and neither trait alone as closely
    for _, group in truth.groupby("outcome"):
        found = {
            name: stats.spearmanr(rank[group.index], values[group.index])[0]
            for name, values in (("both", own), ("more", truth["irregularity"]), ("less", truth["spiculation"]))
        }
        assert found["both"] > 0.5 > found["more"] > 0.1 and found["less"] < -0.1


def test_status_by_definition_age_by_centre_and_a_second_reading(section):
    settings = with_column(
        section,
        years={"kind": "continuous", "by_centre": {
            "north": {"mean": 52.1, "sd": 10.3, "minimum": 23, "maximum": 79},
            "south": {"mean": 48.2, "sd": 10.3, "minimum": 22, "maximum": 83},
        }, "decimals": 1},
        ihc={"kind": "outcome", "positive": {"3+": 7, "2+": 3}, "negative": {"0": 3, "1+": 4, "2+": 3}},
        ratio={"kind": "outcome_number", "positive": [2.1, 6], "negative": [1, 1.9], "where": {"ihc": ["2+"]}},
        shape_2={"kind": "second_reading", "of": "shape", "levels": ["regular", "irregular"], "error": 0.1},
    )  # fmt: skip
    table = roster(settings, size="large", seed=5).participants.query("exclude_reason == ''")
    ages = table["years"].astype(float).groupby(table["centre"]).agg(["mean", "std", "min", "max"])
    assert ages.loc["north", "mean"] == pytest.approx(52.1, abs=3 * 10.3 / 20)
    assert ages.loc["south", "mean"] == pytest.approx(48.2, abs=3 * 10.3 / 14)
    assert ages.loc["north", "min"] >= 23 and ages.loc["north", "max"] <= 79 and ages["std"].between(9, 11.5).all()
    equivocal, positive = table["ihc"] == "2+", table["response"] == "1"
    assert (table.loc[~equivocal, "ratio"] == "").all()
    assert (table.loc[equivocal, "ratio"].astype(float).ge(2) == positive[equivocal]).all()
    assert set(table.loc[positive, "ihc"]) == {"3+", "2+"}
    assert (table["shape"] != table["shape_2"]).mean() == pytest.approx(0.1, abs=3 * (0.09 / 600) ** 0.5)


def test_patients_read_twice_are_drawn_for_each_size_from_the_named_centres(section):
    changed = copy.deepcopy(section)
    changed["readers"] |= {"read_twice": {"small": 3, "large": 40}, "read_twice_centres": ["north"]}
    settings = validate(SimulationSettings, changed, "example")
    for size, number in (("small", 3), ("large", 40)):
        twice = roster(settings, size=size, seed=1).manifest.query("reader == '2'")["patient_id"].unique()
        assert len(twice) == number and all(patient.startswith("N-") for patient in twice)


def test_columns_follow_their_drivers(planted):
    table = planted.participants.query("exclude_reason == ''").reset_index(drop=True)
    truth = planted.truth
    irregular = table["shape"] == "irregular"
    assert truth.loc[irregular, "irregularity"].min() > truth.loc[~irregular, "irregularity"].max()
    assert irregular.mean() == pytest.approx(0.66, abs=0.07)
    age = table["age"].astype(float)
    assert age[table["menopause"] == "after"].mean() - age[table["menopause"] == "before"].mean() > 10
    assert np.corrcoef(table["max_diameter"].astype(float), truth["max_diameter_mm"])[0, 1] > 0.95
    assert set(table["tic_type"]) == {"inflow", "plateau", "outflow"}
    graded = truth.assign(grade=table["grade"]).groupby("grade")["outcome_score"].median()
    assert list(graded.sort_values().index) == ["G1", "G2", "G3", "G4", "G5"]
    assert table["ki67"].astype(float).mean() == pytest.approx(36, abs=3)


def test_tables_on_disk_hold_the_roster_and_say_simulated(settings, tmp_path):
    cohort = roster(settings, size="small", seed=1, strength=2.5)
    write_tables(cohort, settings, tmp_path / "cohort")
    names = sorted(path.name for path in (tmp_path / "cohort").iterdir())
    assert names == ["SIMULATED.md", "images.tsv", "participants.tsv", "truth.tsv"]
    read = pd.read_csv(tmp_path / "cohort/participants.tsv", sep="\t", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(read, cohort.participants, check_dtype=False)
    note = (tmp_path / "cohort/SIMULATED.md").read_text(encoding="utf-8")
    for said in ("simulated", "strength of the planted signal: 2.5", "seed: 1", "| ki67 | 0.35 |", "| north | 5 | 3 |"):
        assert said in note
    assert "Nothing is planted" in note_text(roster(settings, size="small", seed=1, strength=0), settings)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("strenght",), 1, "did you mean 'strength'"),
        (("centres", "north", "dose_mmol"), 0.1, "did you mean 'dose_mmol_kg'"),
        (("columns", "age", "std"), 3, "unknown key"),
        (("columns", "ki67", "traits"), {"hetero": 0.5}, "no trait hetero"),
        (("columns", "menopause", "driver"), "regimen", "neither a trait nor a continuous column"),
        (("outcome", "weights"), {"cd8": 1.0}, "drawn before the outcome"),
        (("sequences", "DCE2", "phase"), 6, "north has 5 phases"),
        (("sequences", "DWI", "phase"), 1, "a phase belongs to dce"),
        (("centres", "south", "counts"), {"small": {"positive": 1, "negative": 1}}, "expected the sizes"),
        (("centres", "south", "patient_prefix"), "N-", "not all different"),
        (("columns", "centre"), {"kind": "continuous", "mean": 1, "sd": 1}, "reserved"),
        (("excluded",), [{"reason": "x", "counts": {"small": {"west": 1}}}], "no centre west"),
        (("outcome", "heterogeneity_loadings"), {"necrosis": 1.2}, "between -1 and 1"),
        (("columns", "oestrogen_receptor", "driver"), "size", "by_outcome and exact: true"),
        (("columns", "regimen", "exact"), True, "exact goes with by_outcome"),
        (("columns", "dfs_months", "follow_up_months"), [9, 6], "the shortest comes after the longest"),
        (("columns", "closed"), FOLLOW_UP, "mri_dates in centres.south that end before 2023-06-15"),
        (("columns", "free_months"), COURSE, "kind follow_up given before it, found 'follow_up'"),
        (("columns", "shape", "driver"), {"irregularity": 0.5}, "several drivers go with by_outcome"),
        (("columns", "age", "by_centre"), {"north": {"mean": 1, "sd": 1}}, "one of: mean and sd"),
        (
            ("columns", "age"),
            {"kind": "continuous", "by_centre": {"north": {"mean": 1, "sd": 1}}},
            "expected the centres",
        ),
        (
            ("columns", "aged"),
            {"kind": "second_reading", "of": "x", "levels": ["a", "b"]},
            "given before it, found 'x'",
        ),
        (("readers", "read_twice"), {"small": 3}, "expected the sizes"),
        (("readers", "read_twice_centres"), ["west"], "no centre west"),
    ],
)
def test_a_wrong_section_is_refused_with_advice(section, path, value, said):
    changed = copy.deepcopy(section)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(SettingsError, match=said):
        validate(SimulationSettings, changed, "example")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": "medium", "seed": 1}, "known sizes: small, large"),
        ({"size": "small", "seed": -1}, "0 or more"),
        ({"size": "small", "seed": 1, "strength": -2}, "0 or more"),
    ],
)
def test_wrong_arguments_are_refused(settings, arguments, said):
    with pytest.raises(SettingsError, match=said):
        roster(settings, **arguments)
