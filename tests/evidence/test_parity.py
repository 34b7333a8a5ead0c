"""Evidently on raw rows and gate on aggregates give the same number, wherever Evidently gives a finite one.

Where gate differs it does so on purpose; the second half has a test for each row of this table.

| data | Evidently | gate |
|---|---|---|
| a column of small scale | divides by a spread of at least 0.001: no drift | divides by the reference's spread |
| infinities | dropped where a NaN is beside them | values: extreme ranks, a bin of their own, infinitely far |
| one outlier | equal bins between the extremes: blind | `bins: reference` sees; `bins: evidently` is as blind |
| ks, chisquare, TVD | a p-value: smaller with more drift and more rows | a distance; the p-value stands beside it |
| nulls | ignored in silence | ignored too, and the finding says how many rows are left |
| a constant that changed | a score that depends on the method | the largest that the method knows |
| a column without values | raises, and takes the whole report with it | Missing, and the others stand |
| nullable types | left out without a word | measured |
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evidently import BinaryClassification, DataDefinition, Dataset, Regression, Report, metrics

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.need import ANY, Drift, DuplicateShare, MissingShare, OutsideRange, Quality, Rows, RowShare

FROM_BINS = 1e-6
"""Wasserstein is computed from fine bins; in reference standard deviations."""
EXACT = 1e-12

ROWS = 3000

pytestmark = pytest.mark.filterwarnings("ignore")  # of Evidently, sklearn and pandas on the raw rows


def evidently(metric, current, reference=None, **definition):
    """Evidently's own number on raw rows."""
    columns = {"numerical_columns": [], "categorical_columns": [], "text_columns": [], "datetime_columns": [],
               "unknown_columns": [], "list_columns": []} | definition  # fmt: skip
    sides = [None if frame is None else Dataset.from_pandas(frame, DataDefinition(**columns))
             for frame in (current, reference)]  # fmt: skip
    result = Report([metric]).run(*sides).metric_results[metric.metric_id]
    return getattr(result, "value", None) if hasattr(result, "value") else result


def drift_of(method, reference, current, *, kind):
    frames = pd.DataFrame({"x": current}), pd.DataFrame({"x": reference})
    return evidently(metrics.ValueDrift(column="x", method=method), *frames, **{f"{kind}_columns": ["x"]})


def numeric_columns(rows, *, later):
    """Columns of every sort; `later` moves each of them a little."""
    rng = np.random.default_rng(7 + later)
    normal = rng.normal(0.2 * later, 1 + 0.1 * later, (6, rows))
    return pd.DataFrame({
        "float": 10 + 3 * normal[0],
        "rounded": (3 * normal[1]).round(1),
        "integer": rng.poisson(40 + 3 * later, rows),
        "wide integer": rng.integers(0, 1_000_000 - 100_000 * later, rows),
        "few values": rng.choice(6, rows, p=[0.3, 0.1, 0.1, 0.2, 0.2, 0.1] if later else None),
        "zero or one": rng.random(rows) < 0.5 + 0.1 * later,
        "heavy tail": np.exp(3 + 2 * normal[2]),
        "pareto": rng.pareto(1.2 - 0.1 * later, rows),
        "nulls": np.where(rng.random(rows) < 0.1 + 0.4 * later, np.nan, normal[3]),
        "large": 1e9 + 1e3 * normal[4],
    }).astype({"zero or one": int})  # fmt: skip


BINNED = {"jensenshannon": "jensenshannon", "psi": "psi", "kl_div": "kl", "hellinger": "hellinger"}
EVERY_METHOD = ("float", "integer", "few values", "heavy tail", "nulls")  # the rest: two methods, to save the time


def test_numeric_distances_are_evidentlys(pair_of):
    reference, current = numeric_columns(ROWS, later=0), numeric_columns(ROWS - 200, later=1)
    needs = {}
    for name in reference:
        methods = BINNED if name in EVERY_METHOD else {"jensenshannon": "jensenshannon"}
        needs |= {(name, theirs): Drift(ANY, name, ours, bins="evidently") for theirs, ours in methods.items()}
        needs[name, "wasserstein"] = Drift(ANY, name, "wasserstein")
    evidence = pair_of(reference, current).gather(*needs.values()).evidence
    for (name, theirs), need in needs.items():
        expected = drift_of(theirs, reference[name], current[name], kind="numerical")
        tolerance = FROM_BINS if theirs == "wasserstein" else 1e-9
        assert evidence[need].value == pytest.approx(expected, abs=tolerance), (name, theirs)


