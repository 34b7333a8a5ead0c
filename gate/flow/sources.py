"""From what a policy says about data to the rows of both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from gate.domain.candidate import Candidate, LoggedDataset
from gate.domain.dataset import REGISTRY_SCHEMES, LateLabels, Side, Source, Window
from gate.errors import DataError, UsageError
from gate.flow.ports import Dataset, Ports
from gate.flow.request import Request
from gate.policy.load import LoadedPolicy
from gate.policy.model import DataSource


def open_side(
    side: Side, request: Request, policy: LoadedPolicy, candidate: Candidate, ports: Ports, *, now: datetime
) -> tuple[Dataset, Source]:
    """Open the rows of one side as the policy says, unless the request overrides where they are."""
    source = fetched(source_of(side, request, policy, candidate), side, ports)
    dataset = ports.datasets.open(source, now=now)
    if policy.policy.data.data_digest == "content" and not dataset.facts.digest.startswith("sha256:"):
        scheme = dataset.facts.digest.partition(":")[0]
        raise DataError(f"{source.uri}: its digest is {scheme!r}, and {policy.source} wants one of the content")
    return dataset, source


def fetched(source: Source, side: Side, ports: Ports) -> Source:
    """Download what lies in the registry; anything else stays where it is."""
    if not source.uri.startswith(REGISTRY_SCHEMES):
        return source
    return replace(source, path=str(ports.registry.fetch(source.uri, ports.folder / side)))


def source_of(side: Side, request: Request, policy: LoadedPolicy, candidate: Candidate) -> Source:
    """Resolve where the rows of one side are and which of them count."""
    data = policy.policy.data
    stated: DataSource = data.reference if side is Side.REFERENCE else data.current
    override = request.reference if side is Side.REFERENCE else request.current
    if override is not None:
        uri, folder = override, Path.cwd()
    elif stated.mlflow is not None:
        uri, folder = _logged(stated.mlflow, candidate, policy), Path.cwd()
    else:
        uri, folder = str(stated.uri), request.data_folder or policy.folder
    window = stated.window
    labels = data.labels if side is Side.CURRENT else None
    base = request.data_folder or policy.folder
    return Source(
        uri=uri,
        path=_local(uri, folder),
        window=Window(window.column, window.last, window.until) if window else None,
        last_rows=stated.last_rows,
        timestamp=data.columns.timestamp,
        labels=LateLabels(_local(labels.uri, base) or labels.uri, labels.on, labels.delay) if labels else None,
        on_run=any(_same_place(uri, _local(uri, folder), logged) for logged in candidate.datasets),
    )


def _logged(context: str, candidate: Candidate, policy: LoadedPolicy) -> str:
    """The URI of the one dataset logged on the candidate's run in `context`."""
    found = candidate.logged_as(context)
    places = sorted({dataset.uri for dataset in found if dataset.uri})
    if len(places) == 1:
        return places[0]
    if not found:
        known = ", ".join(sorted({f"{d.name} ({d.context})" for d in candidate.datasets})) or "none at all"
        problem = f"no dataset is logged on the run of {candidate.uri} as {context!r}; logged are: {known}"
    elif not places:
        problem = f"the dataset logged on the run of {candidate.uri} as {context!r} does not say where its rows are"
    else:
        problem = f"several datasets are logged on the run of {candidate.uri} as {context!r}: {', '.join(places)}"
    raise UsageError(f"{policy.source}: data: {problem}. Name one with {{uri: ...}}, or log it in training")


def _local(uri: str, folder: Path) -> str | None:
    """The absolute path behind a plain path; None for anything with a scheme."""
    if urlsplit(uri).scheme:
        return None
    return str(folder / Path(uri).expanduser())


def _same_place(uri: str, path: str | None, logged: LoggedDataset) -> bool:
    """Whether a logged dataset is the one at `uri`. A relative path was relative to the training job: no proof."""
    if logged.uri is None:
        return False
    if path is None:
        return logged.uri == uri
    there = Path(logged.uri.removeprefix("file://"))
    return there.is_absolute() and there.resolve() == Path(path).resolve()
