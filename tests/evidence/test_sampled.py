from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gate.domain.evidence import Measured, Missing
from gate.domain.need import ANY, EvidentlyMetric

ROWS = 500
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({
    "x": RNG.normal(5, 1, ROWS), "c": RNG.choice(["a", "b"], ROWS), "n": pd.array(range(ROWS), dtype="Int64"),
    "constant": 1.0, "t": pd.date_range("2026-01-01", periods=ROWS, freq="h", tz="UTC"), "y": RNG.normal(0, 1, ROWS),
})  # fmt: skip
FRAME["p"] = FRAME.y + RNG.choice([-0.5, 0.5], ROWS)


def metric(name, parameters="{}", field=None, rows=ROWS, seed=1):
    return EvidentlyMetric(ANY, name, parameters, field, rows, seed)


@pytest.fixture(scope="module")
def pair(pair_of):
    return pair_of(FRAME, FRAME, task="regression", target="y", prediction="p", timestamp="t")


def test_a_metric_of_evidently_is_named_and_read(pair):
    expected = {
        metric("MeanValue", '{"column":"x"}'): FRAME.x.mean(),
        metric("MeanValue", '{"column":"n"}'): 249.5,  # a nullable column is there too
        metric("QuantileValue", '{"column":"x","quantile":0.5}'): FRAME.x.median(),
        metric("CategoryCount", '{"category":"a","column":"c"}', "count"): (FRAME.c == "a").sum(),
        metric("CategoryCount", '{"category":"a","column":"c"}', "share"): (FRAME.c == "a").mean(),
        metric("UniqueValueCount", '{"column":"c"}', "a"): (FRAME.c == "a").mean(),
        metric("MAE", "{}", "mean"): 0.5,
        metric("RMSE"): 0.5,
        metric("ColumnCount"): 7,
    }
    for need, reading in pair.gather(*expected).evidence.items():
        assert isinstance(reading, Measured), (need, reading)
        assert reading.value == pytest.approx(expected[need]), need
        assert reading.details == {"sample": ROWS, "sample_of_reference": ROWS, "seed": 1}
        assert reading.method == f"Evidently's {need.metric} on a sample of rows"


def test_the_sample_is_bounded_declared_and_the_same_for_the_same_seed(pair):
    need = metric("MeanValue", '{"column":"x"}', rows=50)
    first, again, other = (pair.read(n) for n in (need, need, metric("MeanValue", '{"column":"x"}', rows=50, seed=2)))
    assert first == again
    assert first.rows == 50
    assert first.details["sample"] == 50
    assert other.value != first.value


def test_a_permutation_test_gives_the_same_answer_twice(pair_of):
    reference, current = FRAME[["x"]].head(60), FRAME[["x"]].tail(60)
    pair = pair_of(reference, current)
    need = metric("ValueDrift", '{"column":"x","method":"energy_distance"}')
    assert pair.read(need) == pair.read(need)


def test_evidentlys_random_draws_leave_ours_alone(pair):
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random(), np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    before = np.random.random()  # noqa: NPY002
    pair.read(metric("MeanValue", '{"column":"x"}'))
    assert (before, np.random.random()) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (metric("MeanValeu", '{"column":"x"}'), "Evidently has no metric 'MeanValeu'; did you mean 'MeanValue'?"),
        (metric("LLMEval"), "Evidently has no metric 'LLMEval'; "),
        (metric("os.system"), "Evidently has no metric 'os.system'; "),
        (metric("MeanValue", '{"column":"x","tests":[{"type":"os.system"}]}'), "MeanValue has no parameter 'tests'; "),
        (metric("MeanValue", '{"column":"x","type":"os.system"}'), "MeanValue has no parameter 'type'; "),
        (metric("GroupBy", '{"column_name":"c"}'), ""),
        (metric("MeanValue"), "MeanValue needs the parameter 'column': text"),
        (metric("MissingValueCount", '{"column":"x"}'), "is missing, allowed for MissingValueCount are "),
        (metric("UniqueValueCount", '{"column":"c"}', "z"), "Evidently's UniqueValueCount has no value for 'z'"),
        (metric("CorrelationMatrix"), "the value of CorrelationMatrix is a table, which no limit can be held against"),
        (metric("MeanValue", '{"column":"nope"}'), "nope is absent in reference and current"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_with_the_reason(pair, need, reason):
    read = pair.read(need)
    assert isinstance(read, Missing)
    assert read.reason.startswith(reason)
    assert not read.broken


def test_a_number_that_is_none_is_missing(pair):
    read = pair.read(metric("StdValue", '{"column":"x"}', rows=1))
    assert read == Missing("Evidently's StdValue is nan on a sample of 1 rows", rows=1)


def test_a_crash_of_evidently_is_broken_and_takes_nothing_with_it(pair):
    crashing, good = metric("MeanValue", '{"column":"c"}'), metric("MeanValue", '{"column":"x"}')
    read = pair.gather(crashing, good).evidence
    assert read[crashing].broken
    assert read[crashing].reason.startswith("Evidently's MeanValue failed with ")
    assert isinstance(read[good], Measured)


def test_metrics_of_quality_rest_on_labelled_rows(pair_of):
    frame = FRAME.assign(y=FRAME.y.where(FRAME.index >= 100))
    pair = pair_of(frame.drop(columns="p"), frame, task="regression", target="y", prediction="p")
    read = pair.read(metric("MAE", "{}", "mean"))
    assert (read.value, read.rows) == (pytest.approx(0.5), 400)
    assert read.details["sample_of_reference"] == 0  # training data without predictions


def test_metrics_of_quality_need_target_and_prediction(pair_of):
    assert pair_of(FRAME, FRAME).read(metric("MAE", "{}", "mean")) == Missing(
        "Evidently's MAE needs a target and a prediction column in the policy"
    )


def test_classes_are_compared_as_they_are_stored(pair_of):
    frame = pd.DataFrame({"y": [0, 1] * 50, "label": [0, 1] * 40 + [1, 0] * 10, "s": [0.2, 0.8] * 50})
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label", positive="1")
    assert pair.read(metric("Accuracy")).value == pytest.approx(0.8)
    assert pair.read(metric("Precision")).value == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("no", "yes", "positive"), [(False, True, "true"), (0.0, 1.0, "1"), (0, 1, "1"), ("no", "yes", "yes")]
)
def test_the_positive_class_is_spelled_as_everywhere(pair_of, no, yes, positive):
    frame = pd.DataFrame({"y": [no, yes] * 50, "label": [no] * 20 + [yes, yes] * 40})
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label", positive=positive)
    assert pair.read(metric("Precision")).value == pytest.approx(0.5)
    assert pair.read(metric("Recall")).value == pytest.approx(0.8)


def test_a_positive_class_that_is_no_value_is_named_with_the_values_there_are(pair_of):
    frame = pd.DataFrame({"y": [False, True] * 50, "label": [False, True] * 50, "x": 1.0})
    pair = pair_of(frame, frame, task="classification", target="y", prediction="label", positive="True")
    reason = "'True' (positive) is no value of y in the sample; it has: false, true"
    assert pair.read(metric("Precision")) == Missing(reason, rows=100)
    assert pair.read(metric("MeanValue", '{"column":"x"}')).value == 1.0
