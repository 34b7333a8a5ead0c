from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from gate.domain.columns import Kind
from gate.domain.evidence import Grouped, Measured, Missing
from gate.domain.need import ANY, Quality
from gate.evidence.quality import _NO_CHAMPION

ROWS = 1200
RNG = np.random.default_rng(5)
TARGET = RNG.normal(20, 5, ROWS)
REGRESSION = pd.DataFrame({
    "y": np.where(np.arange(ROWS) % 10 == 0, np.nan, TARGET),
    "p": TARGET + RNG.normal(0.2, 1, ROWS),
    "q": TARGET + RNG.normal(0.1, 2, ROWS),
    "season": np.repeat(["spring", "summer", "autumn"], ROWS // 3),
})  # fmt: skip
LABELLED = REGRESSION.dropna()
SCORE = RNG.random(ROWS)
CLASSES = pd.DataFrame({
    "y": np.where(RNG.random(ROWS) < SCORE, "yes", "no"), "s": SCORE,
    "old": np.clip(SCORE + RNG.normal(0, 0.3, ROWS), 0, 1),
})  # fmt: skip
CLASSES["label"] = np.where(CLASSES.s >= 0.4, "yes", "no")
CLASSES["old_label"] = np.where(CLASSES.old >= 0.5, "yes", "no")


@pytest.fixture(scope="module")
def regression(pair_of):
    return pair_of(REGRESSION, REGRESSION, task="regression", target="y", prediction="p", champion_prediction="q")


def classes_of(pair_of, **roles):
    return pair_of(CLASSES, CLASSES, task="classification", target="y", positive="yes", **roles)


def test_errors_rest_on_the_labelled_rows(regression):
    mae = regression.read(Quality(ANY, "mae", confidence=0.95))
    assert mae.value == pytest.approx(sk.mean_absolute_error(LABELLED.y, LABELLED.p))
    assert mae.rows == len(LABELLED)
    assert mae.details == {"unlabelled": ROWS - len(LABELLED)}
    assert mae.interval[0] < mae.value < mae.interval[1]


def test_the_champion_is_compared_on_the_same_rows(regression):
    need = Quality(ANY, "mae", of="increase", confidence=0.95)
    champion, increase = regression.gather(Quality(ANY, "mae", of="champion"), need).evidence.values()
    ours, theirs = sk.mean_absolute_error(LABELLED.y, LABELLED.p), sk.mean_absolute_error(LABELLED.y, LABELLED.q)
    assert champion.value == pytest.approx(theirs)
    assert increase.value == pytest.approx(ours - theirs)
    assert increase.details == {
        "unlabelled": ROWS - len(LABELLED), "candidate": pytest.approx(ours), "champion": pytest.approx(theirs),
        "paired": True,
    }  # fmt: skip
    assert increase.interval[0] < increase.value < increase.interval[1]


def test_a_relative_increase_is_in_units_of_the_champion(regression):
    plain, relative = regression.gather(
        Quality(ANY, "mae", of="increase"), Quality(ANY, "mae", of="increase", relative=True)
    ).evidence.values()  # fmt: skip
    assert relative.value == pytest.approx(plain.value / plain.details["champion"])


def test_a_champion_without_predictions_is_missing_and_says_how_to_give_them(pair_of):
    pair = pair_of(REGRESSION, REGRESSION, task="regression", target="y", prediction="p")
    assert pair.read(Quality(ANY, "mae", of="increase")) == Missing(_NO_CHAMPION)
    assert _NO_CHAMPION == (
        "the champion's predictions are not known: put them beside the candidate's, on the same rows, and name their "
        "column under champion.predictions in the policy"
    )


def test_a_group_that_only_the_reference_has_is_missing_and_never_absent(pair_of):
    current = REGRESSION[REGRESSION.season != "summer"].assign(y=lambda f: f.y.where(f.season != "autumn"))
    pair = pair_of(REGRESSION, current, task="regression", target="y", prediction="p")
    read = pair.read(Quality(ANY, "mae", by="season"))
    assert isinstance(read, Grouped)
    groups = dict(read.readings)
    assert list(groups) == ["autumn", "spring", "summer"]
    assert groups["autumn"] == Missing("no labelled rows")
    spring = LABELLED[LABELLED.season == "spring"]
    assert groups["spring"].value == pytest.approx(sk.mean_absolute_error(spring.y, spring.p))
    assert groups["summer"] == Missing("current has no rows where season is 'summer'")


def test_a_group_that_is_new_in_current_is_judged_too(pair_of):
    reference = REGRESSION[REGRESSION.season != "summer"]
    pair = pair_of(reference, REGRESSION, task="regression", target="y", prediction="p")
    assert [name for name, _ in pair.read(Quality(ANY, "mae", by="season")).readings] == ["autumn", "spring", "summer"]


def test_labels_are_the_models_own_where_it_gives_them(pair_of):
    pair = classes_of(pair_of, prediction="label", score="s")
    read = pair.read(Quality(ANY, "accuracy", confidence=0.95))
    assert read.value == pytest.approx(sk.accuracy_score(CLASSES.y, CLASSES.label))
    assert read.method == "wilson"


@pytest.mark.parametrize(
    ("threshold", "cut", "method"),
    [(None, 0.5, "wilson, 'yes' from s 0.5 on (the default)"), (0.3, 0.3, "wilson, 'yes' from s 0.3 on")],
)
def test_scores_are_cut_at_the_threshold_and_the_method_says_where(pair_of, threshold, cut, method):
    read = classes_of(pair_of, score="s", threshold=threshold).read(Quality(ANY, "accuracy", confidence=0.95))
    assert read.value == pytest.approx(sk.accuracy_score(CLASSES.y == "yes", CLASSES.s >= cut))
    assert read.method == method


def test_scores_rank_and_are_compared_with_the_champions(pair_of):
    pair = classes_of(pair_of, score="s", champion_score="old")
    auc, increase = pair.gather(
        Quality(ANY, "roc_auc", confidence=0.95), Quality(ANY, "roc_auc", of="increase")
    ).evidence.values()  # fmt: skip
    ours, theirs = (sk.roc_auc_score(CLASSES.y == "yes", CLASSES[column]) for column in ("s", "old"))
    assert auc.value == pytest.approx(ours, abs=1e-4)
    assert auc.interval[0] < auc.value < auc.interval[1]
    assert increase.value == pytest.approx(ours - theirs, abs=2e-4)
    assert increase.details["paired"] is True


def test_several_classes_are_averaged_and_their_losses_summed(pair_of):
    rng = np.random.default_rng(6)
    chances = rng.dirichlet([2, 2, 2], ROWS)
    frame = pd.DataFrame(chances, columns=["pa", "pb", "pc"])
    frame["y"] = [rng.choice(["a", "b", "c"], p=row) for row in chances]
    frame["label"] = np.array(["a", "b", "c"])[chances.argmax(axis=1)]
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label",
                   scores={"a": "pa", "b": "pb", "c": "pc"})  # fmt: skip
    f1, loss, auc = pair.gather(
        Quality(ANY, "f1", average="macro"), Quality(ANY, "log_loss"), Quality(ANY, "roc_auc")
    ).evidence.values()  # fmt: skip
    assert f1.value == pytest.approx(sk.f1_score(frame.y, frame.label, average="macro"))
    assert loss.value == pytest.approx(sk.log_loss(frame.y, chances))
    assert auc == Missing("roc_auc is for two classes: it needs data.columns.score and positive")


