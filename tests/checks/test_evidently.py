"""Any metric of Evidently."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gate.domain.evidence import Missing
from gate.domain.finding import Status
from gate.domain.need import EvidentlyMetric, Limit
from gate.testing import a_check, a_number, a_scope, judge_one

SCOPE = a_scope({"hum": "DOUBLE"})
MEDIAN = {"metric": "QuantileValue", "parameters": {"quantile": 0.5, "column": "hum"}, "min": 40, "max": 80}


def judged(answer, **fields):
    (judgement,) = judge_one("evidently", MEDIAN | fields, answer, SCOPE)
    return judgement


@pytest.mark.parametrize(("value", "status"), [(40, "pass"), (80, "pass"), (39.9, "fail"), (80.1, "fail")])
def test_the_edges(value, status):
    assert judged(a_number(value)).status == status


def test_declares_its_sample():
    judgement = judged(a_number(90, details={"sample": 50_000}), field="share")
    assert judgement.reason == "QuantileValue.share of hum is 90 on a sample of 50,000 rows (seed 0), limit 40 to 80"
    assert judgement.flip == "evidently: bring QuantileValue.share of hum from 90 to 40 to 80"
    assert judgement.subject == {"column": "hum"}


def test_parameters_are_canonical():
    other = {"parameters": {"column": "hum", "quantile": 0.5}}
    expected = EvidentlyMetric(
        Limit(40.0, 80.0), "QuantileValue", '{"column":"hum","quantile":0.5}', None, 50_000, 0
    )  # fmt: skip
    assert a_check("evidently", MEDIAN).needs(SCOPE) == a_check("evidently", MEDIAN | other).needs(SCOPE) == (expected,)


def test_missing_and_too_few_rows_are_insufficient():
    assert judged(Missing("Evidently gave no number")).status is Status.INSUFFICIENT
    assert judged(a_number(50, rows=10), min_rows=11).status is Status.INSUFFICIENT


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min": None, "max": None}, "min and max are missing"),
        ({"metric": "os.system"}, "match pattern"),
        (
            {"metric": "ToxicityLLMEval"},
            "metric: ToxicityLLMEval would use the network, which no part of a verdict may",
        ),
        ({"metric": "NewLLMJudge"}, "would use the network"),
        ({"metric": "SemanticSimilarity"}, "would use the network"),
        ({"parameters": {"a": [{"b": "OpenAIFeature"}]}}, r"parameters.a\[0\].b: OpenAIFeature would use the network"),
        ({"parameters": {"m": {"type": "os.system"}}}, "parameters.m.type names code to run, which a policy may not"),
        ({"parameters": {"tests": []}}, "parameters.tests names code"),
        ({"sample_rows": 0}, "greater than or equal to 1"),
        ({"sample_rows": 10**7}, "less than or equal to 1000000"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_refuses_what_is_unsafe_or_decides_nothing(fields, message):
    with pytest.raises(ValidationError, match=message):
        a_check("evidently", MEDIAN | fields)


def test_refuses_parameters_that_json_cannot_say():
    with pytest.raises(ValidationError, match="allowed are plain values: text, finite numbers, lists, mappings"):
        type(a_check("evidently", MEDIAN))(metric="MeanValue", parameters={"x": float("nan")}, max=1.0)


def test_a_column_may_have_any_name():
    a_check("evidently", MEDIAN | {"parameters": {"column": "llm_score"}})
