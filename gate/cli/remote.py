"""A verdict from a gate server: asked for, waited for, delivered as if it had been made here."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from gate.cli.deadline import deadline
from gate.cli.delivery import Delivery
from gate.cli.following import Following
from gate.client.address import shown
from gate.client.client import Client, body_of
from gate.client.key import is_ci, keys_for
from gate.client.patience import TimeLimit
from gate.client.reading import EvaluationAnswer, TroubleAnswer
from gate.client.verdict import Ruling
from gate.domain.candidate import ModelRef
from gate.domain.evaluation import State, Submission, Trigger
from gate.domain.plain import plain
from gate.errors import GateError, OutOfTimeError, UsageError
from gate.telemetry.progress import is_live

_INTERRUPTED = 130
_COULD_NOT_DECIDE = 4
_USAGE = 2
_LOOKUP_SECONDS = 60.0
_HINT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """Which server is asked, where its verdict goes, and how long to wait; `named` if the command line names it."""

    url: str
    delivery: Delivery
    timeout: float | None
    enforced: bool
    named: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the verdict has to be about, as far as the command line says."""

    model: ModelRef | None = None
    stage: str | None = None
    overridden: bool | None = None


@dataclass(frozen=True, slots=True)
class _Delivered:
    """A verdict with all that was fetched around it."""

    ruling: Ruling
    page: str
    report: Path | None


def check_remotely(submission: Submission, wish: Wish) -> int:
    """Submit, wait, deliver; the exit code."""
    submission = replace(submission, trigger=Trigger.CI if is_ci(os.environ) else Trigger.API)
    is_overridden = submission.reference is not None or submission.current is not None
    asked = _Asked(ModelRef.parse(submission.model), submission.stage, is_overridden)
    return _answer(wish, asked, lambda client: client.submit(submission, keys_for(body_of(submission), os.environ)))


def wait_remotely(evaluation_id: str, wish: Wish) -> int:
    """Wait for an evaluation that was submitted before, deliver its verdict; the exit code."""

    def find(client: Client) -> EvaluationAnswer:
        evaluation = client.evaluation(evaluation_id)
        if evaluation.report_only and wish.enforced:
            raise UsageError(f"evaluation {evaluation_id} was asked for with --report-only: its verdict enforces "
                             f"nothing; add --report-only to wait for it")  # fmt: skip
        if not evaluation.report_only and not wish.enforced:
            raise UsageError(f"evaluation {evaluation_id} was not asked for with --report-only: leave it out")
        return evaluation

    return _answer(wish, _Asked(), find)


def find_remotely(verdict_id: str, url: str) -> Mapping[str, Any]:
    """The document of a verdict that a server keeps."""
    with deadline(_LOOKUP_SECONDS), Client(url, TimeLimit(_LOOKUP_SECONDS)) as client:
        return client.document(verdict_id)


def _answer(wish: Wish, asked: _Asked, begin: Callable[[Client], EvaluationAnswer]) -> int:
    evaluation: EvaluationAnswer | None = None
    again = ""
    try:
        with (
            deadline(wish.timeout),
            Following(sys.stderr, live=is_live(sys.stderr)) as progress,
            Client(wish.url, TimeLimit(wish.timeout), progress.note) as client,
        ):
            evaluation = begin(client)
            again = f"gate wait {evaluation.id} --server {shlex.quote(shown(wish.url))}"
            again += "" if wish.enforced else " --report-only"
            progress.note(f"evaluation {evaluation.id}: {client.page_of(evaluation)}")
            if not evaluation.state.is_over:
                evaluation = client.wait(evaluation.id, progress)
            delivered = _fetch(client, evaluation, wish, asked) if evaluation.state is State.DONE else None
    except KeyboardInterrupt:
        click.echo(f"gate: interrupted; the evaluation goes on: {again}" if again else "gate: interrupted", err=True)
        return _INTERRUPTED
    except OutOfTimeError as late:
        raise OutOfTimeError(f"{late}; the evaluation goes on: {again}" if again else str(late)) from late
    except GateError as error:
        if again and error.exit_code == _COULD_NOT_DECIDE:
            click.echo(f"gate: to ask for the verdict again: {again}", err=True)
        raise
    if delivered is None:
        return _explain(evaluation)
    document = delivered.ruling.document
    wish.delivery.write(
        document, delivered.report, _previous(wish, document), url=delivered.page,
        server=shown(wish.url) if wish.named else None,
    )  # fmt: skip
    return delivered.ruling.exit_code


def _fetch(client: Client, evaluation: EvaluationAnswer, wish: Wish, asked: _Asked) -> _Delivered:
    ruling = client.ruling(
        evaluation, enforced=wish.enforced, model=asked.model, stage=asked.stage, overridden=asked.overridden
    )
    document, folder, report = ruling.document, wish.delivery.folder, None
    if folder:
        page = folder.write(client.report(document["id"]))
        report = page if page.is_file() else folder.path
    return _Delivered(ruling, client.page_of(evaluation), report)


def _previous(wish: Wish, document: Mapping[str, Any]) -> str | None:
    """The id of the verdict before this one. The verdict is here by now: no hint is worth its exit code."""
    try:
        with Client(wish.url, TimeLimit(_HINT_SECONDS)) as client:
            return client.previous(document["model"]["name"], document["id"])
    except GateError:
        return None


def _explain(evaluation: EvaluationAnswer) -> int:
    """Say why there is no verdict, as the error would have been said here; its exit code, which is never 0."""
    if evaluation.state is State.CANCELLED:
        click.echo(f"gate: evaluation {evaluation.id} was cancelled", err=True)
        return _COULD_NOT_DECIDE
    trouble = evaluation.trouble or TroubleAnswer(detail="the server does not say why")
    for line in trouble.problems:
        click.echo(plain(line), err=True)
    if not trouble.problems:
        click.echo(f"gate: {plain(trouble.detail or trouble.title)}", err=True)
    return _USAGE if trouble.exit_code == _USAGE else _COULD_NOT_DECIDE
