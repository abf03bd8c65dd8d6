"""ComBat against R's sva and neuroCombat; unseen centres; saving; what it refuses; the trap of harmonising first."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from her2radiomics.core.columns import Column
from her2radiomics.core.errors import SettingsError, StudyError, TableError
from her2radiomics.modelling import build_model, cross_validated_scores, from_dict, model_table, pipeline_refit, to_dict
from her2radiomics.modelling.base import Training
from her2radiomics.modelling.centres import check_partitions
from her2radiomics.modelling.harmonisation import CombatFit, fit_combat
from her2radiomics.modelling.people import People
from her2radiomics.modelling.settings import parse_models
from her2radiomics.modelling.steps.combat import CombatStep

COLUMNS = {
    "age": Column(label="Age", kind="continuous"),
    "grade": Column(label="Grade", kind="categorical", levels={"0": "0", "1": "1", "2": "2"}),
    "scanner": Column(label="Scanner", kind="categorical", levels={"A": "A", "B": "B"}),
}


def example() -> tuple[np.ndarray, np.ndarray, pd.DataFrame, np.ndarray]:
    """36 rows × 8 columns of three centres with locations and scales of their own; covariates; a label."""
    n, p = 36, 8
    i, j = np.arange(n)[:, None], np.arange(p)[None, :]
    number = np.repeat([0, 1, 2], [16, 12, 8])
    x = np.sin(1.3 * (i + 1) * (j + 1) + 0.7 * j**2) + 0.5 * np.cos(2.1 * (i + 2) * (1 + j % 3))
    x = x * (1 + 0.4 * number[:, None] * ((j % 2) + 0.5)) + 0.6 * (number[:, None] - 1) * (1 + 0.3 * np.cos(j))
    x = (x + 0.5 * np.sin(i) * (j % 4)) * 10.0 ** (j % 3) + 5 * j
    people = pd.DataFrame(
        {
            "centre": number.astype(str),
            "age": 50 + 10 * np.sin(3.0 * np.arange(n)),
            "grade": ((np.arange(n) * 7) % 3).astype(str),
        },
        index=[f"P{k:02d}" for k in range(n)],
    )
    return x, number.astype(str), people, (np.arange(n) * 5 % 7 < 3).astype(int)


def design(people: pd.DataFrame) -> np.ndarray:
    return np.column_stack([people["age"], people["grade"] == "1", people["grade"] == "2"]).astype(float)


def applied(fit: CombatFit, x: np.ndarray, centre: np.ndarray, block: np.ndarray) -> np.ndarray:
    place = np.searchsorted(fit.centres, centre)
    expected = fit.mean + block @ fit.weights
    return (x - expected - (fit.pooled * fit.gamma)[place]) / np.sqrt(fit.delta)[place] + expected


# R 4.2.2, sva 3.46.0, with x and p (centre, age, grade, label) as in example(); rows 1, 20 and 36 of the result.
#   f <- get("it.sol", asNamespace("sva")); formals(f)$conv <- 1e-15    # and put back with assign(): sva stops at 1e-4,
#   mod <- model.matrix(~age + factor(grade))                           # which here is 5.5e-6 of a feature's SD away
#   plain: ComBat(t(x), centre); covariates: ComBat(t(x), centre, mod = mod); nonparametric: (…, par.prior = FALSE);
#   mean_only: (…, mean.only = TRUE); reference: (…, ref.batch = 1); label: mod = model.matrix(~age + factor(grade) + label)
#   flat: x[centre == 1, 3] <- 4 before it
SVA = {
    "plain": [
        [0.496435946917104, -2.17566512928621, 89.2797953001929, 13.589917656094, 3.21381012202577, 80.1394613601132,
         29.6803470120563, 37.6683170339245],
        [1.34144594356925, 21.8194638952932, -8.62147526178831, 15.3736183592583, 26.7708590306394, 6.46691106524013,
         30.4856848131052, 38.0967253394511],
        [-0.112724450325483, 1.44088277253201, -87.7278388807871, 11.9988446964015, 21.8281067085567, 99.8285491631336,
         30.0891033640945, 31.310022298855],
    ],
    "covariates": [
        [0.460380109931755, -1.32406327002176, 89.5144670437398, 13.7064608355548, 3.99601419460523, 81.187273333258,
         29.6917235863356, 37.3716129702573],
        [1.41390687263293, 22.4993775659878, -7.29443066323302, 15.4529424313589, 27.3941826994196, 6.59194108153039,
         30.5286510981187, 38.5757352079173],
        [-0.197927255718869, 1.37885817967874, -96.0149395594166, 11.7839246957492, 22.950912086963, 94.1265312826399,
         30.0779866652712, 33.489042008789],
    ],
    "nonparametric": [
        [0.397641953660035, -0.776348357183194, 93.1710888266416, 14.0173090533749, 5.09950377821114, 79.4839022695832,
         29.6949279169021, 37.7182157857013],
        [1.39654184770335, 22.5170291598096, -6.600247841336, 15.4510840595907, 27.192423794863, 10.0060251410875,
         30.5260483628678, 38.5548633329716],
        [-0.0586426813473732, 1.23033809386431, -96.0452367877291, 11.3789447187984, 21.5799277322344, 95.4207489406544,
         30.0435860179083, 32.9461941517982],
    ],
    "mean_only": [
        [0.25228823005932, -1.97715650397711, 87.4305241522852, 14.1336303840731, 5.71759591576431, 68.427990025705,
         29.637691653057, 36.555953471752],
        [1.48960297693691, 23.6206645926214, -14.21182487689, 15.4273918828081, 27.7143203966294, -0.0744471557487003,
         30.5435278412752, 38.480066219449],
        [0.0941712763945208, 1.76980198320721, -131.903693087987, 10.7922776629878, 22.3455682070905, 110.221688437741,
         30.22741555327, 31.7051085765565],
    ],
    "reference": [
        [0.509926420683232, -0.340481988425063, 94.6979165977093, 13.6342216768877, 3.29364118875116, 97.1116711520663,
         29.7281298191984, 35.1424651169592],
        [1.51091874841471, 23.9225502114672, -11.3104459904574, 15.479284653809, 27.8844482917732, 2.97323699004311,
         30.5721981885967, 38.8356666236481],
        [-0.177891758713257, 1.72853112168775, -101.436205894902, 11.6815533842722, 23.0078131421364, 106.413365043615,
         30.1273341690124, 34.6140517017603],
    ],
    "label": [
        [0.457567474384587, -1.32810646420337, 87.3989486693857, 13.6947259273187, 4.05348649164859, 82.1957043511539,
         29.6798786078147, 36.7586693539253],
        [1.40918618290564, 22.4430334064102, -8.66792344978449, 15.4367914148674, 27.3074063457755, 6.86007253533646,
         30.5136302799279, 38.2620719224578],
        [-0.202285432538657, 1.391140010207, -93.6448451372885, 11.8033495773985, 23.2372336539902, 92.737137954833,
         30.1202383673516, 34.5815457448901],
    ],
    "flat": [
        [0.475384411776318, -1.22515832566254, 47.9473643945586, 13.6821010021987, 3.95347652354013, 82.7192142275583,
         29.6998920843891, 37.3793998573741],
        [1.41689175148808, 22.5087569638792, 4, 15.4527313825457, 27.4141571182858, 6.29346824957786, 30.5294491142246,
         38.5837895030298],
        [-0.220457500575154, 1.26260468067741, -58.8076663910166, 11.8102583469215, 23.0611965962795, 92.5605421449017,
         30.0649900268949, 33.4289240437518],
    ],
}  # fmt: skip
OPTIONS = {"nonparametric": {"parametric": False}, "mean_only": {"mean_only": True}, "reference": {"reference": "1"}}


@pytest.mark.parametrize("variant", SVA)
def test_combat_is_svas(variant):
    """To 1e-12 of each feature's scale (sva's shrinkage iterated to convergence)."""
    x, centre, people, labels = example()
    block = np.empty((36, 0)) if variant == "plain" else design(people)
    if variant == "label":
        block = np.column_stack([block, labels])
    if variant == "flat":
        x[centre == "1", 2] = 4
    fit = fit_combat(x, centre, block, **OPTIONS.get(variant, {}))
    found = applied(fit, x, centre, block)[[0, 19, 35]]
    np.testing.assert_allclose((found - SVA[variant]) / x.std(axis=0), 0, atol=1e-12)
    assert fit.adjusted.tolist() == [variant != "flat" or k != 2 for k in range(8)]


def test_the_shrunken_estimates_are_neurocombats():
    """neuroCombat 0.2.12 with it_sol's conv = 1e-15; its stopping rule ignores negative changes, hence 1e-8.

    neuroCombat(dat=x.T, covars, batch_col="batch", categorical_cols=["grade", "label"], continuous_cols=["age"]),
    estimates gamma.star and delta.star of the first four features.
    """
    x, centre, people, labels = example()
    fit = fit_combat(x, centre, np.column_stack([design(people), labels]))
    gamma = [
        [-0.5614419055275885, -0.44070804898438737, -0.33395913429422563, -0.2034584824211858],
        [0.028204210904541817, 0.03498452016677534, 0.03162622972310634, 0.03271180478457944],
        [1.0974615207867195, 0.7757068504832535, 0.6190671582323188, 0.3787747654256193],
    ]
    delta = [
        [0.8383187431930841, 0.7465863099757252, 0.819521133574964, 0.7318055012839184],
        [1.1845011647642019, 1.203818740055721, 1.1905999236314064, 1.202007800190818],
        [1.4469951444994262, 1.4662936540491978, 1.4178953244896175, 1.5069540846519345],
    ]
    np.testing.assert_allclose(fit.gamma[:, :4], gamma, atol=2e-8)
    np.testing.assert_allclose(fit.delta[:, :4], delta, atol=2e-8)


def frame(x: np.ndarray, index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame(x, index=index, columns=[f"f{k}" for k in range(x.shape[1])])


def step(people: pd.DataFrame, **settings) -> SimpleNamespace:
    """The step, to be fitted on rows of these patients."""
    training, combat = Training(people=People(people, COLUMNS)), CombatStep(step="combat", **settings)
    return SimpleNamespace(fit=lambda X, y: combat.fit(X, y, training))


def test_the_step_is_combat_and_keeps_all_features():
    x, _, people, y = example()
    X = frame(x, people.index)
    fitted = step(people, covariates=("age", "grade")).fit(X, y)
    found = fitted.transform(X)
    np.testing.assert_allclose((found.to_numpy()[[0, 19, 35]] - SVA["covariates"]) / x.std(axis=0), 0, atol=1e-12)
    assert fitted.note == "0 (16), 1 (12), 2 (8); kept: age, grade"
    plain = step(people).fit(X, y)
    np.testing.assert_allclose(
        (plain.transform(X).to_numpy()[[0, 19, 35]] - SVA["plain"]) / x.std(axis=0), 0, atol=1e-12
    )
    # the order of rows and columns does not matter, nor a shift and scale of a feature before it
    random = np.random.default_rng(0)
    rows, columns = random.permutation(36), random.permutation(8)
    other = (
        step(people, covariates=("age", "grade")).fit(X.iloc[rows, columns], y[rows]).transform(X[X.columns[columns]])
    )
    np.testing.assert_allclose(other[X.columns], found, rtol=1e-10)
    scaled = step(people, covariates=("age", "grade")).fit((X - 3) / 7, y).transform((X - 3) / 7)
    np.testing.assert_allclose(scaled * 7 + 3, found, rtol=1e-8, atol=1e-10)


def test_the_label_helps_to_estimate_and_is_not_used_to_adjust():
    """The centres' effects are those beside the label; a row is adjusted as if it had the mean label."""
    x, centre, people, y = example()
    X = frame(x, people.index)
    fitted = step(people, preserve_label=True).fit(X, y)
    beside = fit_combat(x, centre, y[:, None].astype(float))
    np.testing.assert_allclose(fitted.effects.gamma, beside.gamma, atol=1e-14)
    mean_label = np.full((36, 1), y.mean())
    np.testing.assert_allclose(fitted.transform(X), applied(beside, x, centre, mean_label), rtol=1e-12)
    assert "kept: the label" in fitted.note