def test_what_the_policy_does_not_name_is_said(pair_of):
    frame = REGRESSION.assign(label="a")
    bare = pair_of(frame, frame)
    no_prediction = pair_of(frame, frame, target="y")
    no_positive = pair_of(frame, frame, target="label", score="p")
    assert bare.read(Quality(ANY, "mae")) == Missing(
        "mae needs a target column (data.columns.target), and the policy names none"
    )
    assert no_prediction.read(Quality(ANY, "mae")) == Missing(
        "mae needs data.columns.prediction, which the policy does not name"
    )
    assert no_positive.read(Quality(ANY, "roc_auc")) == Missing(
        "roc_auc needs data.columns.positive, which the policy does not name"
    )
    assert bare.read(Quality(ANY, "smape")) == Missing("there is no metric 'smape'")


def test_columns_that_are_not_there_are_named(pair_of):
    pair = pair_of(REGRESSION, REGRESSION.drop(columns="p"), target="y", prediction="p")
    assert pair.read(Quality(ANY, "mae")) == Missing("p is absent in current")
    pair = pair_of(REGRESSION.drop(columns="season"), REGRESSION, target="y", prediction="p")
    assert pair.read(Quality(ANY, "mae", by="season")) == Missing("season is absent in reference")


def test_one_class_alone_has_no_area_under_the_curve(pair_of):
    frame = CLASSES.assign(y="yes")
    pair = pair_of(frame, frame, task="classification", target="y", positive="yes", score="s")
    read = pair.read(Quality(ANY, "roc_auc"))
    assert read == Missing("roc_auc needs both classes: all 1,200 labelled rows are positive", rows=ROWS)


