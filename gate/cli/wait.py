"""`gate wait`: the verdict of an evaluation that a gate server already works on."""

from __future__ import annotations

from pathlib import Path

import click

from gate.cli.options import delivery_of, output_options, server_option
from gate.cli.render.table import REPORT_ONLY
from gate.errors import UsageError


@click.command("wait")
@click.argument("evaluation")
@server_option
@output_options
def command(
    evaluation: str,
    server: str | None,
    form: str,
    outputs: tuple[tuple[str, Path], ...],
    report: Path | None,
    timeout: float | None,
    report_only: bool,
    verbose: bool,
) -> None:
    """Wait for an evaluation on a gate server, and show its verdict.

    EVALUATION is the id that gate check printed when it was interrupted or gave up waiting.

    Exit codes are those of gate check.
    """
    from gate.cli.remote import Wish, wait_remotely
    from gate.wiring.settings import load_settings

    if report_only:
        click.echo(REPORT_ONLY, err=True)
    url = server or load_settings().url
    if url is None:
        raise UsageError("no gate server is named: use --server URL, or set GATE_URL")
    delivery = delivery_of(form, outputs, report, verbose=verbose)
    code = wait_remotely(evaluation, Wish(url, delivery, timeout, enforced=not report_only, named=server is not None))
    if report_only:
        click.echo(REPORT_ONLY, err=True)
    raise click.exceptions.Exit(code)
