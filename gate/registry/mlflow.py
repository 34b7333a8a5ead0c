"""`MlflowRegistry`: candidates, champions and artifacts, read through mlflow-skinny within deadlines of our own.

Nothing is written but the tags that `gate.registry.tags` leaves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gate.domain.candidate import Artifact, Candidate, ModelRef
from gate.errors import GateError
from gate.flow.ports import Observer, Silent
from gate.registry import records
from gate.registry.address import is_http, registry_address, shown
from gate.registry.calls import Calls, Observed
from gate.registry.deadline import Deadline, within
from gate.registry.download import download, locate
from gate.registry.entry import Entry, EntryReader
from gate.registry.location import folder_at, own_folders
from gate.registry.manifest import ModelFiles, hash_model
from gate.registry.memo import DigestMemo
from gate.registry.mlmodel import read_signature
from gate.registry.session import Mlflow, load_mlflow, open_client
from gate.registry.trouble import translated

T = TypeVar("T")


class MlflowRegistry:
    """The model registry behind MLflow's own variables, or behind the addresses given. Never loads a model.

    Attributes:
        place: the registry's address without credentials, for people.
    """

    def __init__(
        self,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
        *,
        deadline_seconds: float = 15,
        download_seconds: float = 600,
        memo: Path | None = None,
        observer: Observer | None = None,
        roots: Iterable[Path] | None = None,
    ) -> None:
        """Name the registry; nothing is imported or connected before the first question.

        Args:
            tracking_uri: `http(s)://...` or `sqlite:////...`; else MLFLOW_TRACKING_URI; UsageError if neither is set.
            registry_uri: where registered models are if elsewhere; else MLFLOW_REGISTRY_URI, else as `tracking_uri`.
            deadline_seconds: for all requests about one version together, retries and loading MLflow included.
            download_seconds: for reading all files of one model, or of one artifact.
            memo: a file that remembers the digests of large files on this machine.
            observer: hears of every question to MLflow and its answer.
            roots: the folders on this machine that files may lie in beside the registry's own; None is no limit.
        """
        self._tracking_uri = registry_address(tracking_uri, ("MLFLOW_TRACKING_URI",), os.environ)
        # A given tracking address is a whole registry; the variable only completes the other variable.
        self._registry_uri = registry_address(
            registry_uri or tracking_uri, ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"), os.environ
        )
        self._deadline_seconds = deadline_seconds
        self._download_seconds = download_seconds
        self._memo = memo
        self._observer = observer or Silent()
        self._roots = None if roots is None else (*roots, *self.folders)
        self._mlflow: Mlflow | None = None
        self._client: Any = None
        self.place = shown(self._registry_uri)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders on this machine that the registry keeps its own artifacts in; none of a server."""
        return own_folders(self._tracking_uri)

    def find(self, ref: ModelRef) -> Candidate:
        """Read a model version: its entry, its run, and every byte of its files.

        Raises:
            CandidateError: there is no such version (the message names what there is), or it cannot be judged.
            DataRefusedError: its files lie on this machine, outside the folders that are read.
            RegistryError: the registry is unreachable, refuses, is late, or answers nonsense.
        """
        entry = self._ask(lambda reader: reader.read(ref))
        return _candidate(entry, self._read_files(entry.location))

    def champion(self, name: str, alias: str) -> Candidate | None:
        """Read the version that `alias` names; None if the model has no such alias, CandidateError if no such model."""
        version = self._ask(lambda reader: reader.version_of(name, alias))
        return None if version is None else self.find(ModelRef(name, version=version))

    def served(self, name: str, alias: str) -> tuple[str, Mapping[str, str]] | None:
        """The number of the version that `alias` names, with its tags over its model's: no file is read.

        None if the model has no such alias; CandidateError if there is no such model or version.
        """
        return self._ask(lambda reader: reader.served(name, alias))

    def matching(self, globs: Iterable[str]) -> tuple[str, ...]:
        """Find the registered models whose names fit one of the globs, by name; RegistryError if there are too many."""
        wanted = tuple(globs)
        return self._ask(lambda reader: reader.names(wanted))

    def set_tags(self, name: str, version: str, run_id: str | None, tags: Mapping[str, str | None]) -> None:
        """Set tags of a version that differ, in the order given; None takes a tag away.

        Raises:
            CandidateError: the version is gone, or is another one by now, made by another run.
            RegistryError: as `find`.
        """
        self._ask(lambda reader: reader.set_tags(name, version, run_id, tags))

    def fetch(self, uri: str, folder: Path) -> Path:
        """Download the file or folder behind a `runs:/`, `models:/` or `mlflow-artifacts:/` URI into `folder`.

        An artifact that already lies on this machine is not copied: its own path is returned.

        Raises:
            DataError: there is no such artifact.
            DataRefusedError: it lies on this machine, outside the folders that are read.
            RegistryError: as `find`, and when the download is late.
        """
        place = self._ask(lambda reader: locate(uri, reader))
        return self._transfer(
            uri,
            lambda mlflow, deadline: download(place, folder, self._tracking_uri, mlflow, deadline, self._roots),
        )

    def _read_files(self, location: str) -> ModelFiles:
        def work(mlflow: Mlflow, deadline: Deadline) -> ModelFiles:
            folder = folder_at(location, self._tracking_uri, mlflow, self._roots)
            return hash_model(folder, DigestMemo(self._memo), deadline)

        return self._transfer(shown(location), work)

    def _ask(self, question: Callable[[EntryReader], T]) -> T:
        """Put a question of several requests to the registry, within the deadline."""
        started = time.monotonic()
        mlflow = self._loaded()
        over_http = is_http(self._registry_uri)
        seconds = self._deadline_seconds
        if over_http:
            # Loading MLflow counts, so that a dead server is reported in time; a slow disk leaves the server a third.
            seconds = max(seconds - (time.monotonic() - started), seconds / 3)

        calls = Calls(self._observer)

        def work(deadline: Deadline) -> T:
            if self._client is None:
                self._client = open_client(mlflow, self._tracking_uri, self._registry_uri)
            return question(EntryReader(Observed(self._client, calls), self.place, deadline, over_http=over_http))

        late = f"{self.place}: no answer within {self._deadline_seconds:g} s; is the registry up, and this its address?"
        with closing(calls):
            return _guarded(self.place, lambda: within(seconds, late, work))

    def _transfer(self, what: str, work: Callable[[Mlflow, Deadline], T]) -> T:
        """Read files, within the time for downloads."""
        late = f"{what}: reading its files took longer than {self._download_seconds:g} s"
        with closing(Calls(self._observer)) as calls:
            mlflow = calls.observed(self._loaded())
            return _guarded(what, lambda: within(self._download_seconds, late, partial(work, mlflow)))

    def _loaded(self) -> Mlflow:
        if self._mlflow is None:
            embedded = not (is_http(self._tracking_uri) and is_http(self._registry_uri))
            self._mlflow = load_mlflow(databases=embedded)
        return self._mlflow


def _guarded(place: str, action: Callable[[], T]) -> T:
    """Let only gate's own errors out."""
    try:
        return action()
    except GateError:
        raise
    except Exception as error:
        raise translated(error, place) from error


def _candidate(entry: Entry, files: ModelFiles) -> Candidate:
    version, model, run = entry.version, entry.model, entry.run
    return Candidate(
        name=version.name,
        version=str(version.version),
        digest=files.digest,
        run_id=run.info.run_id if run is not None else None,
        model_id=entry.model_id,
        source=version.source or "",
        description=version.description or "",
        model_description=model.description or "",
        tags=records.tags(version.tags),
        model_tags=records.tags(model.tags),
        run_tags=records.tags(run.data.tags) if run is not None else {},
        aliases=entry.aliases,
        signature=read_signature(files.mlmodel, f"models:/{version.name}/{version.version}"),
        datasets=entry.datasets,
        metrics=entry.metrics,
        artifacts=tuple(Artifact(file.path, file.size_bytes) for file in files.files),
        created_at=records.moment(version.creation_timestamp),
    )
