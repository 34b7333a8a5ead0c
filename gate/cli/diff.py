"""`gate diff`: what changed between two verdicts."""

from __future__ import annotations

import click

from gate.cli.options import server_option
from gate.cli.output import emit, terminal_width, wants_colour

_DIFFERENT = 1


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="The format on stdout.")  # fmt: skip
@server_option
def command(before: str, after: str, form: str, server: str | None) -> None:
    """Say what changed between two verdicts: model, champion, data, policy, and each finding.

    BEFORE and AFTER are ids of stored verdicts (eight characters are enough), or JSON files that gate check wrote.
    With --server or GATE_URL ids are looked up on that gate server, else under GATE_HOME.

    Exit codes: 0 both decided the same; 1 they decided differently; 2 no such verdict.
    """
    from gate.cli.render.diff import render_diff
    from gate.cli.render.json import render_json
    from gate.cli.render.table import Page
    from gate.cli.verdict import read_verdict
    from gate.flow.diff import diff

    difference = diff(read_verdict(before, server), read_verdict(after, server))
    page = Page(width=terminal_width(), colour=wants_colour())
    emit(render_json(difference) if form == "json" else render_diff(difference, page))
    raise click.exceptions.Exit(0 if difference["same_decision"] else _DIFFERENT)