def test_a_feature_that_is_constant_within_a_centre_survives():
    x, centre, people, y = example()
    x[centre == "1", 2], x[:, 5] = 4.0, 0.1
    X = frame(x, people.index)
    fitted = step(people).fit(X, y)
    found = fitted.transform(X)
    assert np.isfinite(found.to_numpy()).all()
    np.testing.assert_array_equal(found[["f2", "f5"]], X[["f2", "f5"]])
    assert "2 constant within a centre, left as they are" in fitted.note
    alone = step(people).fit(X[["f0"]], y)
    assert "one feature: no shrinkage" in alone.note
    around = X["f0"].to_numpy() - alone.effects.mean[0]
    for number, name in enumerate("012"):
        rows = centre == name
        assert alone.effects.gamma[number, 0] * alone.effects.pooled[0] == pytest.approx(around[rows].mean())
    assert step(people).fit(X[["f5"]], y).transform(X[["f5"]]).equals(X[["f5"]])
    assert step(people).fit(X.iloc[:, :0], y).transform(X.iloc[:, :0]).shape == (36, 0)
    twins = X[["f0"]].assign(f1=X["f0"], f2=X["f0"])  # equal estimates: a prior without spread
    assert np.isfinite(step(people).fit(twins, y).transform(twins).to_numpy()).all()


