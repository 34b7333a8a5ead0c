"""`gate policy`: look at policies without judging anything."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gate.domain.plain import plain
from gate.errors import PolicyError, UsageError


@click.group(name="policy")
def command() -> None:
    """Lint policies, show them merged, print their schema."""


@command.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Say what is wrong with policies, and what is probably not meant.

    PATHS are policy files or folders of them (default: policies). Ends with 2 if anything is an error, else with 0.
    """
    files = _files(paths or (Path("policies"),))
    remarks = dict.fromkeys(remark for file in files for remark in _remarks(file))  # a base is said once
    for _, line in remarks:
        click.echo(plain(line))
    errors, warnings = (sum(level == wanted for level, _ in remarks) for wanted in ("error", "warning"))
    click.echo(
        f"{_counted(len(files), 'file')}, {_counted(errors, 'error')}, {_counted(warnings, 'warning')}", err=True
    )
    ctx.exit(2 if errors else 0)


@command.command()
@click.argument("path", type=click.Path(path_type=Path))
def show(path: Path) -> None:
    """Print the policy in the file PATH with its bases merged in, where each check comes from, and the digest."""
    from gate.policy.load import load
    from gate.policy.render import as_yaml

    for line in as_yaml(load(path)).splitlines():
        click.echo(line[: len(line) - len(line.lstrip())] + plain(line.lstrip()))


@command.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    from gate.policy.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """Every file to look at, once; the waivers of a folder among them."""
    from gate.policy.match import policies_in
    from gate.policy.waivers import FILE

    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = list(policies_in(path))
        if not inside:
            raise UsageError(f"{path}: no policy in this folder; `gate init MODEL_URI` writes one")
        files += inside
        if (path / FILE).exists():
            files.append(path / FILE)
    return list(dict.fromkeys(files))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _remarks(file: Path) -> list[tuple[str, str]]:
    """The level and the text of every remark about one file."""
    from datetime import UTC, datetime

    from gate.policy import lint as linter
    from gate.policy.load import load
    from gate.policy.waivers import FILE, load_waivers

    try:
        if file.name == FILE:
            load_waivers(file.parent, datetime.now(UTC))
            return []
        return [(advice.level, str(advice)) for advice in linter.lint(load(file))]
    except PolicyError as error:
        return [("error", str(problem)) for problem in error.problems]
