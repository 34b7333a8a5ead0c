"""MLflow's entities as gate's values."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.candidate import RegistryMetric
from gate.registry import records


def metric(key="auc", value=0.5, step=0, timestamp=0, run_id="r", dataset=("eval", "d1")):
    return SimpleNamespace(
        key=key,
        value=value,
        step=step,
        timestamp=timestamp,
        run_id=run_id,
        dataset_name=dataset[0],
        dataset_digest=dataset[1],
    )


def no_history(run_id, key):
    pytest.fail("only a zero is looked up")


def read(model_metrics=(), run_metrics=None, history=no_history):
    return records.metrics(model_metrics, run_metrics or {}, history)


def dataset(source="{}", profile="{}", schema="{}", tags=(("mlflow.data.context", "training"),)):
    entry = SimpleNamespace(
        dataset=SimpleNamespace(
            name="d", digest="1", source_type="local", source=source, profile=profile, schema=schema
        ),
        tags=[SimpleNamespace(key=key, value=value) for key, value in tags],
    )
    (result,) = records.datasets(SimpleNamespace(dataset_inputs=[entry]))
    return result


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, sys.float_info.max, -sys.float_info.max])
def test_what_is_no_number_is_left_out_of_both(value):
    assert read([metric(value=value)], {"mae": value}) == ()


@given(st.floats())
def test_every_metric_that_is_read_is_a_finite_number(value):
    for read_metric in read([metric(value=value)], {"mae": value}, lambda run, key: [metric(value=value)]):
        assert math.isfinite(read_metric.value)
        assert abs(read_metric.value) < sys.float_info.max


def test_a_zero_that_the_run_remembers_as_nan_is_left_out():
    past = [metric(value=math.nan, step=2), metric(value=0.25, step=1)]
    assert read([metric(value=0.0, step=2)], history=lambda run, key: past) == ()


def test_a_zero_beside_a_nan_of_another_step_stays():
    past = [metric(value=math.nan, step=1), metric(value=0.0, step=2)]
    assert read([metric(value=0.0, step=2)], history=lambda run, key: past) == (
        RegistryMetric("auc", 0.0, "eval", "d1"),
    )


def test_a_zero_of_no_run_is_left_out_because_nobody_can_say_what_it_was():
    assert read([metric(value=0.0, run_id=None)]) == ()


def test_the_last_step_wins_for_each_dataset():
    metrics = [metric(value=0.7, step=2), metric(value=0.6, step=1), metric(value=0.5, dataset=("eval", "d2"))]
    assert read(metrics) == (RegistryMetric("auc", 0.7, "eval", "d1"), RegistryMetric("auc", 0.5, "eval", "d2"))


def test_a_metric_that_is_linked_is_not_repeated_without_its_dataset():
    assert read([metric(value=0.7)], {"auc": 0.7, "loss": 0.7}) == (
        RegistryMetric("auc", 0.7, "eval", "d1"),
        RegistryMetric("loss", 0.7),
    )
    # Another value of that name is another statement, of which nobody knows the dataset.
    assert RegistryMetric("auc", 0.9) in read([metric(value=0.7)], {"auc": 0.9})


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ('{"uri": "file:///data/a%20b.parquet"}', "/data/a b.parquet"),
        ('{"uri": "file://localhost/data/a.parquet"}', "/data/a.parquet"),
        ('{"uri": "file://elsewhere/a.parquet"}', "file://elsewhere/a.parquet"),
        ('{"uri": "data/a.parquet"}', "data/a.parquet"),
        ('{"uri": "s3://bucket/a.parquet"}', "s3://bucket/a.parquet"),
        ('{"uri": "abfss://container@account.example/a"}', "abfss://container@account.example/a"),
        ('{"url": "https://somebody:s3cret@example.org/a.csv?token=s3cret"}', "https://example.org/a.csv"),
        ('{"tags": {"mlflow.user": "a"}}', None),
        ('{"uri": 7}', None),
        ('["uri"]', None),
        ("{", None),
        ("", None),
    ],
)
def test_a_dataset_is_where_its_source_says(source, uri):
    assert dataset(source=source).uri == uri


@pytest.mark.parametrize(
    ("profile", "rows"),
    [
        ('{"num_rows": 200}', 200),
        ('{"num_rows": 0}', 0),
        ('{"num_rows": -1}', None),
        ('{"num_rows": true}', None),
        ('{"num_rows": 1.5}', None),
        ("{}", None),
        ("x", None),
    ],
)
def test_rows_are_a_count_or_unknown(profile, rows):
    assert dataset(profile=profile).rows == rows


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        ('{"mlflow_colspec": [{"name": "a", "type": "long"}, {"type": "long"}, 7]}', ("a",)),
        ('{"mlflow_tensorspec": {}}', ()),
        ('{"mlflow_colspec": 7}', ()),
    ],
)
def test_columns_are_those_with_a_name(schema, columns):
    assert dataset(schema=schema).columns == columns


@pytest.mark.parametrize(
    ("tags", "context"),
    [
        ((("mlflow.data.context", "training"), ("x", "y")), "training"),
        ((), None),
        ((("mlflow.data.context", "training"), ("mlflow.data.context", "evaluation")), None),
    ],
)
def test_a_context_is_one_or_unknown(tags, context):
    assert dataset(tags=tags).context == context


def test_a_moment_is_in_utc_and_zero_is_none():
    assert records.moment(1_795_383_447_539) == datetime(2026, 11, 22, 21, 37, 27, 539000, tzinfo=UTC)
    assert records.moment(0) is None
    assert records.moment(None) is None
