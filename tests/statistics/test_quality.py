"""Quality metrics against scikit-learn on the rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from gate.domain.metrics import METRICS
from gate.statistics.confusion import require_shared_classes, smaller_class
from gate.statistics.errors import Undefined
from gate.statistics.intervals import mean_interval, paired_shares_interval, wilson
from gate.statistics.parts import LossSums
from gate.statistics.quality import Estimate, difference, estimate, increase

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:y_pred contains")

labels = st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=1, max_size=60)
scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)), min_size=2, max_size=60
).filter(lambda rows: len({truth for truth, _ in rows}) == 2)
numbers = st.lists(st.tuples(*[st.floats(-1e3, 1e3).map(lambda x: round(x, 3))] * 3), min_size=3, max_size=60)


def refused(metric, part, **arguments):
    with pytest.raises(Undefined) as raised:
        estimate(metric, part, **arguments)
    return str(raised.value)


# --- classes ---------------------------------------------------------------------------------------------------------


@settings(max_examples=20)  # scikit-learn takes its time
@given(labels)
def test_classes_agree_with_scikit_learn(parts, rows):
    y, p, _ = (np.array(column) for column in zip(*rows, strict=True))
    part = parts.confusion(y, p)
    assert estimate("accuracy", part).value == pytest.approx(sk.accuracy_score(y, p))
    if len(set(y)) > 1:
        assert estimate("balanced_accuracy", part).value == pytest.approx(sk.balanced_accuracy_score(y, p))
    for name, function in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        for average in ("macro", "micro", "weighted"):
            mine = estimate(name, part, average=average)
            assert mine.value == pytest.approx(function(y, p, average=average, zero_division=0))
            assert mine.rows == len(rows)


@settings(max_examples=20)
@given(labels)
def test_the_positive_class_agrees_with_scikit_learn(parts, rows):
    y, p, _ = (np.array(column) for column in zip(*rows, strict=True))
    part, hits = parts.confusion(y, p), int(((y == "a") & (p == "a")).sum())
    by_hand = {"precision": (sk.precision_score, (p == "a").sum()), "recall": (sk.recall_score, (y == "a").sum()),
               "f1": (sk.f1_score, (y == "a").sum())}  # fmt: skip
    for name, (function, of) in by_hand.items():
        if of:
            mine = estimate(name, part, positive="a", confidence=0.9)
            assert mine.value == pytest.approx(function(y == "a", p == "a", zero_division=0))
            assert mine.interval == (None if name == "f1" else wilson(hits, int(of), 0.9))


def test_accuracy_has_wilsons_interval(parts):
    part = parts.confusion(list("aabb") * 25, list("aaba") * 25)
    assert estimate("accuracy", part, confidence=0.95) == Estimate(0.75, 100, "wilson", wilson(75, 100, 0.95))
    assert estimate("accuracy", part) == Estimate(0.75, 100, "accuracy")


def test_below_the_threshold_means_not_positive(parts):
    """A thresholded score answers the empty text, and every target but the positive class agrees with it."""
    part = parts.confusion(["yes", "yes", "no", "maybe", "no"], ["yes", "", "", "", "yes"], positive="yes")
    assert estimate("accuracy", part, positive="yes").value == 0.6
    assert estimate("recall", part, positive="yes").value == 0.5
    assert estimate("balanced_accuracy", part, positive="yes").value == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_each_model_is_held_against_its_own_target(parts):
    """Above the threshold in all rows: the candidate is right about 'yes' alone, the champion about the rest."""
    part = parts.confusion(["yes", "no", "maybe"], ["yes"] * 3, [""] * 3, positive="yes")
    mine = increase("accuracy", part, positive="yes", confidence=0.95)
    assert mine.value == pytest.approx(1 / 3 - 2 / 3)
    same = parts.confusion(["yes", "no", "maybe"], ["yes"] * 3, ["yes"] * 3, positive="yes")
    assert increase("accuracy", same, positive="yes").value == 0.0


def test_an_empty_label_is_a_class_like_any_other(parts):
    part = parts.confusion(["yes", "no", "maybe"], ["yes", "", ""])
    assert estimate("accuracy", part, positive="yes").value == pytest.approx(1 / 3)
    champion = parts.confusion(["yes", "no", "maybe"], ["yes", "no", "maybe"], ["yes", "", ""])
    assert increase("accuracy", champion, positive="yes").value == pytest.approx(2 / 3)


def test_labels_that_never_meet_the_target_are_named(parts):
    part = parts.confusion(["0", "1"], ["0", "1"], ["no", "yes"])
    require_shared_classes(part, "candidate", {"0", "1"})
    with pytest.raises(Undefined) as caught:
        require_shared_classes(part, "champion", {"0", "1", "2", "3"})
    assert caught.value.reason == (
        "none of the champion's predictions ('no', 'yes') is a class of the target ('0', '1', '2' and 1 more)"
    )
    require_shared_classes(part, "champion", {"no"})  # a class elsewhere
    require_shared_classes(parts.confusion(["1"], [""], positive="1"), "candidate", {"1"})


def test_the_smaller_class(parts):
    two, three = parts.confusion(list("aaab"), list("aaaa")), parts.confusion(list("aaabc"), list("aaaaa"))
    assert (smaller_class(two, None), smaller_class(two, "a"), smaller_class(two, "z")) == (1, 1, 0)
    assert (smaller_class(three, None), smaller_class(three, "a"), smaller_class(three, "b")) == (None, 2, 1)
    assert smaller_class(parts.confusion(list("aaabc"), [""] * 5, positive="b"), None) == 1


def test_an_averaged_class_that_is_never_predicted_counts_0(parts):
    part = parts.confusion(["a", "a", "b"], ["a", "a", "a"])
    assert estimate("precision", part, average="macro").value == pytest.approx((2 / 3 + 0) / 2)


def test_classes_say_why_there_is_no_number(parts):
    part = parts.confusion(["no"] * 1200, ["no"] * 1200)
    assert refused("precision", part, positive="yes") == (
        "precision is undefined: none of 1,200 labelled rows is predicted 'yes'")  # fmt: skip
    assert refused("recall", part, positive="yes") == "recall is undefined: none of 1,200 labelled rows is 'yes'"
    assert refused("f1", part, positive="yes") == "f1 is undefined: none of 1,200 labelled rows is 'yes'"
    assert refused("f1", part) == (
        "f1 needs a positive class (data.columns.positive) or an average: macro, micro or weighted")  # fmt: skip
    assert refused("balanced_accuracy", part) == (
        "balanced_accuracy needs two classes: all 1,200 labelled rows are 'no'")  # fmt: skip
    unanswered = parts.confusion(["a"] * 97, ["a"] * 97, unpredicted=3)
    assert refused("accuracy", unanswered) == "3 of 100 labelled rows have no prediction"
    assert refused("accuracy", replace(part, n=part.n * 0)) == "no labelled rows"
    assert refused("accuracy", part, of="champion") == "no predictions of the champion on these rows"


def test_a_part_of_another_metric_is_a_bug(parts):
    for metric, part in (("mae", parts.confusion(["a"], ["a"])), ("mae", parts.scores([True, False], [0.5, 0.2])),
                         ("accuracy", parts.errors([1], [2]))):  # fmt: skip
        with pytest.raises(ValueError) as raised:
            estimate(metric, part)
        assert not isinstance(raised.value, Undefined)


@settings(max_examples=50)
@given(labels)
def test_an_increase_of_accuracy_is_paired(parts, rows):
    y, p, h = (np.array(column) for column in zip(*rows, strict=True))
    mine = increase("accuracy", parts.confusion(y, p, h), confidence=0.95)
    assert mine.value == pytest.approx(sk.accuracy_score(y, p) - sk.accuracy_score(y, h))
    low, high = paired_shares_interval(int(((p == y) & (h != y)).sum()), int(((p != y) & (h == y)).sum()), len(y), 0.95)
    assert mine.interval == (min(low, mine.value), max(high, mine.value))


@settings(max_examples=20)
@given(labels)
def test_other_increases_are_the_difference_of_the_values(parts, rows):
    y, p, h = (np.array(column) for column in zip(*rows, strict=True))
    mine = increase("f1", parts.confusion(y, p, h), average="macro", confidence=0.95)
    expected = sk.f1_score(y, p, average="macro", zero_division=0) - sk.f1_score(y, h, average="macro", zero_division=0)
    assert (mine.value, mine.interval) == (pytest.approx(expected), None)


# --- scores ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(scored, st.sampled_from([4, 100, 10_000]))
def test_scores_hold_the_exact_number_within_the_bound(parts, rows, resolution):
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    binned, exact = parts.scores(truth, score, resolution), parts.scores(truth, score, exact=True)
    for name, true in (
        ("roc_auc", sk.roc_auc_score(truth, score)),
        ("pr_auc", sk.average_precision_score(truth, score)),
    ):
        assert estimate(name, exact) == Estimate(pytest.approx(true), len(rows), name)
        mine = estimate(name, binned)
        assert abs(mine.value - true) <= mine.bound + 1e-9
    assert estimate("brier", binned).value == pytest.approx(sk.brier_score_loss(truth, score))
    inside = np.clip(score, 0.001, 0.999)  # at the ends scikit-learn clips elsewhere
    mine = estimate("log_loss", parts.scores(truth, inside, resolution))
    assert mine.value == pytest.approx(sk.log_loss(truth, inside, labels=[False, True]))


def test_calibration_error_is_the_gap_between_score_and_outcome(parts):
    score = np.repeat([0.05, 0.15, 0.95], 100)
    truth = np.concatenate([np.arange(100) < of for of in (5, 45, 85)])
    assert estimate("ece", parts.scores(truth, score)).value == pytest.approx((0 + 0.3 + 0.1) / 3)
    perfect = np.concatenate([np.arange(100) < of for of in (5, 15, 95)])
    assert estimate("ece", parts.scores(perfect, score)).value == pytest.approx(0, abs=1e-12)


def test_a_score_of_1_lies_in_the_last_bin_of_calibration(parts):
    assert estimate("ece", parts.scores([True, False], [1.0, 0.0])).value == 0


def test_the_area_has_delongs_interval(parts, rng):
    truth = rng.random(500) < 0.4
    score = np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1)
    mine = estimate("roc_auc", parts.scores(truth, score), confidence=0.95)
    assert mine.method == "delong"
    assert mine.interval[0] < mine.value < mine.interval[1]
    assert mine.interval[1] - mine.interval[0] == pytest.approx(0.09, abs=0.02)


def test_several_classes_have_losses_only(parts):
    part = LossSums(n=10, log_loss=5.0, squared=4.0, unlabelled=0, invalid=0)
    assert estimate("log_loss", part).value == 0.5
    assert estimate("brier", part).value == 0.2  # half the sum over classes: two classes have the binary score
    assert refused("roc_auc", part) == (
        "roc_auc is defined for two classes only: name data.columns.positive and score")  # fmt: skip


def test_scores_say_why_there_is_no_number(parts):
    assert refused("roc_auc", parts.scores([True] * 3, [0.5] * 3)) == (
        "roc_auc needs both classes: all 3 labelled rows are positive")  # fmt: skip
    assert refused("pr_auc", parts.scores([False] * 3, [0.5] * 3)) == (
        "pr_auc needs both classes: all 3 labelled rows are negative")  # fmt: skip
    assert refused("brier", parts.scores([True] * 3, [0.5] * 3, invalid=2)) == (
        "2 of 5 labelled rows have no score between 0 and 1")  # fmt: skip
    assert refused("log_loss", LossSums(0, 0.0, 0.0, 7, 0)) == "no labelled rows"
    with pytest.raises(ValueError):
        estimate("roc_auc", parts.scores([True, False], [0.5, 0.4]), of="champion")


# --- errors ----------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(numbers)
def test_errors_agree_with_scikit_learn(parts, rows):
    y, p, h = (np.array(column) for column in zip(*rows, strict=True))
    part = parts.errors(y, p, h)
    for of, guess in (("candidate", p), ("champion", h)):
        expected = {"mae": sk.mean_absolute_error(y, guess), "rmse": sk.root_mean_squared_error(y, guess),
                    "bias": (guess - y).mean()}  # fmt: skip
        if np.abs(y).min() > 0:
            expected["mape"] = sk.mean_absolute_percentage_error(y, guess)
        if np.ptp(y) > 1e-2:
            expected["r2"] = sk.r2_score(y, guess)
        for name, true in expected.items():
            mine = estimate(name, part, of=of)
            assert mine.value == pytest.approx(true, rel=1e-6, abs=1e-6), name
            assert mine.rows == len(rows)


@settings(max_examples=40)
@given(numbers)
def test_errors_have_students_interval(parts, rows):
    y, p, _ = (np.array(column) for column in zip(*rows, strict=True))
    part, e = parts.errors(y, p), p - y
    low, high = mean_interval(np.abs(e).sum(), (e**2).sum(), len(e), 0.95)
    assert estimate("mae", part, confidence=0.95).interval == pytest.approx((max(low, 0), high))
    assert estimate("bias", part, confidence=0.95).interval == pytest.approx(
        mean_interval(e.sum(), (e**2).sum(), len(e), 0.95)
    )
    for name in ("mae", "rmse", "bias"):
        mine = estimate(name, part, confidence=0.95)
        assert mine.interval[0] <= mine.value <= mine.interval[1]
        assert METRICS[name].low is None or mine.interval[0] >= METRICS[name].low


@settings(max_examples=40)
@given(numbers)
def test_increases_of_errors_are_paired(parts, rows):
    y, p, h = (np.array(column) for column in zip(*rows, strict=True))
    part, e, o = parts.errors(y, p, h), p - y, h - y
    pairs = {"mae": np.abs(e) - np.abs(o), "bias": e - o}
    if np.abs(y).min() > 0:
        pairs["mape"] = (np.abs(e) - np.abs(o)) / np.abs(y)
    for name, d in pairs.items():
        mine = increase(name, part, confidence=0.9)
        assert mine.value == pytest.approx(d.mean(), abs=1e-9)
        assert mine.interval == pytest.approx(
            mean_interval(d.sum(), (d**2).sum(), len(d), 0.9), abs=1e-4
        )  # rounding of squares
    root = increase("rmse", part, confidence=0.9)
    assert root.value == pytest.approx(
        sk.root_mean_squared_error(y, p) - sk.root_mean_squared_error(y, h), rel=1e-6, abs=1e-6
    )
    assert root.interval[0] <= root.value <= root.interval[1]


def test_pairs_decide_what_two_estimates_could_not(parts, rng):
    y = rng.normal(100, 30, 2000)
    common = rng.normal(0, 10, 2000)  # both models miss alike
    part = parts.errors(y, y + common * 1.02, y + common)
    paired = increase("mae", part, confidence=0.95, relative=True)
    assert paired.value == pytest.approx(0.02, abs=1e-6)
    assert paired.interval[1] - paired.interval[0] < 0.002
    alone = estimate("mae", part, confidence=0.95)
    assert (alone.interval[1] - alone.interval[0]) / alone.value > 0.05


def test_the_interval_of_an_rmse_increase_holds_the_truth_about_as_often_as_it_says(parts, rng):
    held = 0
    for _ in range(400):
        y, noise = rng.normal(size=300), rng.normal(size=(2, 300))
        low, high = increase("rmse", parts.errors(y, y + 1.1 * noise[0], y + noise[1]), confidence=0.9).interval
        held += low <= 0.1 <= high
    assert held / 400 == pytest.approx(0.9, abs=0.05)


def test_r2_increases_by_value_only(parts):
    mine = increase("r2", parts.errors([1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 6]), confidence=0.95)
    assert (mine.value, mine.interval) == (pytest.approx(3 / 5), None)


def test_a_relative_increase_divides_by_the_size_of_the_champions(parts):
    part = parts.errors([0, 0, 0], [1, 2, 3], [-2, -2, -2])
    assert increase("bias", part, relative=True).value == pytest.approx((2 - -2) / 2)
    with pytest.raises(Undefined) as raised:
        increase("mae", parts.errors([1, 2], [2, 3], [1, 2]), relative=True)
    assert str(raised.value) == (
        "a relative increase needs a champion's mae other than 0, got 0; state the allowed increase as a number"
    )


def test_a_difference_of_two_estimates_adds_their_bounds():
    ours, theirs = (Estimate(value, rows, "roc_auc", (0.0, 1.0), 0.01) for value, rows in ((0.8, 500), (0.7, 400)))
    assert difference("roc_auc", ours, theirs) == Estimate(pytest.approx(0.1), 400, "difference of roc_auc", None, 0.02)
    relative = difference("roc_auc", ours, theirs, relative=True)
    assert relative.value == pytest.approx(1 / 7)
    assert relative.value + relative.bound >= (0.81 - 0.69) / 0.69 - 1e-12


def test_errors_say_why_there_is_no_number(parts):
    assert refused("mape", parts.errors([0, 1, 2], [1, 1, 1])) == (
        "mape is undefined where the target is 0: 1 of 3 labelled rows")  # fmt: skip
    assert (
        refused("r2", parts.errors([5] * 3, [5] * 3)) == "r2 is undefined: the targets of all 3 labelled rows are equal"
    )
    assert refused("mae", parts.errors([1, 2], [1, 2], invalid=3)) == "3 of 5 labelled rows have no finite prediction"
    assert refused("mae", parts.errors([], [])) == "no labelled rows"
    assert refused("mae", parts.errors([1], [2]), confidence=0.95) == (
        "an interval of a mean needs at least 2 rows, got 1")  # fmt: skip
    assert refused("mae", parts.errors([1], [2]), of="champion") == "no predictions of the champion on these rows"
    overflow = replace(parts.errors([1, 2], [1, 2]), squared=math.inf)
    assert refused("rmse", overflow) == "rmse is not finite: the values are too large to sum"
    with pytest.raises(Undefined) as raised:
        increase("mae", parts.errors([1, 2], [1, 2]))
    assert str(raised.value) == "no predictions of the champion on these rows"


@settings(max_examples=60)
@given(st.data())
def test_row_order_changes_nothing(parts, data):
    rows = data.draw(labels)
    shuffled = data.draw(st.permutations(rows))
    one, other = (parts.confusion(*map(np.array, zip(*r, strict=True))) for r in (rows, shuffled))
    assert increase("accuracy", one, confidence=0.95) == increase("accuracy", other, confidence=0.95)