def categorical_data(name):
    rng = np.random.default_rng(8)
    match name:
        case "text":
            return (rng.choice(["red", "green", "blue"], ROWS, p=[0.5, 0.3, 0.2]),
                    rng.choice(["red", "green", "cyan"], ROWS - 100, p=[0.4, 0.4, 0.2]))  # fmt: skip
        case "boolean":
            return rng.random(ROWS) < 0.5, rng.random(ROWS) < 0.6
        case "integer":
            return rng.integers(1, 5, ROWS), rng.choice([1, 2, 3, 9], ROWS)
        case "rare":
            return rng.zipf(1.6, ROWS).clip(max=80).astype(str), rng.zipf(1.7, ROWS).clip(max=80).astype(str)
        case "nulls":
            sides = rng.choice(["a", "b", "c"], ROWS), rng.choice(["a", "b", "c"], ROWS, p=[0.5, 0.25, 0.25])
            return tuple(np.where(rng.random(ROWS) < 0.2, None, side) for side in sides)
    raise AssertionError(name)


CATEGORICAL = ["text", "boolean", "integer", "rare", "nulls"]


def test_categorical_distances_are_evidentlys(pair_of):
    for name in CATEGORICAL:
        reference, current = categorical_data(name)
        pair = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}), kinds={"x": Kind.CATEGORICAL})
        needs = {theirs: Drift(ANY, "x", ours) for theirs, ours in BINNED.items()}
        evidence = pair.gather(*needs.values()).evidence
        for theirs, need in needs.items():
            expected = drift_of(theirs, reference, current, kind="categorical")
            assert evidence[need].value == pytest.approx(expected, abs=1e-9), (name, theirs)


def test_infinities_that_evidently_drops_leave_the_binned_distances_equal(pair_of):
    rng = np.random.default_rng(9)
    reference, current = rng.normal(0, 1, ROWS), rng.normal(0.3, 1, ROWS)
    reference[:5], current[:9], current[-3:] = np.inf, np.inf, -np.inf
    reference[7], current[20] = np.nan, np.nan  # with them ValueDrift drops infinities too
    pair = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}))
    needs = {theirs: Drift(ANY, "x", ours, bins="evidently") for theirs, ours in BINNED.items()}
    evidence = pair.gather(*needs.values()).evidence
    for theirs, need in needs.items():
        expected = drift_of(theirs, reference, current, kind="numerical")
        assert evidence[need].value == pytest.approx(expected, abs=1e-9), theirs


def test_counts_are_evidentlys(pair_of):
    rng = np.random.default_rng(10)
    frame = pd.DataFrame({
        "x": np.where(rng.random(ROWS) < 0.3, np.nan, rng.normal(size=ROWS).round(1)),
        "c": rng.choice(["a", "b", None], ROWS),
    })  # fmt: skip
    kinds = {"numerical_columns": ["x"], "categorical_columns": ["c"]}
    read = pair_of(frame, frame).gather(
        Rows(ANY, Side.CURRENT), MissingShare(ANY, "x"), MissingShare(ANY, "c"), DuplicateShare(ANY, ()),
        RowShare(ANY, "c", "a"), OutsideRange(ANY, "x", -1.0, 1.0),
    )  # fmt: skip
    rows, missing_x, missing_c, duplicates, a, outside = read.evidence.values()

    assert rows.value == evidently(metrics.RowCount(), frame, **kinds)
    for ours, column in ((missing_x, "x"), (missing_c, "c")):
        theirs = evidently(metrics.MissingValueCount(column=column), frame, **kinds)
        assert (ours.details["count"], ours.value) == (theirs.count.value, theirs.share.value)
    assert duplicates.details["count"] == evidently(metrics.DuplicatedRowCount(), frame, **kinds)
    theirs = evidently(metrics.CategoryCount(column="c", category="a"), frame, **kinds)
    assert a.details["count"] == theirs.count.value
    theirs = evidently(metrics.OutRangeValueCount(column="x", left=-1.0, right=1.0), frame, **kinds)
    assert outside.details["count"] == theirs.count.value
    assert outside.details["smallest"] == evidently(metrics.MinValue(column="x"), frame, **kinds)
    assert outside.details["largest"] == evidently(metrics.MaxValue(column="x"), frame, **kinds)


