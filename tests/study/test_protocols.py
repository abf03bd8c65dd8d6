"""The studies' protocols: valid, complete, with the papers' counts; every variant runs, any centre can be held out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm
import yaml
from scipy import stats

from her2radiomics.cohort.outcome import labels_of
from her2radiomics.core.columns import type_table
from her2radiomics.core.settings import overlay, read_yaml, validate
from her2radiomics.extraction import read_parameters
from her2radiomics.simulation import roster
from her2radiomics.study.plan import Plan
from her2radiomics.study.protocol import SETS, Protocol

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
STUDIES = tuple(sorted(path.stem for path in (WORKFLOW / "studies").glob("*.yaml")))
VARIANTS = tuple(
    (study, variant)
    for study in STUDIES
    for variant in read_yaml(WORKFLOW / f"studies/{study}.yaml").get("variants", {})
)


def content_of(study: str) -> dict:
    return read_yaml(WORKFLOW / f"studies/{study}.yaml")


def protocol_of(study: str, variant: str | None = None) -> Protocol:
    content = content_of(study)
    if variant:
        content = overlay(content, content["variants"][variant]["changes"])
    return validate(Protocol, content, study)


def planned(study: str, *, variant: str = "default", size: str = "published", workflow: Path = WORKFLOW):
    (run,) = Plan({"runs": [{"study": study, "variant": variant}], "size": size}, workflow).runs.values()
    return run


def counts(run) -> dict[str, tuple[int, int]]:
    """Partition to its patients and those of them with the outcome."""
    return {
        name: (int((run.partition == name).sum()), int(run.labels[run.partition == name].sum()))
        for name in run.partitions
    }


def included(study: str, *, centre: str | None = None, seed: int = 1) -> pd.DataFrame:
    """The simulated participants of published size, without images; ``outcome`` is the label, "1" or "0"."""
    protocol = protocol_of(study)
    table = roster(protocol.simulation, size="published", seed=seed).participants.query("exclude_reason == ''")
    table = table if centre is None else table[table["centre"] == centre]
    labels = labels_of(table, protocol.label, protocol.columns, study)
    return table.assign(outcome=labels.astype(str).to_numpy())


def test_the_four_studies_are_there():
    assert STUDIES == ("her2_equivocal", "her2_nomogram", "her2_peritumoral", "nat_response")


@pytest.mark.parametrize("size", ["demo", "published"])
@pytest.mark.parametrize("study", STUDIES)
def test_a_protocol_is_planned_with_its_figures_and_tables(study, size):
    run = planned(study, size=size)
    assert run.targets("figures") and run.targets("tables")
    numbered = [item.id for item in (*run.protocol.figures, *run.protocol.tables)]
    assert len(set(numbered)) == len(numbered)
    assert run.protocol.assumptions and run.protocol.published and run.protocol.exclusions
    assert all(run.protocol.partition_label(name).split(" (")[0] in SETS.values() for name in run.partitions)
    named = {part for item in run.published if item.partition for part in item.partition.split(" + ")}
    assert named <= set(run.partitions)
    drawn = {getattr(figure, "partition", None) for figure in run.protocol.figures} - {None}
    assert drawn <= set(run.partitions)


@pytest.mark.parametrize("study", STUDIES)
def test_the_features_expected_are_those_of_the_parameter_file(study):
    """1125, 1316, 1023 (tumour and ring each) and 1218 features per region: the papers' counts."""
    expected = {"nat_response": 1125, "her2_equivocal": 1316, "her2_peritumoral": 1023, "her2_nomogram": 1218}
    for sequence in protocol_of(study).sequences.values():
        parameters = read_parameters(WORKFLOW / f"extraction/{sequence.parameters}.yaml")
        assert len(parameters.feature_names) == sequence.features == expected[study]


