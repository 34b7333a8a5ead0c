import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from gate.domain.evidence import Missing
from gate.domain.part import NULL_GROUP, ClassLoss, Confusion, ErrorSums, ScoreBins, Split
from gate.statistics.parts import SplitParts

RNG = np.random.default_rng(3)
N = 3000


def pairs(part) -> dict:
    columns = [part.target, part.prediction] + ([part.champion] if part.champion is not None else [])
    return {key: int(n) for *key_, n in zip(*columns, part.n, strict=True) for key in [tuple(key_)]}


def only(opened, request):
    return opened.parts([request])[request]


def test_a_confusion_counts_labelled_rows(bench):
    frame = pd.DataFrame(
        {
            "y": ["a", "a", "b", None, "b", "a"],
            "p": ["a", "b", "b", "b", None, "a"],
            "c": ["a", "a", "a", None, "b", None],
        }
    )
    bench.parquet("a.parquet", frame)
    opened = bench.open("a.parquet")
    part = only(opened, Confusion("y", "p"))
    assert pairs(part) == {("a", "a"): 2, ("a", "b"): 1, ("b", "b"): 1}
    assert (part.unlabelled, part.unpredicted) == (1, 1)
    paired = only(opened, Confusion("y", "p", "c"))
    assert pairs(paired) == {("a", "a", "a"): 1, ("a", "b", "a"): 1, ("b", "b", "a"): 1}
    assert (paired.unlabelled, paired.unpredicted) == (1, 2)


def test_classes_are_equal_as_text_whatever_they_are_stored_as(bench):
    bench.parquet("a.parquet", {"y": [0, 1, 1], "p": [0.0, 1.0, float("nan")]})
    part = only(bench.open("a.parquet"), Confusion("y", "p"))
    assert pairs(part) == {("0", "0"): 1, ("1", "1"): 1}
    assert part.unpredicted == 1


def test_a_score_at_the_threshold_is_positive_and_no_number_is_no_prediction(bench):
    scores = [0.5, np.nextafter(0.5, 0), 0.9, float("nan"), None, float("inf"), 0.2]
    bench.parquet("a.parquet", {"y": ["yes", "no", "no", "yes", "no", "yes", None], "s": scores})
    part = only(bench.open("a.parquet"), Confusion("y", "s", positive="yes", threshold=0.5))
    assert pairs(part) == {("yes", "yes"): 1, ("no", ""): 1, ("no", "yes"): 1}
    assert (part.unlabelled, part.unpredicted) == (1, 3)


def test_a_threshold_without_a_positive_class_is_missing(bench):
    bench.parquet("a.parquet", {"y": ["a"], "s": [0.5]})
    assert only(bench.open("a.parquet"), Confusion("y", "s", threshold=0.5)) == Missing(
        "a threshold needs the name of the positive class"
    )


def test_a_confusion_of_numbers_is_refused(bench, monkeypatch):
    from gate.datasets.parts import outcomes

    monkeypatch.setattr(outcomes, "MOST_PAIRS", 10)
    bench.parquet("a.parquet", {"y": list(range(11)), "z": [*range(10), 9], "p": [*range(10), 9]})
    opened = bench.open("a.parquet")
    assert only(opened, Confusion("y", "p")) == Missing(
        "columns 'y' and 'p' have more than 10 combinations, too many for classes"
    )
    assert len(only(opened, Confusion("z", "p")).n) == 10


def test_a_confusion_splits(bench):
    bench.parquet("a.parquet", {"y": ["a", "a", "b"], "p": ["a", "b", "b"], "g": [1, 1, None]})
    part = only(bench.open("a.parquet"), Confusion("y", "p", split=Split("g")))
    assert isinstance(part, SplitParts)
    assert {g: pairs(p) for g, p in part.groups.items()} == {"1": {("a", "a"): 1, ("a", "b"): 1},
                                                            NULL_GROUP: {("b", "b"): 1}}  # fmt: skip


def test_the_empty_text_is_a_group_of_its_own(bench):
    bench.parquet("a.parquet", {"y": ["a", "a", "b"], "p": ["a", "b", "b"], "g": ["", None, "u"]})
    assert set(only(bench.open("a.parquet"), Confusion("y", "p", split=Split("g"))).groups) == {"", NULL_GROUP, "u"}