# ------------------------------------------------------------------------------------------------------- what it refuses


def test_what_cannot_be_learned_is_refused_by_name():
    x, centre, people, y = example()
    X = frame(x, people.index)

    def fit(table, **settings):
        return step(table, **settings).fit(X.loc[table.index], y[: len(table)])

    with pytest.raises(StudyError, match=r"one training centre \(0\).*Remove the step"):
        fit(people.iloc[:16])
    with pytest.raises(StudyError, match="1 training patient of centre '1', expected 2 or more.*mean_only"):
        fit(people.iloc[:17])
    assert fit(people.iloc[:17], mean_only=True).effects.centres == ("0", "1")
    with pytest.raises(StudyError, match="found '9', expected a centre that trains: 0, 1, 2"):
        fit(people, reference="9")
    with pytest.raises(TableError, match="patient P03, column 'centre': found no value"):
        fit(people.assign(centre=people["centre"].where(people.index != "P03", "")))
    with pytest.raises(TableError, match="column 'scanner': found no such column"):
        fit(people, batch="scanner")
    confounded = people.assign(grade=np.where(centre == "1", "1", "0"))
    with pytest.raises(StudyError, match="cannot be separated from the centres"):
        fit(confounded, covariates=("grade",))
    with pytest.raises(StudyError, match="found 'stage', expected one of the protocol's columns: age"):
        fit(people, covariates=("stage",))
    with pytest.raises(TableError, match="column 'scanner'.*covariates"):
        fit(people, covariates=("scanner",))
    with pytest.raises(TableError, match="patient P00: found no row"):
        step(people.iloc[1:]).fit(X, y)
    # two copies of one patient, as a bootstrap draws them, are one patient
    drawn = [*range(16), 20, 20]
    with pytest.raises(StudyError, match="1 training patient of centre '1'"):
        step(people).fit(X.iloc[drawn], y[drawn])