@pytest.mark.parametrize("study", STUDIES)
def test_every_column_and_sequence_of_a_protocol_is_simulated(study):
    protocol = protocol_of(study)
    made = roster(protocol.simulation, size="demo", seed=1)
    read = {name for name, column in protocol.columns.items() if not column.derived}
    assert read <= set(made.participants.columns)
    people = made.participants.query("exclude_reason == ''").set_index("patient_id")
    typed = type_table(people, protocol.columns, file=study)
    assert list(typed) == list(protocol.columns)
    outlined = made.manifest["mask"] != ""
    assert set(protocol.sequences) == set(made.manifest.loc[outlined, "sequence"])
    # others are phases and b-values for measured columns
    others = made.manifest[~outlined]
    assert others.empty or any(column.measured for column in protocol.columns.values())
    assert ((others["seconds"] != "") | (others["b_value"] != "")).all()
    assert set(made.participants["exclude_reason"]) - {""} == set(protocol.exclusions)
    assert set(made.participants["centre"]) == set(protocol.centres)
    for name, column in protocol.columns.items():
        if column.levels and column.cut is None and not column.derived:
            present = set(made.participants.query("exclude_reason == ''")[name])
            assert present <= set(column.levels), name


@pytest.mark.parametrize("study", STUDIES)
def test_rings_come_with_a_breast_mask(study):
    protocol = protocol_of(study)
    rings = any(region.startswith("ring") for s in protocol.sequences.values() for region in s.regions)
    regions = set(roster(protocol.simulation, size="demo", seed=1).manifest["region"])
    assert rings == ("breast" in regions)


@pytest.mark.parametrize("study", STUDIES)
def test_enough_training_patients_are_read_twice_for_the_icc(study):
    """Fewer than 10 and the filter passes everything, not assessed; of 40 of the 202 about 28 train."""
    for size in ("demo", "published"):
        run = planned(study, size=size)
        manifest = run.dataset.data.manifest
        twice = set(manifest.loc[manifest["reader"] == "2", "patient_id"])
        training = set(run.partition.index[run.partition == "training"])
        assert len(twice & training) >= 10, (size, len(twice & training))
    if study == "her2_peritumoral":
        assert len(twice) == 40
        assert len(twice & training) == pytest.approx(28, abs=6)
        assert twice <= set(run.partition.index[run.partition != "external"])


def test_her2_equivocal_has_the_eleven_models():
    models = protocol_of("her2_equivocal").models
    assert list(models) == [
        "clinical_imaging", "t2wi", "dwi", "dce3", "dce7",
        "mpmri_a", "mpmri_b", "mpmri_c", "combined_a", "combined_b", "combined_c",
    ]  # fmt: skip
    assert set(models["mpmri_c"].sequences) == {"DCE7", "DWI", "T2WI"}  # the abstract
    for letter in "abc":
        assert models[f"combined_{letter}"].of == (f"mpmri_{letter}", "clinical_imaging")


def test_her2_peritumoral_has_the_bodys_chain_and_the_abstracts_as_a_variant():
    def steps(variant):
        return [step.step for step in protocol_of("her2_peritumoral", variant).models["dce"].steps]

    assert steps(None) == ["z_score", "icc_filter", "variance", "lasso"]
    assert steps("pearson_elimination") == ["z_score", "icc_filter", "redundancy", "recursive_elimination"]
    kept = protocol_of("her2_peritumoral", "pearson_elimination").models
    assert [kept[name].steps[-1].k for name in ("dce", "t2fs", "adc")] == [8, 7, 7]  # 4+4, 2+5, 4+3
    models = protocol_of("her2_peritumoral").models
    assert models["r3"].of == ("dce", "t2fs", "adc", "r2")
    assert models["r2"].allow_unavailable and models["r3"].allow_unavailable


def test_her2_nomogram_has_the_published_terms_and_what_the_title_promises():
    protocol = protocol_of("her2_nomogram")
    nomogram = protocol.models["nomogram"]
    assert nomogram.candidates == ("type", "edge", "skin", "nodes") and nomogram.keep == "all"
    assert protocol.columns["edge"].kind == "ordinal"
    assert [step.step for step in protocol.models["radiomics"].steps] == [
        "icc_filter", "variance", "z_score", "redundancy", "lasso",
    ]  # fmt: skip
    assert protocol.models["radiomics_nomogram"].of == ("radiomics", "nomogram")
    late = {"cd8", "cd4", "m1", "treg", "tam"}
    assert late < set(protocol.models["multivariate"].candidates)
    assert protocol.models["multivariate"].allow_unavailable