def test_a_confusion_says_whether_it_comes_from_scores(bench):
    bench.parquet("a.parquet", {"y": ["yes", ""], "p": ["yes", ""], "s": [0.9, 0.1]})
    opened = bench.open("a.parquet")
    labels, scores = only(opened, Confusion("y", "p")), only(opened, Confusion("y", "s", None, "yes", 0.5))
    assert (labels.thresholded, labels.positive) == (False, None)
    assert (scores.thresholded, scores.positive) == (True, "yes")


def test_scores_of_several_classes_add_up_to_1(bench):
    bench.parquet("a.parquet", {"y": list("abab"), "pa": [0.9, 0.3, 0.9, 0.5], "pb": [0.1009, 0.7, 0.9, 0.4989]})
    part = only(bench.open("a.parquet"), ClassLoss("y", (("a", "pa"), ("b", "pb"))))
    assert (part.n, part.invalid) == (2, 2)


@pytest.fixture
def scored(bench):
    score = np.round(RNG.random(N), 6)
    y = (RNG.random(N) < score).astype(int)
    score[:4] = [0.0, 1.0, 0.0, 1.0]
    y[:4] = [0, 1, 1, 0]
    frame = pd.DataFrame({"y": y, "s": score, "g": RNG.integers(0, 3, N)})
    bench.parquet("a.parquet", frame)
    return bench.open("a.parquet"), frame


def test_score_bins_hold_what_losses_and_ranks_need(scored):
    opened, frame = scored
    part = only(opened, ScoreBins("y", "1", "s"))
    assert part.positives.sum() == frame.y.sum()
    assert part.negatives.sum() == N - frame.y.sum()
    assert (part.unlabelled, part.invalid, part.is_exact) == (0, 0, False)
    assert part.log_loss / N == pytest.approx(log_loss(frame.y, frame.s), rel=1e-12)
    assert part.squared / N == pytest.approx(brier_score_loss(frame.y, frame.s), rel=1e-12)
    by_bin = frame.groupby(np.floor(frame.s * 10_000)).agg(s=("s", "mean"), p=("y", "sum"))
    np.testing.assert_allclose(part.score, by_bin.s, rtol=1e-12)
    assert part.positives.tolist() == by_bin.p.tolist()


def test_scores_on_a_grid_are_exact(bench):
    bench.parquet("a.parquet", {"y": [True, False, True, True], "s": [0.1, 0.1, 0.25, 1.0]})
    part = only(bench.open("a.parquet"), ScoreBins("y", "true", "s"))
    assert part.is_exact
    assert part.score.tolist() == [0.1, 0.25, 1.0]
    assert (part.positives.tolist(), part.negatives.tolist()) == ([1, 1, 1], [1, 0, 0])


def test_scores_that_are_no_probability_are_counted_apart(bench):
    scores = [-1e-9, 1.0000001, float("nan"), None, float("inf"), 0.5, 0.5]
    bench.parquet("a.parquet", {"y": [1, 0, 1, 0, 1, None, 1], "s": scores})
    part = only(bench.open("a.parquet"), ScoreBins("y", "1", "s"))
    assert (part.invalid, part.unlabelled, part.positives.sum()) == (5, 1, 1)


def test_score_bins_split(scored):
    opened, frame = scored
    part = only(opened, ScoreBins("y", "1", "s", Split("g")))
    for group, rows in frame.groupby("g"):
        assert part.groups[str(group)].log_loss == pytest.approx(log_loss(rows.y, rows.s, normalize=False), rel=1e-12)


def test_losses_of_several_classes(bench):
    raw = RNG.random((N, 3))
    scores = raw / raw.sum(axis=1, keepdims=True)
    y = RNG.choice(["a", "b", "c"], N)
    frame = pd.DataFrame(scores, columns=["pa", "pb", "pc"]).assign(y=y)
    bench.parquet("a.parquet", frame)
    request = ClassLoss("y", (("a", "pa"), ("b", "pb"), ("c", "pc")))
    part = only(bench.open("a.parquet"), request)
    assert part.n == N
    assert part.log_loss / N == pytest.approx(log_loss(y, scores, labels=["a", "b", "c"]), rel=1e-12)
    truth = np.stack([y == c for c in "abc"], axis=1)
    assert part.squared == pytest.approx(((scores - truth) ** 2).sum(), rel=1e-12)


