"""`gate worker`: work on evaluations that servers accept."""

from __future__ import annotations

from dataclasses import replace

import click

from gate.cli.server import require_server


@click.command("worker")
@click.option("--name", metavar="NAME", help="What this worker is called, each time it starts. "
                                             "Default: GATE_WORKER_NAME, else gate")  # fmt: skip
def command(name: str | None) -> None:
    """Work on evaluations that servers on the same GATE_DATABASE accept.

    Give each worker a name of its own, and the same one when it starts again: then it finishes what it had begun.
    """
    import os

    from gate.wiring.settings import load_settings

    settings = load_settings({**os.environ, "GATE_WORKER_NAME": name} if name is not None else os.environ)
    if name is not None:
        settings = replace(settings, origins={**settings.origins, "worker_name": "--name"})
    require_server()
    from gate.wiring.service import run_worker

    run_worker(settings)