def test_partitions_are_checked_before_any_job():
    centres = pd.Series(["1"] * 30 + ["2"] * 25 + ["3"] * 19 + ["4"], index=[f"P{k}" for k in range(75)])

    def check(training: str, testing: str = "", **settings):
        names = {**dict.fromkeys(training, "training"), **dict.fromkeys(testing, "testing")}
        used = centres[centres.isin(list(names))]
        check_partitions(CombatStep(step="combat", **settings), used, used.map(names), "run r: models.m")

    check("12")
    check("123", "", reference="3")
    check("13", "2", unseen="adapt")
    check("12", "34", unseen="pass_through")
    with pytest.raises(StudyError, match=r"^run r: models.m: combat learns how centres differ, and found one"):
        check("1", "2", unseen="adapt")
    with pytest.raises(StudyError, match="1 training patient of centre '4'"):
        check("14")
    with pytest.raises(StudyError, match=r"testing partition: found centre '3' \(19 patients\).*expected 1, 2\. Train"):
        check("12", "3")
    with pytest.raises(StudyError, match="cannot adapt to centre '3': found 19 patients, expected at least 20"):
        check("12", "3", unseen="adapt")


def test_a_plan_with_one_training_centre_is_refused(root, tmp_path):
    """nat_response trains at one centre: a variant that asks for ComBat is refused before a job starts."""
    import shutil

    import yaml

    from her2radiomics.study.plan import Plan

    workflow = tmp_path / "workflow"
    shutil.copytree(root / "workflow", workflow)
    path = workflow / "studies/nat_response.yaml"
    protocol = yaml.safe_load(path.read_text(encoding="utf-8"))
    name = next(n for n, m in protocol["models"].items() if m["kind"] == "radiomics")

    def plan(**settings):
        chain = [{"step": "combat", **settings}, *protocol["models"][name]["steps"]]
        changed = {**protocol["models"], name: {**protocol["models"][name], "steps": chain}}
        path.write_text(yaml.safe_dump({**protocol, "models": changed}, sort_keys=False), encoding="utf-8")
        return Plan({"runs": [{"study": "nat_response"}]}, workflow)

    with pytest.raises(StudyError, match=rf"nat_response: models\.{name}: combat .* one training centre"):
        plan()
    with pytest.raises(SettingsError, match="unsen': did you mean 'unseen'"):
        plan(unsen="adapt")
    with pytest.raises(SettingsError, match="covariates: 'agee' is not declared; did you mean"):
        plan(covariates=["agee"])
    with pytest.raises(SettingsError, match="is the label.*preserve_label"):
        plan(covariates=[protocol["label"]["column"]])
    with pytest.raises(SettingsError, match="batch: 'center' is not declared; did you mean 'centre'"):
        plan(batch="center")


