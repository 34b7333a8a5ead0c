"""`gate serve`: answer over HTTP."""

from __future__ import annotations

from dataclasses import replace

import click

from gate.wiring.extras import require_server


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="The address to listen on. Default: GATE_HOST, else 127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen on. Default: GATE_PORT, else 8484")
def command(host: str | None, port: int | None) -> None:
    """Answer over HTTP: evaluations for pipelines, pages for people, metrics for Prometheus.

    Works on evaluations itself unless GATE_WORKERS is 0; then gate worker does, on the same GATE_DATABASE. SIGTERM and
    SIGINT end it after what it is answering; evaluations that it works on are taken up again when it comes back.
    """
    from gate.wiring.settings import load_settings

    settings = load_settings()
    if host is not None:
        settings = replace(settings, host=host, origins={**settings.origins, "host": "--host"})
    if port is not None:
        settings = replace(settings, port=port, origins={**settings.origins, "port": "--port"})
    require_server()
    from gate.server.processes import run_server

    run_server(settings)
