"""An evaluation: a request that a server has accepted, on its way to a verdict or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an evaluation stands. The last three are final; a hold is `done`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more."""
        return self in (State.DONE, State.ERROR, State.CANCELLED)


class Trigger(StrEnum):
    """Who asked: a pipeline, a person or program over HTTP, the web pages, or the clock."""

    CI = "ci"
    API = "api"
    UI = "ui"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """A policy that a client brings: the name of its file for people, and its text."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What a client asks of a server. `model` is an MLflow URI; the rest is as in `gate.flow.request.Request`."""

    model: str
    stage: str | None = None
    reference: str | None = None
    current: str | None = None
    enforced: bool = True
    policy: ClientPolicy | None = None
    trigger: Trigger = Trigger.API


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an evaluation ended without a verdict.

    Attributes:
        kind: a stable word, the last part of the problem type's URI: `policy-error`, `registry-unreachable`, ...
        detail: the sentence for people.
        exit_code: what `gate check` in process would have exited with: 2 or 4.
        problems: for a wrong policy, every problem as `file:line: message`.
    """

    kind: str
    detail: str
    exit_code: int = 4
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation as the database has it.

    Attributes:
        id: made by the server from the principal and the client's key, so that asking twice is asking once.
        principal: who asked; `anonymous` where nobody is known.
        key: the client's Idempotency-Key, or one that the server made up.
        model_name: the registered model; evaluations of one model run one after the other.
        expires_at: while queued, when waiting ends; while running, the deadline; what is older is swept up as an error.
        tries: how often work began; more than one after a crash of the worker.
        retry_of: the evaluation that ended in error and is tried again by this one.
    """

    id: str
    principal: str
    key: str
    submission: Submission
    model_name: str
    state: State
    created_at: datetime
    expires_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    tries: int = 0
    worker: str | None = None
    verdict_id: str | None = None
    trouble: Trouble | None = None
    retry_of: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an evaluation. `sequence` counts from 1 within it, without gaps.

    Kinds: `queued`, `started`, `phase` (data: name, detail), `rows` (data: scanned), and last the final state.
    """

    sequence: int
    at: datetime
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """Which version an alias of the registry named when it was last looked at; None if the alias is not set."""

    model_name: str
    alias: str
    version: str | None
    policy: str
    stage: str
    seen_at: datetime
