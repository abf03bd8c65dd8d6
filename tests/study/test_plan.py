"""From a configuration to targets: every study, variant and cohort is planned; a held-out centre never trains."""

from __future__ import annotations

import pytest

from her2radiomics.article.journals import read_journal
from her2radiomics.cohort.settings import Cohort
from her2radiomics.core.errors import SettingsError
from her2radiomics.core.settings import read_yaml, validate
from her2radiomics.study.manuscript_inputs import figure_inputs, paths_in, table_inputs
from her2radiomics.study.plan import Plan

STUDIES = ("nat_response",)


def variants(root) -> list[tuple[str, str]]:
    return [
        (study, variant)
        for study in STUDIES
        for variant in ("default", *read_yaml(root / f"workflow/studies/{study}.yaml").get("variants", {}))
    ]


def planned(root, *runs: dict, **config) -> Plan:
    return Plan({"runs": list(runs), **config}, root / "workflow")


@pytest.mark.parametrize("size", ["demo", "published"])
def test_every_variant_is_planned_with_a_figure_and_a_table(root, size):
    for study, variant in variants(root):
        plan = planned(root, {"study": study, "variant": variant}, size=size)
        (run,) = plan.runs.values()
        assert run.id == (study if variant == "default" else f"{study}--{variant}--simulated")
        assert run.targets("figures") and run.targets("tables") and run.targets("extraction")
        assert set(run.targets("report")) <= set(plan.targets("all"))


def test_the_published_size_has_the_papers_counts(root):
    """68 (42 pCR) train at centre 1, 65 (44 pCR) test at centre 2: Results of the paper."""
    (run,) = planned(root, {"study": "nat_response"}, size="published").runs.values()
    counts = {
        name: (int((run.partition == name).sum()), int(run.labels[run.partition == name].sum()))
        for name in run.partitions
    }
    assert counts == {"training": (68, 42), "testing": (65, 44)}


def test_extractions_are_shared_by_runs_with_the_same_parameters(root):
    plan = planned(root, {"study": "nat_response"}, {"study": "nat_response", "variant": "dce_volume"})
    first, second = plan.runs.values()
    assert first.dataset is second.dataset
    shared = set(first.batches("batch_qc")) & set(second.batches("batch_qc"))
    assert {stem.split("/")[-2] for stem in shared} == {"T2FS", "DWI"}
    assert {path.split("/")[-2] for path in set(first.batches("batch_qc")) - shared} == {"DCE2"}


def test_batches_hold_every_patient_once(root):
    (run,) = planned(root, {"study": "nat_response"}).runs.values()
    batches = run.dataset.batches
    assert [patient for batch in batches.values() for patient in batch] == run.patients
    assert {len(batch) for batch in list(batches.values())[:-1]} == {24}
    assert next(iter(batches)) == "batch_0001"


def test_what_a_figure_or_table_is_made_from_is_made_by_the_run(root):
    (run,) = planned(root, {"study": "nat_response"}).runs.values()
    for figure in run.protocol.figures:
        assert all(path.startswith(f"results/{run.id}/") for path in paths_in(figure_inputs(run, figure)))
    for table in run.protocol.tables:
        assert paths_in(table_inputs(run, table))


def test_a_named_centre_is_held_out(root, tmp_path):
    """Any centre can be the external test: its patients are in no other partition."""
    import shutil

    import yaml

    shutil.copytree(root / "workflow", tmp_path / "workflow")
    path = tmp_path / "workflow/studies/nat_response.yaml"
    content = read_yaml(path)
    content["partitions"] = {"kind": "random", "training": 0.7, "external_centres": ["centre_2"]}
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (run,) = planned(tmp_path, {"study": "nat_response"}).runs.values()
    centres = run.participants.set_index("patient_id")["centre"].loc[run.partition.index]
    assert set(centres[run.partition == "external"]) == {"centre_2"}
    assert set(centres[run.partition != "external"]) == {"centre_1"}
    assert run.partitions == ["training", "testing", "external"]


def test_another_seed_is_another_cohort_and_the_same_seed_the_same(root):
    def ages(seed):
        (run,) = planned(root, {"study": "nat_response"}, seed=seed).runs.values()
        return run.participants["age"].tolist()

    assert ages(1) == ages(1)
    assert ages(1) != ages(2)


def test_a_null_cohort_has_the_same_patients_and_other_outcomes(root):
    def run(strength):
        (made,) = planned(root, {"study": "nat_response"}, strength=strength).runs.values()
        return made

    null, planted = run(0), run(4)
    assert null.participants["ki67"].tolist() == planted.participants["ki67"].tolist()
    assert null.labels.tolist() != planted.labels.tolist()
    assert null.labels.sum() == planted.labels.sum()


def test_data_for_a_cohort_that_does_not_exist_is_refused(root, tmp_path):
    with pytest.raises(SettingsError, match=r"data\.ispy3: there is no cohort file"):
        planned(root, {"study": "nat_response"}, data={"ispy3": str(tmp_path)})


def test_a_demo_takes_fewer_resamples(root):
    demo, published = (planned(root, {"study": "nat_response"}, size=s) for s in ("demo", "published"))
    asked = [plan.runs["nat_response"].protocol.evaluation.pipeline_bootstrap for plan in (demo, published)]
    assert asked == [5, 40]
    # what differs is said by the methods, which are written from the same settings; what is not laid over stays
    assert demo.runs["nat_response"].protocol.evaluation.bootstrap == 1000
    with pytest.raises(SettingsError, match="only a simulated cohort has an 'at_size' section"):
        validate(Cohort, {"title": "x", "kind": "tables", "at_size": {"demo": {}}}, "x.yaml")
    with pytest.raises(SettingsError, match="at_size.tiny"):
        validate(Cohort, {"title": "x", "kind": "simulated", "at_size": {"tiny": {}}}, "x.yaml")


def test_a_journal_asks_for_its_figures_with_the_manuscript(root):
    (plain,) = planned(root, {"study": "nat_response"}).runs.values()
    (bmc,) = planned(root, {"study": "nat_response"}, journal="bmc").runs.values()
    usual = {
        f"results/nat_response/manuscript/{name}" for name in ("manuscript.docx", "manuscript.tex", "references.ris")
    }
    assert usual <= set(plain.targets("manuscript")) <= set(plain.targets("all"))
    more = set(bmc.targets("manuscript")) - set(plain.targets("manuscript"))
    assert more == {f"results/nat_response/figures/{figure.id}.tiff" for figure in bmc.protocol.figures}
    assert more <= set(bmc.targets("all")) and not more & set(bmc.declared_files())
    assert bmc.journal_files == ("workflow/journals/bmc.yaml", "workflow/journals/numbered.csl")


def test_an_unknown_journal_or_reference_style_is_named(root, tmp_path):
    with pytest.raises(SettingsError, match="frontier.yaml: no such file. Did you mean 'frontiers'"):
        planned(root, {"study": "nat_response"}, journal="frontier")
    path = tmp_path / "mine.yaml"
    path.write_text("{name: Mine, references: nature}", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"no style 'nature.csl' beside the profile, expected one of none"):
        read_journal(path)
