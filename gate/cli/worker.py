"""`gate worker`: work on evaluations that servers accept."""

from __future__ import annotations

import re
from dataclasses import replace

import click

from gate.errors import UsageError
from gate.wiring.extras import require_server


@click.command("worker")
@click.option("--name", metavar="NAME", help="What this worker is called, each time it starts. "
                                             "Default: GATE_WORKER_NAME, else gate")  # fmt: skip
def command(name: str | None) -> None:
    """Work on evaluations that servers on the same GATE_DATABASE accept.

    Give each worker a name of its own, and the same one when it starts again: then it finishes what it had begun.
    """
    from gate.wiring.settings import load_settings

    settings = load_settings()
    if name is not None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
            raise UsageError(
                f"--name: it must be a name of letters, digits, dots, dashes and underscores, got {name!r}"
            )
        settings = replace(settings, worker_name=name, origins={**settings.origins, "worker_name": "--name"})
    require_server()
    from gate.server.processes import run_worker

    run_worker(settings)