def test_classification_metrics_are_evidentlys(pair_of):
    rng = np.random.default_rng(11)
    score = rng.random(ROWS)
    frame = pd.DataFrame(
        {"y": (rng.random(ROWS) < score).astype(int), "score": score, "label": (score >= 0.5).astype(int)}
    )
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label", score="score", positive="1",
                   kinds={"y": Kind.CATEGORICAL, "label": Kind.CATEGORICAL})  # fmt: skip
    task = [BinaryClassification(target="y", prediction_labels="label", prediction_probas="score", pos_label=1)]
    for name, theirs in {
        "accuracy": metrics.Accuracy(), "precision": metrics.Precision(), "recall": metrics.Recall(),
        "f1": metrics.F1Score(), "roc_auc": metrics.RocAuc(), "log_loss": metrics.LogLoss(),
    }.items():  # fmt: skip
        ours = pair.read(Quality(ANY, name))
        expected = evidently(theirs, frame, classification=task, categorical_columns=["y", "label"])
        tolerance = max(ours.bound, EXACT)  # scores closer than a bin of 0.0001 are ties to us
        assert ours.value == pytest.approx(expected, abs=tolerance), name
        assert ours.bound < 1e-4


def test_regression_metrics_are_evidentlys(pair_of):
    rng = np.random.default_rng(12)
    target = rng.gamma(3, 20, ROWS) + 1
    frame = pd.DataFrame({"y": target, "p": target * rng.normal(1.02, 0.1, ROWS)})
    pair = pair_of(frame, frame, task="regression", target="y", prediction="p")
    for name, theirs, unit in (
        ("mae", metrics.MAE(), 1), ("mape", metrics.MAPE(), 100), ("rmse", metrics.RMSE(), 1),
        ("r2", metrics.R2Score(), 1), ("bias", metrics.MeanError(), 1),
    ):  # fmt: skip
        result = evidently(theirs, frame, regression=[Regression(target="y", prediction="p")],
                           numerical_columns=["y", "p"])  # fmt: skip
        expected = result.mean.value if hasattr(result, "mean") else result
        assert pair.read(Quality(ANY, name)).value * unit == pytest.approx(expected, rel=1e-9), name


# --- where gate differs on purpose -----------------------------------------------------------------------------------


def test_difference_a_column_of_small_scale_can_drift(pair_of):
    """Evidently divides by at least 0.001, which hides small scales; gate divides by the reference's spread."""
    rng = np.random.default_rng(13)
    reference, current = rng.normal(0, 1e-6, ROWS), rng.normal(5e-6, 1e-6, ROWS)
    theirs = drift_of("wasserstein", reference, current, kind="numerical")
    ours = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current})).read(Drift(ANY, "x", "wasserstein"))
    assert theirs < 0.01
    assert ours.value == pytest.approx(5, rel=0.05)


def test_difference_an_infinity_is_a_value(pair_of):
    """Evidently drops infinities (where a NaN is beside them); a feed that begins to divide by zero has not drifted."""
    rng = np.random.default_rng(14)
    reference, current = rng.normal(0, 1, ROWS), rng.normal(0, 1, ROWS)
    current[: ROWS // 4], reference[0], current[-1] = np.inf, np.nan, np.nan
    theirs = drift_of("jensenshannon", reference, current, kind="numerical")
    pair = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}))
    read = pair.gather(*(Drift(ANY, "x", method) for method in ("jensenshannon", "ks", "wasserstein"))).evidence
    assert theirs < 0.1
    binned, ranks, area = read.values()
    assert binned.value > 0.2
    assert ranks.value > 0.2
    assert area.value > 1e6
    assert ranks.details["current"].endswith("750 infinite")


