"""The one place that picks adapters."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gate.errors import UsageError
from gate.flow.ports import Observer, Silent
from gate.flow.request import Request
from gate.wiring.extras import require_evaluate
from gate.wiring.settings import Settings

if TYPE_CHECKING:
    from gate.flow.keep import Outcome
    from gate.flow.ports import Ports, VerdictStore
    from gate.registry.mlflow import MlflowRegistry


def build_registry(
    settings: Settings, timeout_seconds: float = 600.0, observer: Observer | None = None,
    roots: Iterable[Path] | None = None,
) -> MlflowRegistry:  # fmt: skip
    """The MLflow registry that the settings name; `roots` as in `build_ports`."""
    from gate.registry.mlflow import MlflowRegistry

    return MlflowRegistry(
        settings.tracking_uri,
        settings.registry_uri,
        deadline_seconds=settings.registry_seconds,
        download_seconds=timeout_seconds,
        memo=settings.home / "model-digests.json",
        observer=observer,
        roots=roots,
    )


def build_store(settings: Settings) -> VerdictStore:
    """The store of verdicts: GATE_DATABASE, else the file under GATE_HOME."""
    from gate.store.verdicts import SqlVerdictStore

    return SqlVerdictStore(settings.database_url)


@contextmanager
def build_ports(
    settings: Settings, observer: Observer, timeout_seconds: float, *, roots: Iterable[Path] | None = None
) -> Iterator[Ports]:
    """Everything an evaluation needs; the private folder for downloads is removed at the end.

    `roots` are the folders that data and models may lie in, beside those that a registry in a file keeps its own
    artifacts in; None is no limit, for whoever reads with their own rights.
    """
    from gate.datasets.duck import DuckDatasets
    from gate.evidence.gather import EvidentlyEvidence
    from gate.flow.ports import Ports
    from gate.publish.report import report_files

    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        registry = build_registry(settings, timeout_seconds, observer, roots)
        datasets = DuckDatasets(
            settings.home, memory_limit=settings.memory_limit, threads=settings.threads, hosts=settings.data_hosts,
            folder=Path(folder), roots=roots, artifacts=registry.folders, observer=observer,
        )  # fmt: skip
        yield Ports(
            registry, datasets, EvidentlyEvidence(), build_store(settings), observer, Path(folder), report_files
        )


def run_check(request: Request, settings: Settings, observer: Observer | None = None) -> Outcome:
    """Judge one candidate in this process: what `gate check` does."""
    require_evaluate()
    from gate.flow.evaluate import evaluate

    refuse_unwritable(settings.home)
    with build_ports(settings, observer or Silent(), request.timeout_seconds) as ports:
        return evaluate(request, ports, now=datetime.now(UTC), verdict_id=str(uuid.uuid4()))


def refuse_unwritable(home: Path) -> None:
    """Without a place for the verdict there is no verdict: say so before the work, not after."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as wrong:
        raise UsageError(
            f"GATE_HOME: cannot write in {home}: {wrong.strerror}; set GATE_HOME to a folder of yours"
        ) from wrong
