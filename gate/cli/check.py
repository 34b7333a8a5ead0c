"""`gate check`: judge a model version in this process."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gate.cli.deadline import deadline
from gate.cli.delivery import RENDERERS, Delivery
from gate.cli.output import Destination, ReportFolder
from gate.cli.render.table import REPORT_ONLY
from gate.domain.candidate import ModelRef
from gate.errors import GateError

if TYPE_CHECKING:
    from gate.flow.keep import Outcome
    from gate.flow.request import Request
    from gate.wiring.settings import Settings

_LONGEST_TIMEOUT = 7 * 86_400.0


class Output(click.ParamType[tuple[str, Path]]):
    """`FORMAT=PATH`."""

    name = "FORMAT=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path]:
        """Split at the first equals sign; the format must be known and the path not empty."""
        form, found, path = str(value).partition("=")
        if form not in RENDERERS or not found or not path:
            self.fail(f"{value!r} is not FORMAT=PATH with a format of {', '.join(RENDERERS)}", param, ctx)
        return form, Path(path)


class Seconds(click.ParamType[float]):
    """A positive number of seconds; NaN and infinity are none."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number in its limits."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= _LONGEST_TIMEOUT:
            self.fail(f"{value!r} is not a number of seconds from above 0 to {_LONGEST_TIMEOUT:,.0f}", param, ctx)
        return seconds


@click.command("check")
@click.argument("model_uri")
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE_OR_DIR",
              help="A policy, or a folder of which the one that applies is chosen. Default: policies/")  # fmt: skip
@click.option("--reference", metavar="URI", help="Reference data instead of the policy's; the verdict says so.")
@click.option("--current", metavar="URI", help="Current data instead of the policy's; the verdict says so.")
@click.option("--stage", metavar="NAME", help="The stage that the model asks to enter. Default: the policy's first.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="The format on stdout.")  # fmt: skip
@click.option("--output", "outputs", type=Output(), multiple=True,
              help="Also write the verdict to a file: table, json, junit or markdown. Repeatable.")  # fmt: skip
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write the drift report into this folder.")  # fmt: skip
@click.option("--timeout", type=Seconds(), help="Give up after this long (exit 5).")
@click.option("--report-only", is_flag=True, help="Judge, but enforce nothing: a hold exits 0.")
@click.option("-v", "--verbose", is_flag=True, help="List what passed, too.")
def command(
    model_uri: str,
    policy: Path | None,
    reference: str | None,
    current: str | None,
    stage: str | None,
    form: str,
    outputs: tuple[tuple[str, Path], ...],
    report: Path | None,
    timeout: float | None,
    report_only: bool,
    verbose: bool,
) -> None:
    """Judge a model version: promote or hold.

    MODEL_URI is models:/NAME/VERSION or models:/NAME@ALIAS.

    Exit codes: 0 promote; 1 hold, a check failed; 2 the command, configuration or policy is wrong; 3 hold, too little
    evidence or people awaited; 4 could not decide; 5 timed out.
    """
    from gate.flow.request import Request
    from gate.wiring.settings import load_settings

    if report_only:
        click.echo(REPORT_ONLY, err=True)
    settings = load_settings()
    request = Request(
        model=ModelRef.parse(model_uri),
        policies=policy or settings.policies,
        reference=reference,
        current=current,
        stage=stage,
        enforced=not report_only,
        report=report is not None,
        data_folder=settings.data_folder,
        timeout_seconds=timeout or 600.0,
    )
    delivery = Delivery(
        form=form,
        files=tuple((written, Destination(path)) for written, path in outputs),
        folder=ReportFolder(report) if report else None,
        verbose=verbose,
    )
    delivery.prepare()
    with deadline(timeout):
        outcome = judge(request, settings)
        page = delivery.report(outcome)
    delivery.write(outcome.document, page, _previous(outcome.document, settings))
    if report_only:
        click.echo(REPORT_ONLY, err=True)
    raise click.exceptions.Exit(outcome.exit_code)


def judge(request: Request, settings: Settings) -> Outcome:
    """Run one check with progress on stderr."""
    from gate.telemetry.progress import Progress, is_live
    from gate.wiring.build import run_check

    with Progress(sys.stderr, live=is_live(sys.stderr)) as progress:
        return run_check(request, settings, progress)


def _previous(document: Mapping[str, Any], settings: Settings) -> str | None:
    """The id of the verdict on this model before this one, to compare with."""
    from gate.wiring.build import build_store

    try:
        before = build_store(settings).latest(document["model"]["name"], other_than=document["id"])
    except GateError:
        return None  # the verdict is stored and stands; only the hint is lost
    return str(before["id"]) if before else None