# ---------------------------------------------------------------------------------------------- models, saved and loaded


def cohort(seed: int = 0, n: int = 150):
    """Four centres with effects of their own on 30 features; the label depends on a hidden feature."""
    random = np.random.default_rng(seed)
    ids = [f"P{k:03d}" for k in range(n)]
    hidden = random.normal(size=n)
    names = [f"T2FS__tumour__f{k:02d}" for k in range(30)]
    x = random.normal(size=(n, 30))
    x[:, :4] += hidden[:, None]
    number = np.arange(n) % 5
    centre = np.array(["north", "south", "east", "west", "far"])[number]
    for k in range(5):
        x[number == k] = x[number == k] * np.exp(random.normal(0, 0.4, 30)) + random.normal(0, 3, 30)
    people = pd.DataFrame(
        {
            "patient_id": ids,
            "centre": centre,
            "age": random.normal(50, 10, n).round(1),
            "grade": random.choice(["0", "1", "2"], n),
            "scanner": np.where(number % 2 == 0, "A", "B"),
        }
    )
    people.loc[::13, "age"] = np.nan
    features = pd.DataFrame(x * 20 + 100, columns=names).assign(patient_id=ids)
    return features, people, (hidden + 0.7 * random.normal(size=n) > 0).astype(int)


def fitted(steps, features, people, labels, centres=("north", "south", "east", "west"), **kind):
    rows = people["centre"].isin(centres).to_numpy()
    specs = parse_models({"m": {"kind": "radiomics", "steps": steps, **kind}})
    X = model_table(features, people[rows], COLUMNS)
    model = build_model("m", specs, COLUMNS, seed=3).fit(X, labels[rows])
    content = to_dict(model, centres=list(centres), extraction=None, simulated=True)
    return model, from_dict(json.loads(json.dumps(content))), rows, X


CHAIN = [{"step": "z_score"}, {"step": "combat", "covariates": ["age", "grade"]}, {"step": "univariate", "k": 5},
         {"step": "min_max"}]  # fmt: skip


@pytest.mark.parametrize("estimator", ["logistic", "ridge", "random_forest"])
def test_a_saved_model_predicts_a_single_patient_to_the_last_bit(estimator):
    features, people, y = cohort()
    model, saved, rows, X = fitted(CHAIN, features, people, y, estimator={"kind": estimator})
    together = saved.predict(features, people[rows])
    np.testing.assert_array_equal(together["probability"], model.predict_proba(X)[:, 1])
    for k in np.flatnonzero(rows)[[0, 17, 60]]:
        alone = saved.predict(features, people.iloc[[k]])
        expected = together[together["patient_id"] == people["patient_id"][k]].iloc[0]
        assert alone.iloc[0].tolist() == expected.tolist()
    assert set(together["harmonisation"]) == {"learned"}
    # text as a user's table brings it
    text = people[rows].astype({"age": str}).replace("nan", "")
    assert saved.predict(features, text, typed=False)["score"].equals(together["score"])
    filled = saved.imputed(features, people[rows])
    assert set(filled["column"]) == {"age"} and len(filled) == people.loc[rows, "age"].isna().sum()
    assert set(saved.columns) == {"age", "grade"}


def test_harmonised_training_features_are_what_the_rule_predicts_with():
    features, people, y = cohort()
    model, _, _, X = fitted(CHAIN, features, people, y)
    table = model.fitted_.chain.transform(X[[c for c in X if c.startswith("T2FS")]])
    for predictor in model.rule_.features():
        np.testing.assert_allclose(
            predictor.contribution(X), predictor.coefficient * table[predictor.name], rtol=1e-11, atol=1e-11
        )
    assert "harmonised between centres" in model.fitted_.notes[-1]
    assert model.fit_report().selection["name"].tolist()[2] == "combat"


