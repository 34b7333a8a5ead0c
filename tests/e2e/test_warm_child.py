"""A server's child finds everything ready that an evaluation needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import engine_jobs
import pytest

from gate.domain.evaluation import Evaluation, State, Submission
from gate.engine.children import Children
from gate.flow.policies import PolicyShelf
from gate.flow.work import Job
from gate.store import open_store
from gate.wiring.preload import MODULES
from gate.wiring.settings import load_settings
from gate.wiring.work import Order

PATIENCE = 300.0
SQLITE_REGISTRY = "mlflow.store.db.trace_analytics"  # read from a file by MLflow when it looks at its own schema


@pytest.mark.slow
def test_an_evaluation_imports_nothing_and_is_forked_from_one_thread(pilot):
    settings = load_settings({**pilot.environment, "GATE_DATA_ROOTS": str(pilot.folder)}, pilot.folder)
    store = open_store(settings.database_url)
    settings.home.mkdir()
    now, asked = datetime.now(UTC), Submission("models:/toy/1")
    shelf = PolicyShelf(pilot.folder / "policies", now)
    with Children(MODULES) as children:
        for name in ("first", "second"):  # the first makes the tables
            later = now + timedelta(hours=1)
            store.evaluations.accept(Evaluation(name, "anonymous", name, asked, "toy", State.QUEUED, now, later))
            store.evaluations.start(name, "gate", now, later)
            answer = children.run(
                engine_jobs.judge_and_look, Order(Job(name, asked, shelf.current(), PATIENCE), settings),
                on_message=lambda _: None, should_stop=lambda: False, seconds=PATIENCE,
            )  # fmt: skip
    store.close()
    assert answer["decision"] == "promote"
    assert [module for module in answer["imported"] if not module.startswith(SQLITE_REGISTRY)] == []
    assert answer["threads"] == 1