def test_difference_one_outlier_does_not_blind_the_distance(pair_of):
    """Evidently's bins are of equal width between the extremes: one outlier, and all rows share a bin."""
    rng = np.random.default_rng(15)
    reference, current = rng.normal(0, 1, ROWS), rng.normal(3, 1, ROWS)
    current[0] = 1e9
    pair = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}))
    blind, seeing = pair.gather(Drift(ANY, "x", "psi", bins="evidently"), Drift(ANY, "x", "psi")).evidence.values()
    assert blind.value == pytest.approx(drift_of("psi", reference, current, kind="numerical"), abs=1e-9)
    assert blind.value < 0.01
    assert seeing.value > 1


@pytest.mark.parametrize(("method", "ours", "kind"), [("ks", "ks", "numerical"), ("chisquare", "tvd", "categorical")])
def test_difference_a_distance_is_judged_and_never_a_p_value(pair_of, method, ours, kind):
    """Evidently's number shrinks with more drift, and with more rows; gate's is the distance, the p-value beside."""
    rng = np.random.default_rng(16)
    if kind == "numerical":
        reference, current = rng.normal(0, 1, 400), rng.normal(1, 1, 400)
    else:
        reference, current = rng.choice(["a", "b"], 400), rng.choice(["a", "b"], 400, p=[0.8, 0.2])
    theirs = drift_of(method, reference, current, kind=kind)
    measured = pair_of(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current})).read(Drift(ANY, "x", ours))
    assert theirs < 0.01
    assert measured.value > 0.2
    assert measured.details["p_value"] < 0.01


def test_difference_missing_rows_are_shown_beside_the_drift_that_ignores_them(pair_of):
    """Both drop nulls before the distance; gate says on how many rows of the smaller side the number rests."""
    rng = np.random.default_rng(17)
    values = rng.normal(0, 1, ROWS)
    current = np.where(np.arange(ROWS) < ROWS // 2, np.nan, values)
    theirs = drift_of("wasserstein", values, current, kind="numerical")
    pair = pair_of(pd.DataFrame({"x": values}), pd.DataFrame({"x": current}))
    drift, missing = pair.gather(Drift(ANY, "x", "wasserstein"), MissingShare(ANY, "x")).evidence.values()
    assert drift.value == pytest.approx(theirs, abs=FROM_BINS)
    assert drift.rows == ROWS // 2
    assert missing.value == 0.5


def test_difference_a_constant_reference_makes_any_change_a_fail(pair_of):
    """Evidently's score of a constant that changed varies; gate's is the largest that the method knows."""
    one, two = np.full(500, 1.0), np.full(500, 2.0)
    pair = pair_of(pd.DataFrame({"x": one}), pd.DataFrame({"x": two}))
    same = pair_of(pd.DataFrame({"x": one}), pd.DataFrame({"x": one}))
    for method, largest in (("wasserstein", 1e9), ("ks", 1.0), ("psi", 1e9), ("tvd", 1.0)):
        assert pair.read(Drift(ANY, "x", method)).value == largest
        assert same.read(Drift(ANY, "x", method)).value == 0.0


def test_difference_what_makes_evidently_raise_is_missing_and_takes_nothing_with_it(pair_of):
    """Evidently loses the whole report over one column without values; gate loses that column, and says so."""
    frame = pd.DataFrame({"x": np.full(50, np.nan), "good": np.arange(50.0)})
    with pytest.raises(ValueError, match="empty column"):
        drift_of("wasserstein", frame["x"], frame["x"], kind="numerical")
    lost, good = pair_of(frame, frame).gather(
        Drift(ANY, "x", "wasserstein"), Drift(ANY, "good", "wasserstein")
    ).evidence.values()  # fmt: skip
    assert lost == Missing("x is null in all 50 rows of reference")
    assert isinstance(good, Measured)
    assert good.value == 0.0


def test_difference_nullable_types_are_measured(pair_of):
    """Evidently leaves nullable columns out of a report without a word; to gate they are numbers."""
    reference = pd.DataFrame({"x": pd.array([1, 2, 3, None] * 100, dtype="Int64")})
    current = pd.DataFrame({"x": pd.array([4, 5, 6, None] * 100, dtype="Int64")})
    drifted = evidently(metrics.DriftedColumnsCount(), current.assign(y=1.0), reference.assign(y=1.0),
                        numerical_columns=["y"], unknown_columns=["x"])  # fmt: skip
    assert drifted.count.value == 0
    assert pair_of(reference, current).read(Drift(ANY, "x", "ks")).value == 1.0