def test_an_unseen_centre_is_refused_by_default():
    features, people, y = cohort()
    _, saved, rows, _ = fitted(CHAIN, features, people, y)
    with pytest.raises(TableError, match=r"patient P004, column 'centre': found centre 'far' \(30 patients\)") as error:
        saved.predict(features, people)
    assert "east, north, south, west" in str(error.value) and "unseen: pass_through" in str(error.value)
    with pytest.raises(TableError, match="column 'centre': found no such column"):
        saved.predict(features, people[rows].drop(columns="centre"))


def test_an_unseen_centre_passes_through_when_asked():
    features, people, y = cohort()
    steps = [{"step": "combat", "unseen": "pass_through"}, {"step": "z_score"}, {"step": "univariate", "k": 5}]
    model, saved, _, _ = fitted(steps, features, people, y)
    predicted = saved.predict(features, people)
    far = (people["centre"] == "far").to_numpy()
    assert predicted["harmonisation"].tolist() == ["passed_through" if f else "learned" for f in far]
    X = model_table(features, people, COLUMNS)
    by_hand = model.rule_.intercept
    for predictor in model.rule_.features():
        _, (shift, scale) = predictor.scalings
        by_hand = by_hand + predictor.coefficient * (X[predictor.name][far] - shift) / scale
    np.testing.assert_allclose(predicted["score"][far], by_hand, rtol=1e-12)
    assert any("marked" in note for note in model.fitted_.notes)


def test_adapting_to_an_unseen_centre_uses_its_own_rows_and_no_label():
    features, people, y = cohort()
    steps = [{"step": "combat", "unseen": "adapt", "covariates": ["age"]}, {"step": "univariate", "k": 5}]
    model, saved, _, _ = fitted(steps, features, people, y)
    far = people[people["centre"] == "far"]
    predicted = saved.predict(features, far)
    assert set(predicted["harmonisation"]) == {"adapted"}
    X = model_table(features, far, COLUMNS)
    age = X["age"].fillna(people.loc[people["centre"] != "far", "age"].median())
    score = model.rule_.intercept
    for predictor in model.rule_.features():
        (adjustment,) = predictor.scalings
        expected = adjustment.expected.intercept + adjustment.expected.predictors[0].coefficient * age
        around = X[predictor.name] - expected
        harmonised = (around - around.mean()) / (around.std(ddof=1) / adjustment.pooled) + expected
        score = score + predictor.coefficient * harmonised
    np.testing.assert_allclose(predicted["score"], score, rtol=1e-10)
    # whoever else is predicted, in whatever order
    mixed = saved.predict(features, people.iloc[::-1]).set_index("patient_id").loc[far["patient_id"], "score"]
    assert mixed.tolist() == predicted["score"].tolist()
    with pytest.raises(TableError, match="found centre 'far' with 19 patients; expected .* 20 patients or more"):
        saved.predict(features, far.iloc[:19])
    assert any("transductive" in note for note in model.fitted_.notes)
    table = replace(model.fitted_.chain["combat"], people=People(model_table(features, people, COLUMNS), COLUMNS))
    names = [c for c in X if c.startswith("T2FS")]
    by_step = table.transform(X[names])
    first = next(model.rule_.features())
    np.testing.assert_allclose(first.contribution(X), first.coefficient * by_step[first.name], rtol=1e-11)


def test_mean_only_adapts_locations_alone():
    features, people, y = cohort()
    steps = [{"step": "combat", "unseen": "adapt", "mean_only": True}, {"step": "univariate", "k": 3}]
    model, saved, _, _ = fitted(steps, features, people, y)
    far = people[people["centre"] == "far"]
    X = model_table(features, far, COLUMNS)
    score = model.rule_.intercept
    for predictor in model.rule_.features():
        mean = predictor.scalings[0].expected.intercept
        score = score + predictor.coefficient * (X[predictor.name] - X[predictor.name].mean() + mean)
    np.testing.assert_allclose(saved.predict(features, far)["score"], score, rtol=1e-10)