def test_a_class_without_a_score_and_a_bad_score_are_invalid(bench):
    frame = pd.DataFrame(
        {"y": ["a", "z", "b", "a", None], "pa": [0.9, 0.1, 1.5, None, 0.5], "pb": [0.1, 0.9, -0.5, 0.5, 0.5]}
    )
    bench.parquet("a.parquet", frame)
    opened = bench.open("a.parquet")
    part = only(opened, ClassLoss("y", (("a", "pa"), ("b", "pb"))))
    assert (part.n, part.invalid, part.unlabelled) == (1, 3, 1)
    assert only(opened, ClassLoss("y", ())) == Missing("no score column is named")


@pytest.fixture
def errors(bench):
    y = RNG.normal(10, 5, N)
    y[:20] = 0.0
    p = y + RNG.normal(0.5, 2, N)
    c = y + RNG.normal(0, 3, N)
    y[20:30] = np.nan
    p[30:33] = np.nan
    p[33] = np.inf
    c[34] = -np.inf
    y[35] = np.inf
    frame = pd.DataFrame({"y": y, "p": p, "c": c, "g": np.arange(N) % 4})
    bench.parquet("a.parquet", frame)
    return bench.open("a.parquet"), frame


def test_sums_of_errors_are_those_of_numpy(errors):
    opened, frame = errors
    part = only(opened, ErrorSums("y", "p"))
    labelled = frame[frame.y.notna()]
    good = labelled[np.isfinite(labelled.y) & np.isfinite(labelled.p)]
    e = (good.p - good.y).to_numpy()
    y = good.y.to_numpy()
    nonzero = y != 0
    u = np.abs(e[nonzero] / y[nonzero])
    assert (part.n, part.unlabelled, part.invalid, part.zeros) == (len(good), 10, 5, 20)
    expected = {
        "error": e.sum(), "absolute": np.abs(e).sum(), "squared": (e**2).sum(), "fourth": (e**4).sum(),
        "target": y.sum(), "target_squared": (y**2).sum(), "percent": u.sum(), "percent_squared": (u**2).sum(),
    }  # fmt: skip
    for name, value in expected.items():
        assert getattr(part, name) == pytest.approx(value, rel=1e-9), name
    assert part.champion_error is None
    assert part.difference is None


def test_the_champion_is_compared_on_the_same_rows(errors):
    opened, frame = errors
    part = only(opened, ErrorSums("y", "p", "c"))
    good = frame[np.isfinite(frame[["y", "p", "c"]]).all(axis=1)]
    e, c, y = ((good.p - good.y).to_numpy(), (good.c - good.y).to_numpy(), good.y.to_numpy())
    nonzero = y != 0
    u, w = np.abs(e / np.where(nonzero, y, 1))[nonzero], np.abs(c / np.where(nonzero, y, 1))[nonzero]
    assert (part.n, part.invalid) == (len(good), 6)
    expected = {
        "champion_error": c, "champion_absolute": np.abs(c), "champion_squared": c**2, "champion_percent": w,
        "difference": np.abs(e) - np.abs(c), "difference_squared": (np.abs(e) - np.abs(c)) ** 2,
        "square_difference": e**2 - c**2, "square_difference_squared": (e**2 - c**2) ** 2,
        "percent_difference": u - w, "percent_difference_squared": (u - w) ** 2,
        "signed_difference": e - c, "signed_difference_squared": (e - c) ** 2,
    }  # fmt: skip
    for name, values in expected.items():
        assert getattr(part, name) == pytest.approx(values.sum(), rel=1e-9, abs=1e-6), name


def test_sums_of_errors_split_and_add_up(errors):
    opened, _ = errors
    whole, split = opened.parts([ErrorSums("y", "p"), ErrorSums("y", "p", split=Split("g"))]).values()
    assert set(split.groups) == {"0", "1", "2", "3"}
    assert sum(p.n for p in split.groups.values()) == whole.n
    assert sum(p.absolute for p in split.groups.values()) == pytest.approx(whole.absolute, rel=1e-12)


def test_without_a_labelled_row_the_sums_are_zero_and_say_so(bench):
    bench.parquet("a.parquet", {"y": pd.array([None, None], dtype="Float64"), "p": [1.0, 2.0]})
    opened = bench.open("a.parquet")
    part = only(opened, ErrorSums("y", "p"))
    assert (part.n, part.unlabelled, part.absolute) == (0, 2, 0.0)
    assert only(opened, Confusion("y", "p")).unlabelled == 2
    scores = only(opened, ScoreBins("y", "1", "p"))
    assert (len(scores.score), scores.unlabelled, scores.log_loss) == (0, 2, 0.0)