@pytest.mark.parametrize("study", STUDIES)
def test_the_variant_of_every_contradiction_exists(study):
    protocol = protocol_of(study)
    for contradiction in protocol.contradictions:
        assert contradiction.finding and contradiction.followed
        assert contradiction.variant is None or contradiction.variant in protocol.variants


@pytest.mark.parametrize(("study", "variant"), VARIANTS)
def test_every_variant_is_planned_and_changes_something(study, variant):
    run = planned(study, variant=variant, size="demo")
    assert run.targets("all")
    changed = content_of(study)["variants"][variant]["changes"]
    assert overlay(content_of(study), changed) != content_of(study)
    assert run.protocol.model_dump() != protocol_of(study).model_dump()


CENTRES = tuple((study, centre) for study in STUDIES for centre in protocol_of(study).simulation.centres)


@pytest.mark.parametrize(("study", "centre"), CENTRES)
def test_any_named_centre_is_held_out_whole(study, centre, tmp_path):
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    path = tmp_path / f"workflow/studies/{study}.yaml"
    for partitions in (
        {"kind": "centre", "training": ["*"], "external": [centre]},
        {"kind": "random", "training": 0.7, "external_centres": [centre]},
    ):
        content = content_of(study) | {"partitions": partitions}
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
        run = planned(study, workflow=tmp_path / "workflow")
        centres = run.participants.set_index("patient_id")["centre"].loc[run.partition.index]
        assert set(centres[run.partition == "external"]) == {centre}
        assert centre not in set(centres[run.partition != "external"])
        assert "training" in run.partitions


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ("her2_equivocal", {"training": (74, 29), "testing": (33, 13), "external": (40, 16)}),
        ("her2_peritumoral", {"training": (141, 49), "testing": (61, 21), "external": (50, 20)}),
        ("her2_nomogram", {"training": (280, 70), "testing": (40, 10), "external": (60, 15)}),
    ],
)
def test_the_published_size_has_the_papers_partitions(study, expected):
    """74 / 33 of 107 (42 FISH+); 141 / 61 of 202 (70 HER2+) and 50 later (20+); 280 / 40 of 320 (80 HER2+).

    The stratified share of positives is ours, and the external centres of the first and last are beyond the papers.
    """
    assert counts(planned(study)) == expected


def test_the_other_split_of_her2_nomogram():
    """Methods, statistical analysis: 70 % (224) and 30 % (96)."""
    split = counts(planned("her2_nomogram", variant="split_224_96"))
    assert (split["training"][0], split["testing"][0]) == (224, 96)


def test_her2_peritumorals_external_patients_are_the_later_ones():
    """July 2020 to December 2021; September 2024 to March 2025 (abstract)."""
    run = planned("her2_peritumoral")
    dates = run.participants.set_index("patient_id")["mri_date"].loc[run.partition.index]
    external = run.partition == "external"
    assert dates[~external].between("2020-07-01", "2021-12-31").all()
    assert dates[external].between("2024-09-01", "2025-03-31").all()


def test_the_excluded_of_her2_peritumoral_add_up():
    """Patients: 318 collected, 202 enrolled."""
    settings = protocol_of("her2_peritumoral").simulation
    first = roster(settings, size="published", seed=1).participants.query("centre == 'first_period'")
    assert len(first) == 318 and (first["exclude_reason"] == "").sum() == 202


# Tables 1 and 2 of the paper: level to patients (HER2-positive, HER2-negative), and chi-square where it is printed.
TABLES_1_AND_2 = {
    "menopausal_status": ({"postmenopausal": (41, 96), "premenopausal": (39, 144)}, None),
    "grade": ({"I": (6, 20), "II": (47, 142), "III": (27, 78)}, None),
    "er": ({"positive": (55, 80), "negative": (25, 160)}, None),
    "pr": ({"positive": (51, 101), "negative": (29, 139)}, None),
    "ki67": ({"positive": (14, 46), "negative": (66, 194)}, None),
    "type": ({"lump": (54, 95), "nonmass": (26, 145)}, 18.793),
    "edge": ({"smooth": (23, 101), "blur": (24, 103), "burr": (33, 36)}, 24.449),
    "nipple_free": ({"yes": (29, 116), "no": (51, 124)}, 3.535),
    "skin": ({"yes": (47, 97), "no": (33, 143)}, 8.148),
    "nodes": ({"yes": (54, 95), "no": (26, 145)}, 18.793),
    "tic_type": ({"I": (10, 36), "II": (38, 103), "III": (32, 101)}, 0.610),
    "bpe": ({"minimal": (9, 29), "mild": (38, 129), "moderate": (25, 57), "marked": (8, 25)}, 1.811),
}