def test_a_value_filled_from_training_is_on_the_common_scale_already():
    features, people, y = cohort()
    model, saved, _, X = fitted([{"step": "combat"}, {"step": "univariate", "k": 3}], features, people, y)
    predictor = next(model.rule_.features())
    features.loc[0, predictor.name] = np.nan
    row = model_table(features, people.iloc[[0]], COLUMNS)
    assert predictor.contribution(row)[0] == predictor.coefficient * predictor.fill
    assert saved.imputed(features, people.iloc[[0]])["filled_with"].tolist() == [np.median(X[predictor.name])]


def test_the_centres_effects_go_and_the_signal_stays():
    """With large centre effects, ComBat inside the model raises the cross-validated AUC of one feature."""
    from her2radiomics.statistics import auc

    features, people, y = cohort(n=300)
    X = model_table(features, people, COLUMNS)
    found = {}
    for name, first in (
        ("none", []),
        ("centre", [{"step": "combat"}]),
        ("kept", [{"step": "combat", "preserve_label": True}]),
    ):
        specs = parse_models({"m": {"kind": "radiomics", "steps": [*first, {"step": "univariate", "k": 1}]}})
        model = build_model("m", specs, COLUMNS, seed=1)
        found[name] = auc(y, cross_validated_scores(model, X, y, folds=5, seed=2))
    assert found["centre"] > found["none"] + 0.1
    assert found["kept"] > found["none"] + 0.1
    assert abs(found["centre"] - found["kept"]) < 0.05


def test_clones_learn_again_and_a_lost_centre_is_no_fit():
    features, people, y = cohort()
    model, _, rows, X = fitted(CHAIN, features, people, y)
    labels = y[rows]
    refit = pipeline_refit(model, X, labels)
    some = np.arange(80)
    again = clone(model).fit(X.iloc[some], labels[some])
    np.testing.assert_array_equal(refit(some), again.predict_proba(X)[:, 1])
    assert again.rule_ != model.rule_
    assert refit(np.flatnonzero(X["centre"] != "north")) is None  # all rows cannot be predicted
    assert refit(np.flatnonzero(X["centre"] == "north")) is None  # nothing to learn


def test_combined_and_multivariate_models_and_forced_retention():
    features, people, y = cohort()
    rows = (people["centre"] != "far").to_numpy()
    X = model_table(features, people[rows], COLUMNS)
    steps = [{"step": "z_score"}, {"step": "combat", "covariates": ["grade"]}, {"step": "univariate", "p": 0.5},
             {"step": "elastic_net"}, {"step": "forced_retention"}, {"step": "min_max"}]  # fmt: skip
    specs = parse_models(
        {
            "radiomics": {"kind": "radiomics", "steps": steps},
            "clinical": {"kind": "clinical", "candidates": ["age"], "p_enter": 1.0},
            "nomogram": {"kind": "combined", "of": ["radiomics", "clinical"]},
            "all": {"kind": "multivariate", "features": {"steps": CHAIN}, "candidates": ["age"]},
        }
    )
    for name in ("radiomics", "nomogram", "all"):
        model = build_model(name, specs, COLUMNS, seed=3).fit(X, y[rows])
        saved = from_dict(json.loads(json.dumps(to_dict(model, centres=[], extraction=None, simulated=True))))
        predicted = saved.predict(features, people[rows])
        assert predicted["score"].tolist() == model.decision_function(X).tolist()
        assert set(predicted["harmonisation"]) == {"learned"}
        assert "grade" in saved.columns


# ----------------------------------------------------------------------------------------------------------------- the trap


def test_harmonising_the_whole_table_first_leaks_and_the_step_does_not():
    """Shuffled labels, 20 simulated sites: label-preserving ComBat of all rows lifts the AUC, the step stays at 0.5.

    25 shuffles; the lift must exceed four standard errors, the step's mean must lie within three of 0.5.
    """
    path = Path(__file__).resolve().parents[2] / "benchmarks/harmonisation_trap.py"
    spec = importlib.util.spec_from_file_location("harmonisation_trap", path)
    trap = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(trap)
    X, y = trap.simulated_sites(features=80)
    means = {}
    for way in ("whole table first, label kept", "inside the model, preserve_label"):
        found = trap.null_auc(X, y, way, 25)
        means[way] = (found.mean() - 0.5) / (found.std(ddof=1) / 25**0.5)
    assert means["whole table first, label kept"] > 4
    assert abs(means["inside the model, preserve_label"]) < 3
