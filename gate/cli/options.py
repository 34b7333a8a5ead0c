"""What several commands take: a number of seconds, an output, the address of a server."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from gate.cli.delivery import RENDERERS, Delivery
from gate.cli.output import Destination, ReportFolder

_LONGEST_TIMEOUT = 7 * 86_400.0
_Command = TypeVar("_Command", bound=Callable[..., Any])


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


class Address(click.ParamType[str]):
    """The address of a gate server, as GATE_URL has it."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read an http or https address, without the slash at its end."""
        try:
            parts = urlsplit(str(value))
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
            is_one = is_one and not (parts.query or parts.fragment)
        except ValueError:
            is_one = False
        if not is_one:
            self.fail("it is not an address such as https://gate.example.com", param, ctx)
        return str(value).rstrip("/")


def server_option(command: _Command) -> _Command:
    """Add `--server`."""
    return click.option("--server", type=Address(), help="The gate server to ask. Default: GATE_URL.")(command)


def output_options(command: _Command) -> _Command:
    """Add what says how a verdict is shown and where it is written, and how long to wait for it."""
    options = (
        click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
                     help="The format on stdout."),
        click.option("--output", "outputs", type=Output(), multiple=True,
                     help="Also write the verdict to a file: table, json, junit or markdown. Repeatable."),
        click.option("--report", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
                     help="Write the drift report into this folder."),
        click.option("--timeout", type=Seconds(), help="Give up after this long (exit 5)."),
        click.option("--report-only", is_flag=True, help="Judge, but enforce nothing: a hold exits 0."),
        click.option("-v", "--verbose", is_flag=True, help="List what passed, too."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def delivery_of(form: str, outputs: tuple[tuple[str, Path], ...], report: Path | None, *, verbose: bool) -> Delivery:
    """Where the verdict goes; refused here, before any work, if it cannot be written."""
    delivery = Delivery(
        form=form,
        files=tuple((written, Destination(path)) for written, path in outputs),
        folder=ReportFolder(report) if report else None,
        verbose=verbose,
    )
    delivery.prepare()
    return delivery
