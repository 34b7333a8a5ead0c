"""What is read out of a verdict's document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.telemetry.summary import Drift, summarise, word_of

DOCUMENTS = sorted((Path(__file__).parents[1] / "cli" / "documents").glob("*.json"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_every_kind_of_verdict_can_be_summarised(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    summary = summarise(document)
    assert summary.verdict == word_of(document)
    assert summary.enforced is document["enforced"]
    in_the_way = {
        (finding["dimension"], finding["check"])
        for finding in document["findings"]
        if finding["severity"] != "info" and finding["status"] not in ("pass", "warn") and not finding["waived"]
    }
    assert sum(summary.blockers.values()) == len(in_the_way)
    assert all(0 <= share <= 1 for share in summary.readiness.values())


def test_documents_are_found():
    assert {path.stem for path in DOCUMENTS} >= {"promote", "hold-failed", "hold-error", "report-only", "hostile"}


def test_the_drift_of_a_verdict_is_read_with_method_limit_and_judgement():
    document = json.loads((DOCUMENTS[0].parent / "hold-failed.json").read_text(encoding="utf-8"))
    assert set(summarise(document).features) >= {
        Drift("hum", "wasserstein", 0.0412, 0.1, drifted=False),
        Drift("temp", "wasserstein", 0.41, 0.1, drifted=True),
    }


@pytest.mark.parametrize(
    ("score", "threshold", "reach"),
    [(0.2, 0.1, 2.0), (0.0, 0.0, 0.0), (0.1, 0.0, float("inf")), (None, 0.1, -1.0)],
)
def test_a_reach_is_counted_in_thresholds(score, threshold, reach):
    assert Drift("x", "psi", score, threshold, drifted=None).reach == reach
