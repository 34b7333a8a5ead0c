"""`gate check`: judge a model version, in this process or on a gate server."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gate.cli.deadline import deadline
from gate.cli.options import delivery_of, output_options, server_option
from gate.cli.render.table import REPORT_ONLY
from gate.domain.candidate import ModelRef
from gate.errors import GateError, UsageError

if TYPE_CHECKING:
    from gate.cli.delivery import Delivery
    from gate.domain.evaluation import ClientPolicy
    from gate.flow.keep import Outcome
    from gate.flow.request import Request
    from gate.wiring.settings import Settings

_LARGEST_POLICY = 256 * 2**10


@click.command("check")
@click.argument("model_uri")
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE_OR_DIR",
              help="A policy, or a folder of which the one that applies is chosen. Default: policies/")  # fmt: skip
@click.option("--reference", metavar="URI", help="Reference data instead of the policy's; the verdict says so.")
@click.option("--current", metavar="URI", help="Current data instead of the policy's; the verdict says so.")
@click.option("--stage", metavar="NAME", help="The stage that the model asks to enter. Default: the policy's first.")
@server_option
@click.option("--local", is_flag=True, help="Judge in this process, although GATE_URL names a server.")
@output_options
def command(
    model_uri: str,
    policy: Path | None,
    reference: str | None,
    current: str | None,
    stage: str | None,
    server: str | None,
    local: bool,
    form: str,
    outputs: tuple[tuple[str, Path], ...],
    report: Path | None,
    timeout: float | None,
    report_only: bool,
    verbose: bool,
) -> None:
    """Judge a model version: promote or hold.

    MODEL_URI is models:/NAME/VERSION or models:/NAME@ALIAS.

    With --server or GATE_URL a gate server judges, by its own policies; this command asks it and waits. When it is
    interrupted or gives up, the evaluation goes on: gate wait asks for its verdict. With --local it judges itself.

    Exit codes: 0 promote; 1 hold, a check failed; 2 the command, configuration or policy is wrong; 3 hold, too little
    evidence or people awaited; 4 could not decide; 5 timed out.
    """
    from gate.wiring.settings import load_settings

    if local and server is not None:
        raise UsageError("--local judges in this process and --server asks a server: use one of them")
    if report_only:
        click.echo(REPORT_ONLY, err=True)
    settings = load_settings()
    model = ModelRef.parse(model_uri)
    delivery = delivery_of(form, outputs, report, verbose=verbose)
    url = None if local else server or settings.url
    if url:
        from gate.cli.remote import Wish, check_remotely
        from gate.domain.evaluation import Submission

        asked = Submission(model.uri, stage, reference, current, not report_only, _sent(policy))
        code = check_remotely(asked, Wish(url, delivery, timeout, enforced=not report_only, named=server is not None))
    else:
        code = _check_here(
            model, policy or settings.policies, (reference, current), stage, settings, delivery, timeout,
            enforced=not report_only,
        )  # fmt: skip
    if report_only:
        click.echo(REPORT_ONLY, err=True)
    raise click.exceptions.Exit(code)


def _sent(path: Path | None) -> ClientPolicy | None:
    """The policy to send along; a server that judges only by its own will say so."""
    if path is None:
        return None
    from gate.domain.evaluation import ClientPolicy

    if path.is_dir():
        raise UsageError(f"--policy: {path} is a folder; a server chooses among its own policies, leave --policy out")
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST_POLICY:
            raise UsageError(f"--policy: {path} is larger than {_LARGEST_POLICY:,} bytes, which no server takes")
        return ClientPolicy(path.name, content.decode("utf-8"))
    except OSError as wrong:
        raise UsageError(f"--policy: {path} cannot be read: {wrong.strerror}") from wrong
    except UnicodeDecodeError as wrong:
        raise UsageError(f"--policy: {path} is not UTF-8") from wrong


def _check_here(
    model: ModelRef, policies: Path, data: tuple[str | None, str | None], stage: str | None, settings: Settings,
    delivery: Delivery, timeout: float | None, *, enforced: bool,
) -> int:  # fmt: skip
    from gate.flow.request import Request

    _mention_what_is_lost(settings)
    request = Request(
        model=model,
        policies=policies,
        reference=data[0],
        current=data[1],
        stage=stage,
        enforced=enforced,
        report=delivery.folder is not None,
        data_folder=settings.data_folder,
        timeout_seconds=timeout or 600.0,
    )
    with deadline(timeout):
        outcome = judge(request, settings)
        page = delivery.report(outcome)
    delivery.write(outcome.document, page, _previous(outcome.document, settings))
    return outcome.exit_code


def judge(request: Request, settings: Settings) -> Outcome:
    """Run one check with progress on stderr."""
    from gate.telemetry.progress import Progress, is_live
    from gate.wiring.build import run_check

    with Progress(sys.stderr, live=is_live(sys.stderr)) as progress:
        return run_check(request, settings, progress)


def _mention_what_is_lost(settings: Settings) -> None:
    """A job of a CI system starts empty each time, unless somebody has said where its state is kept."""
    from gate.client.key import is_ci

    if not is_ci(os.environ) or settings.origins["home"] != "default":
        return
    click.echo(
        "gate: without a server, attempts, history and cached profiles are lost when this job ends; set GATE_URL to "
        "ask a gate server, or GATE_HOME to a folder that is kept",
        err=True,
    )


def _previous(document: Mapping[str, Any], settings: Settings) -> str | None:
    """The id of the verdict on this model before this one, to compare with."""
    from gate.wiring.build import build_store

    try:
        before = build_store(settings).latest(document["model"]["name"], other_than=document["id"])
    except GateError:
        return None  # the verdict is stored and stands; only the hint is lost
    return str(before["id"]) if before else None