@pytest.mark.parametrize("seed", [1, 20250715])
def test_her2_nomogram_has_the_marginal_counts_of_tables_1_and_2(seed):
    table = included("her2_nomogram", centre="study_centre", seed=seed)
    for name, (published, chi_square) in TABLES_1_AND_2.items():
        crossed = pd.crosstab(table[name], table["outcome"])
        assert {level: (row["1"], row["0"]) for level, row in crossed.iterrows()} == published, name
        if chi_square is not None:  # Pearson's, without continuity correction, to the printed decimals
            computed = stats.chi2_contingency(crossed, correction=False)[0]
            assert computed == pytest.approx(chi_square, abs=6e-4), name


def test_her2_nomogram_has_the_totals_of_table_3():
    """Training and validation together: morphology 20 + 4, enhancement 66 + 10, 184 + 27, 30 + 3, oedema 142 + 21."""
    table = included("her2_nomogram", centre="study_centre")
    assert table["morphology"].value_counts().to_dict() == {"irregular": 296, "regular": 24}
    assert table["enhancement"].value_counts().to_dict() == {"uneven": 211, "even": 76, "ring": 33}
    assert table["oedema"].value_counts().to_dict() == {"yes": 163, "no": 157}


@pytest.mark.parametrize("seed", [1, 20250715])
def test_her2_nomograms_survival_markers_and_immune_cells_test_as_published(seed):
    """Log-rank p < 0.001 twice; six markers and four kinds of cell p < 0.001; CD4 not significant; Table 1's p > 0.05."""
    from lifelines.statistics import logrank_test

    table = included("her2_nomogram", centre="study_centre", seed=seed)
    positive = table["outcome"] == "1"
    for end in ("pfs", "os"):
        months, event = table[f"{end}_months"].astype(float), table[f"{end}_event"].astype(int)
        test = logrank_test(months[positive], months[~positive], event[positive], event[~positive])
        assert test.p_value < 0.001
    for name in ("ca153", "cea", "ca2729", "cyfra211", "afp", "s100", "cd8", "m1", "treg", "tam"):
        values = table[name].astype(float)
        assert stats.ttest_ind(values[positive], values[~positive]).pvalue < 0.001, name
        assert values[positive].mean() > values[~positive].mean()
    for name in ("cd4", "age", "tumour_volume", "follow_up"):
        values = table[name].astype(float)
        assert stats.ttest_ind(values[positive], values[~positive]).pvalue > 0.01, name


def test_her2_peritumorals_univariate_p_values_are_the_published_ones():
    """Results 3.1, 202 patients: ER, PR, spiculation p < 0.001, uneven margins p = 0.019, TIC type p = 0.007.

    The paper's table is not available, so that the counts behind these p values are ours.
    """
    table = included("her2_peritumoral", centre="first_period")
    assert (table["outcome"] == "1").sum() == 70
    codes = {"tic_type": {"persistent": 0, "plateau": 1, "wash-out": 2}}
    p = {}
    for name in ("er", "pr", "spiculation", "uneven_margins", "tic_type"):
        coded = table[name].map(codes.get(name, {"negative": 0, "positive": 1, "no": 0, "yes": 1}))
        fit = sm.Logit(table["outcome"].astype(int), sm.add_constant(coded.astype(float))).fit(disp=0)
        p[name] = fit.pvalues[name]
    assert max(p["er"], p["pr"], p["spiculation"]) < 0.001
    assert round(p["uneven_margins"], 3) == 0.019
    assert round(p["tic_type"], 3) == 0.007
