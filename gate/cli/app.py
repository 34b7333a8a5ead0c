"""The command `gate`: which subcommands there are, and how every error ends.

A subcommand is imported when it runs, so that `gate --help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

import gate
from gate.domain.plain import plain
from gate.errors import GateError, MissingExtraError, PolicyError
from gate.wiring.extras import EXTRA_OF

# Name -> (module that defines `command`, the line shown in `gate --help`).
SUBCOMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("gate.cli.demo", "Show real models getting real verdicts, on data that ships with gate."),
    "init": ("gate.cli.init", "Write a first policy for a model."),
    "check": ("gate.cli.check", "Judge a model version: promote or hold."),
    "wait": ("gate.cli.wait", "Wait for an evaluation on a gate server."),
    "show": ("gate.cli.show", "Show a stored verdict again."),
    "diff": ("gate.cli.diff", "Say what changed between two verdicts."),
    "policy": ("gate.cli.policy", "Lint policies, show them merged, print their schema."),
    "checks": ("gate.cli.checks", "List the kinds of checks, or explain one."),
    "serve": ("gate.cli.serve", "Answer over HTTP: for pipelines, people and Prometheus."),
    "worker": ("gate.cli.worker", "Work on evaluations that servers accept."),
    "doctor": ("gate.cli.doctor", "Say what is wrong with a setup."),
}

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_COULD_NOT_DECIDE = 4


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is asked for, and turns every error into a line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Name the subcommands in the order of a first visit."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import a subcommand."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = importlib.import_module(SUBCOMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand; a wrong name is answered with the closest right one."""
        name = args[0] if args else ""
        if name not in SUBCOMMANDS and not name.startswith("-"):
            import difflib

            close = difflib.get_close_matches(name, SUBCOMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(SUBCOMMANDS)}"
            raise click.UsageError(f"no such command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in SUBCOMMANDS.items()])

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run, and end the process with the documented exit code."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            from gate.cli.output import abandon_stdout

            abandon_stdout()  # the reader went away, as `| head` does: say no more, and do not look like a verdict
            code = _COULD_NOT_DECIDE
        except Exception as error:  # noqa: BLE001  # the last place that can turn a bug into an exit code
            code = explain(error)
        except (KeyboardInterrupt, click.Abort):
            click.echo("gate: interrupted", err=True)
            code = _INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


def explain(error: Exception) -> int:
    """Print one clear line about an error on stderr, and return the exit code that it stands for."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort():
            click.echo("gate: interrupted", err=True)
            return _INTERRUPTED
        case click.UsageError():
            return _say(f"{_sentence(error)} (see {_path_of(error)} --help)", error.exit_code)
        case click.ClickException():
            return _say(_sentence(error), 2)
        case PolicyError():
            for problem in error.problems:
                click.echo(plain(problem), err=True)
            return error.exit_code
        case GateError():
            return _say(str(error), error.exit_code)
        case ModuleNotFoundError(name=str(name)) if name.partition(".")[0] in EXTRA_OF:
            module = name.partition(".")[0]
            return explain(MissingExtraError(EXTRA_OF[module], module))
        case _:
            return _bug(error)


def _bug(error: Exception) -> int:
    if os.environ.get("GATE_DEBUG"):
        import traceback

        traceback.print_exception(error)
    hint = "" if os.environ.get("GATE_DEBUG") else " (run with GATE_DEBUG=1 for the traceback)"
    return _say(f"internal error: {type(error).__name__}: {error}{hint}", _COULD_NOT_DECIDE)


def _say(message: str, code: int) -> int:
    click.echo(f"gate: {plain(message)}", err=True)
    return code


def _sentence(error: click.ClickException) -> str:
    """Fit click's messages to ours: no capital, no full stop, on one line."""
    text = " ".join(error.format_message().split()).rstrip(".")
    return text[:1].lower() + text[1:]


def _path_of(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "gate"


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(gate.__version__, "--version", message="gate %(version)s")
def cli() -> None:
    """Decide whether a pilot model may go on: promote or hold, with reasons a person can act on.

    A first verdict: gate demo. Your own model: gate init models:/NAME/VERSION, then gate check.
    """


def main() -> NoReturn:
    """Run the command line: the entry point `gate`."""
    # Read at import by the libraries below; a gate that runs in other people's pipelines calls nobody.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    cli.main(prog_name="gate")
