"""`gate show`: a stored verdict again, in any format."""

from __future__ import annotations

import click

from gate.cli.options import server_option
from gate.cli.output import emit, terminal_width, wants_colour


@click.command("show")
@click.argument("verdict")
@click.option("--format", "form", type=click.Choice(["table", "json", "junit", "markdown"]), default="table",
              show_default=True, help="The format on stdout.")  # fmt: skip
@server_option
@click.option("-v", "--verbose", is_flag=True, help="List what passed, too.")
def command(verdict: str, form: str, server: str | None, verbose: bool) -> None:
    """Show a verdict again: a stored one by its id (eight characters are enough), or a JSON file.

    With --server or GATE_URL the id is looked up on that gate server, else under GATE_HOME.

    Nothing is judged anew, so it exits 0 whatever the verdict says. To act on a verdict, use gate check.
    """
    from gate.cli.delivery import RENDERERS
    from gate.cli.render.table import Page, render_table
    from gate.cli.verdict import read_verdict

    document = read_verdict(verdict, server)
    page = Page(width=terminal_width(), colour=wants_colour(), verbose=verbose, server=server)
    emit(render_table(document, page) if form == "table" else RENDERERS[form](document))
