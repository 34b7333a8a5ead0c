"""What a server counts of its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.evaluation import Evaluation, State, Submission
from gate.telemetry.metrics import Metrics
from gate.wiring.heard import Heard

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WAITED = 'gate_evaluation_phase_duration_seconds_count{phase="queue_wait"}'


@pytest.mark.parametrize(
    ("outcomes", "waits"), [(("hold",), "1.0"), (("retried",), "0.0"), (("retried", "hold"), "1.0")]
)
def test_an_evaluation_waits_once_however_often_its_work_begins(outcomes, waits):
    evaluation = Evaluation(
        id="e-1", principal="anonymous", key="k", submission=Submission("models:/bike/2"), model_name="bike",
        state=State.RUNNING, created_at=NOW - timedelta(minutes=1), expires_at=NOW + timedelta(hours=1), started_at=NOW,
    )  # fmt: skip
    metrics = Metrics({})
    for outcome in outcomes:
        Heard(metrics).ended(evaluation, outcome, 1.0, {})
    assert f"{WAITED} {waits}" in metrics.render()[0].decode().splitlines()
