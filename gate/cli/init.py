"""`gate init`: write a first policy for a model."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gate.domain.candidate import ModelRef
from gate.domain.plain import plain
from gate.errors import UsageError

_SECONDS = 600.0


@click.command("init")
@click.argument("model_uri")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where to write the policy. Default: policies/MODEL.yaml")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
@click.option("--reference", metavar="URI", help="Reference data. Default: the training dataset logged on the run.")
@click.option("--current", metavar="URI", help="Where the pilot's data arrives.")
@click.option("--target", metavar="COLUMN", help="The column that holds the truth.")
@click.option("--prediction", metavar="COLUMN", help="The column that holds what the model said.")
@click.option("--score", metavar="COLUMN", help="The column that holds the probability of the positive class.")
def command(
    model_uri: str,
    output: Path | None,
    force: bool,
    reference: str | None,
    current: str | None,
    target: str | None,
    prediction: str | None,
    score: str | None,
) -> None:
    """Write a first policy for a model, with limits that follow from its reference data.

    MODEL_URI is models:/NAME/VERSION or models:/NAME@ALIAS. What only a person can decide stands at the top of the
    file, and is printed.
    """
    from gate.flow.propose import Wish, propose
    from gate.policy.draft import draft, file_name
    from gate.telemetry.progress import Progress, is_live
    from gate.wiring.build import build_ports
    from gate.wiring.extras import require_evaluate
    from gate.wiring.settings import load_settings

    settings = load_settings()
    ref = ModelRef.parse(model_uri)
    target_file = output or settings.policies / file_name(ref.name)
    _refuse_overwriting(target_file, force=force)
    require_evaluate()
    folder = settings.data_folder or target_file.parent
    wish = Wish(reference, current, target, prediction, score)
    with (
        Progress(sys.stderr, live=is_live(sys.stderr)) as progress,
        build_ports(settings, progress, _SECONDS) as ports,
    ):
        proposal = propose(ref, ports, wish, folder=folder, now=datetime.now(UTC))
    _write(target_file, draft(proposal), force=force)

    click.echo(f"{target_file} is written. It asks for what the reference data allows; decide yourself:")
    for number, decision in enumerate(proposal.decisions, start=1):
        click.echo(f"  {number}. {plain(decision)}")
    click.echo(f"\nThen: gate check {shlex.quote(proposal.uri)} --policy {shlex.quote(str(target_file))}")


def _refuse_overwriting(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise UsageError(f"{path}: is there already; name another file with --output, or overwrite it with --force")


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write the file; without `force` never over one that appeared in the meantime."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _refuse_overwriting(path, force=force)
    except OSError as wrong:
        raise UsageError(f"{path}: cannot be written: {wrong.strerror}") from wrong