def test_a_labelled_row_without_a_prediction_makes_the_metric_missing(pair_of):
    frame = REGRESSION.assign(p=REGRESSION.p.where(REGRESSION.index != 1))
    read = pair_of(frame, frame, target="y", prediction="p").read(Quality(ANY, "mae"))
    assert isinstance(read, Missing)
    assert "1 of 1,080 labelled rows" in read.reason


def test_a_number_pinned_as_a_class_is_compared_by_its_text(pair_of):
    frame = pd.DataFrame({"y": [0, 1, 1, 0], "label": [0, 1, 0, 0]})
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label", positive="1",
                   kinds={"y": Kind.CATEGORICAL, "label": Kind.CATEGORICAL})  # fmt: skip
    recall = pair.read(Quality(ANY, "recall"))
    assert isinstance(recall, Measured)
    assert recall.value == 0.5


# --- classes that do not meet -----------------------------------------------------------------------------------------

LABELS = pd.DataFrame({"y": ["a", "b", "c"] * 40, "p": ["a", "b", "b"] * 40})


def labels_of(pair_of, current, reference=LABELS, **roles):
    return pair_of(reference, current, task="classification", target="y", prediction="p", **roles)


def test_a_misspelt_class_is_named_beside_those_there_are(pair_of):
    precision = labels_of(pair_of, LABELS, positive="A").read(Quality(ANY, "precision"))
    assert precision == Missing(
        "data.columns.positive names the class 'A', which y never has; its classes are 'a', 'b', 'c'", rows=120
    )
    cut = pair_of(CLASSES, CLASSES, task="classification", target="y", positive="Yes", score="s")
    for metric in ("accuracy", "brier"):
        assert cut.read(Quality(ANY, metric)).reason.startswith("data.columns.positive names the class 'Yes'")
    frame = CLASSES.assign(n=1 - CLASSES.s)
    pair = pair_of(frame, frame, task="classification", target="y", scores={"yes": "s", "No": "n"})
    assert pair.read(Quality(ANY, "log_loss")).reason.startswith("data.columns.scores names the class 'No'")


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1"])
def test_a_class_that_nobody_has_labelled_yet_is_missing(pair_of, metric):
    average = "macro" if metric == "f1" else None
    need = Quality(ANY, metric, average=average)
    current = LABELS.assign(y=LABELS.y.where(LABELS.y != "c"))
    assert labels_of(pair_of, current).read(need) == Missing(
        "the class 'c' is in the reference but in none of the labelled current rows", rows=80
    )
    assert isinstance(labels_of(pair_of, current, LABELS.drop(columns="y")).read(need), Measured)
    assert isinstance(labels_of(pair_of, LABELS, current).read(need), Measured)


def test_predictions_that_are_no_class_are_not_simply_wrong(pair_of):
    foreign = LABELS.assign(q=LABELS.p.str.upper())
    need = Quality(ANY, "accuracy", of="increase")
    assert labels_of(pair_of, foreign, champion_prediction="q").read(need) == Missing(
        "none of the champion's predictions ('A', 'B') is a class of the target ('a', 'b', 'c')", rows=120
    )


def test_rows_without_a_segment_are_a_segment_that_can_get_lost(pair_of):
    reference = REGRESSION.assign(season=REGRESSION.season.where(REGRESSION.season != "summer"))
    pair = pair_of(reference, REGRESSION, task="regression", target="y", prediction="p")
    groups = dict(pair.read(Quality(ANY, "mae", by="season")).readings)
    assert groups["(missing)"] == Missing("current has no rows where season is '(missing)'")


def test_the_smaller_class_is_told(pair_of):
    read = classes_of(pair_of, score="s").read(Quality(ANY, "roc_auc"))
    assert read.details["smaller_class"] == min(CLASSES.y.value_counts())
    read = classes_of(pair_of, prediction="label").read(Quality(ANY, "f1"))
    assert read.details["smaller_class"] == min(CLASSES.y.value_counts())
