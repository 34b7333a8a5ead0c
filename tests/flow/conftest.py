"""A real record in a file, and a line that only remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.flow.policies import PolicyShelf
from gate.flow.submit import Desk

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

TOY = """\
policy: gate/v1
name: toy
applies_to: {models: ["toy*"]}
task: none
data: {reference: {mlflow: training}, current: {uri: now.parquet}}
checks:
  - {check: missing_share, max: 0.05}
"""


@dataclass
class RememberedLine:
    """A line that works on nothing, and remembers who asked for what."""

    submitted: list[tuple[str, str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)

    def submit(self, evaluation_id, model_name):
        self.submitted.append((evaluation_id, model_name))
        self.lost.discard(evaluation_id)

    def cancel(self, evaluation_id):
        self.cancelled.append(evaluation_id)

    def purge(self, before):
        return 0

    def known(self, ids):
        return {name for name, _ in self.submitted} & set(ids) - self.lost

    def begun(self):
        return self.taken

    def abandoned(self):
        return self.given_up


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def store(tmp_path):
    from gate.store.open import open_store

    opened = open_store(f"sqlite:///{tmp_path / 'gate.db'}")
    yield opened
    opened.close()


@pytest.fixture
def line():
    return RememberedLine()


@pytest.fixture
def policies(tmp_path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "toy.yaml").write_text(TOY)
    return folder


@pytest.fixture
def shelf(policies):
    return PolicyShelf(policies, NOW)


@pytest.fixture
def desk(store, line, shelf):
    return Desk(store.evaluations, store.verdicts, line, shelf, queue_seconds=3600)
