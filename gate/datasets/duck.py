"""The datasets of gate, read by DuckDB inside this process."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from gate.datasets.atomic import read_own, write_atomically
from gate.datasets.cache import FORMAT, PartCache
from gate.datasets.connection import Engine, connect
from gate.datasets.dataset import DuckDataset
from gate.datasets.delimited import Delimited, Header
from gate.datasets.digest import FileDigests, content_digest, manifest_digest
from gate.datasets.files import Files, Format, local_files
from gate.datasets.labels import join_labels, ripeness
from gate.datasets.parts.answering import Rows, first_line
from gate.datasets.relation import Relation, csv_relation, frame_relation, free_name, parquet_relation
from gate.datasets.remote import Stores, remote_place
from gate.datasets.roots import Roots
from gate.datasets.selection import Selection, refuse_unordered, select_rows
from gate.datasets.storage import moment
from gate.datasets.template import fill, render
from gate.domain.columns import Schema
from gate.domain.dataset import REGISTRY_SCHEMES, DatasetFacts, Source
from gate.errors import DataError
from gate.flow.ports import Observer, Silent

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NO_DIGEST = "none"
"""The digest of rows that have no bytes of their own, as those of a frame."""


class DuckDatasets:
    """Opens datasets.

    Args:
        home: GATE_HOME; file digests and parts that were computed before are kept below it.
        memory_limit, threads: what DuckDB may use, for each open dataset.
        hosts: the buckets and endpoints that objects may be fetched from (GATE_DATA_HOSTS).
        folder: a private folder for fetched objects and for what does not fit in memory; made and removed here if None.
        progress: hears a line about every scan of rows.
        observer: is told how many rows were read, after each statement over them.
        roots: the folders that files may lie in, links followed; None is no limit.
        artifacts: where the registry keeps its own artifacts: allowed beside `roots` for what it hands out.
    """

    def __init__(
        self, home: Path, *, memory_limit: str = "2GB", threads: int = 2, hosts: frozenset[str] = frozenset(),
        folder: Path | None = None, progress: Callable[[str], None] | None = None,
        roots: Iterable[Path] | None = None, artifacts: Iterable[Path] = (), observer: Observer | None = None,
    ) -> None:  # fmt: skip
        self._own_folder = tempfile.TemporaryDirectory(prefix="gate-data-") if folder is None else None
        private = folder or Path(self._own_folder.name if self._own_folder else "")
        self._engine = Engine(private, memory_limit, threads)
        self._stores = Stores(hosts, private, os.environ)
        self._digests = FileDigests(home / "file-digests", threads)
        self._kept = PartCache(home / "parts")
        self._headers = home / "csv-types"
        self._progress = progress or (lambda _: None)
        self._observer = observer or Silent()
        self._roots = Roots(roots)
        self._handed_out = self._roots.and_also([private, *artifacts])

    def open(self, source: Source, *, now: datetime) -> DuckDataset:
        """Open the rows of `source`.

        Raises:
            DataError: they cannot be found or read, or are not what the source says of them. Empty data opens.
            UsageError: the labels have a delay and nothing says how old a row is.
        """
        files = self._files(source.path or source.uri, source.uri)
        refuse_unordered(source, files)
        labels = self._files(source.labels.uri, source.labels.uri) if source.labels else None
        connection = connect(self._engine, (*files.paths, *(labels.paths if labels else ())))
        digests = self._digests.of(files, source.uri)
        relation = self._relation(connection, "rows_loaded", files, digests, source.uri)
        side = _Side(connection, relation, source, now, self._progress, self._observer)
        manifest: dict[str, Any] = dict(side.selection.manifest)
        if labels is not None and source.labels is not None:
            label_digests = self._digests.of(labels, source.labels.uri)
            label_relation = self._relation(connection, "labels_loaded", labels, label_digests, source.labels.uri)
            manifest["labels"] = side.join(label_relation) | {"files": manifest_digest(labels, label_digests, {})}
        digest = manifest_digest(files, digests, manifest)
        kept = self._kept if _recurs(source, now) else None
        rows, undated = (kept.load(digest, "rows"), kept.load(digest, "undated rows")) if kept else (None, None)
        if not isinstance(rows, int) or not isinstance(undated, int):
            rows, undated = side.count()
            if kept:
                kept.save(digest, "rows", rows)
                kept.save(digest, "undated rows", undated)
        content = content_digest(digests, side.selection.manifest if side.selection.condition is not None else {})
        watched = [files] if labels is None else [files, labels]
        return DuckDataset(side.facts(digest, rows, content, undated), side.attach, watched, kept, self._own_folder)

    def open_frame(self, frame: pd.DataFrame | pa.Table, *, uri: str) -> DuckDataset:
        """Open the rows of a pandas frame or an Arrow table of this process. They have no digest: nothing is kept."""
        import pyarrow as pa

        try:
            table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, ValueError, TypeError) as wrong:
            raise DataError(f"{uri}: the frame cannot be read: {first_line(wrong)}") from wrong
        connection = connect(self._engine, ())
        relation = frame_relation(connection, "rows_loaded", table, uri)
        side = _Side(connection, relation, Source(uri), datetime.now(UTC), self._progress, self._observer)
        return DuckDataset(side.facts(NO_DIGEST, relation.rows), side.attach, (), None, self._own_folder)

    def _files(self, place: str, uri: str) -> Files:
        remote = remote_place(place)
        if remote is not None:
            return self._stores.fetch(remote)
        if uri.startswith(REGISTRY_SCHEMES) and place != uri:
            # What was downloaded lies in the private folder. What lies where an experiment says is somebody's word.
            return _within(self._handed_out, place, uri)
        return _within(self._roots, place, uri)

    def _relation(
        self, connection: duckdb.DuckDBPyConnection, table: str, files: Files, digests: Sequence[str], uri: str
    ) -> Relation:
        if files.format is Format.PARQUET:
            return parquet_relation(connection, files, uri)
        memo = self._headers / f"{hashlib.sha256(f'{FORMAT} {digests}'.encode()).hexdigest()}.json"
        known = _remembered(memo)
        if known is None:
            self._progress(f"scan {uri}")
        relation, found = csv_relation(connection, table, files, uri, known)
        if known is None:
            self._observer.scanned(relation.rows)
            files.refuse_changed(uri)
            said = {"delimiter": found.header.delimiter, "names": found.header.names, "types": found.types}
            write_atomically(memo, json.dumps(said | {"rows": found.rows}).encode())
        return relation


class _Side:
    """A source on its way to being an opened dataset."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, relation: Relation, source: Source, now: datetime,
        progress: Callable[[str], None], observer: Observer,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._relation = relation
        self._source = source
        self._now = now
        self._progress = progress
        self._observer = observer
        self._brought = Schema(())
        self._is_made = False
        self.position = free_name("position", relation.schema)
        try:
            self.selection: Selection = select_rows(connection, relation, source, now=now)
        except duckdb.Error as wrong:
            raise DataError(f"{source.uri}: cannot be read: {first_line(wrong)}") from wrong

    def join(self, labels: Relation) -> dict[str, Any]:
        """Join the late labels; what stands for it in the digest."""
        late = self._source.labels
        assert late is not None
        self._make()
        ripe = ripeness(self._source, late, self._relation.schema, now=self._now)
        try:
            self._brought = join_labels(
                self._connection, self._relation.schema, labels, late.on, ripe, self._source.uri
            )
        except duckdb.Error as wrong:
            raise DataError(f"{labels.uri}: cannot be joined: {first_line(wrong)}") from wrong
        return {"on": late.on, "until": ripe.until.isoformat() if ripe else None}

    def count(self) -> tuple[int, int]:
        """The number of rows that count, and of those that a window leaves out because their time is null."""
        span = self.selection.span
        if span is None:
            return min(self._relation.rows, self._source.last_rows or self._relation.rows), 0
        self._make()
        self._progress(f"scan {self._source.uri}")
        counts = self._relation.select.select(
            fill("COUNT(*) FILTER (WHERE $inside)", inside=span.condition),
            fill("COUNT(*) FILTER (WHERE $t IS NULL)", t=moment(span.column)),
        )
        try:
            found = self._connection.execute(render(counts)).fetchone()
        except duckdb.Error as wrong:
            raise DataError(f"{self._source.uri}: cannot be read: {first_line(wrong)}") from wrong
        self._scanned()
        assert found is not None
        return int(found[0]), int(found[1])

    def facts(self, digest: str, rows: int, content: str = "", undated: int = 0) -> DatasetFacts:
        """What is known of the dataset."""
        span = self.selection.span
        return DatasetFacts(
            self._source.uri, digest, rows, self._schema, since=span.since if span else None,
            until=span.until if span else None, content=content, undated=undated,
        )  # fmt: skip

    def attach(self) -> Rows:
        """The rows, ready to be asked."""
        self._make()
        labelled = frozenset(self._brought.names)
        return Rows(
            self._source.uri, self._connection, self._schema, labelled, self.position, self._progress, self._scanned
        )  # fmt: skip

    def _scanned(self) -> None:
        """Tell that a statement has read the rows: all of them, for what a window leaves out is read too."""
        self._observer.scanned(self._relation.rows)

    @property
    def _schema(self) -> Schema:
        return Schema((*self._relation.schema.columns, *self._brought.columns))

    def _make(self) -> None:
        """Make the relation `data`, once."""
        if self._is_made:
            return
        self._relation.prepare()
        view = self._relation.view("data", self.position, self.selection.condition)
        try:
            self._connection.execute(render(view))
        except duckdb.Error as wrong:
            raise DataError(f"{self._source.uri}: cannot be read: {first_line(wrong)}") from wrong
        self._is_made = True


def _within(roots: Roots, place: str, uri: str) -> Files:
    """The files behind a path, refused before they are looked at, and again where links lead."""
    roots.refuse_outside(place, uri)
    files = local_files(place, uri)
    roots.refuse_files(files.paths, uri)
    return files


def _recurs(source: Source, now: datetime) -> bool:
    """Whether another run can select the same rows and labels, so that their parts are worth keeping.

    Not if the window, or the age of the rows that labels wait for, is counted from this very moment.
    """
    if source.window is not None:
        return source.window.until is not None and source.window.until <= now
    return not (source.labels and source.labels.delay)


def _remembered(memo: Path) -> Delimited | None:
    """What an earlier run found in the same bytes; a memo that cannot be read, or of others, says nothing."""
    try:
        said = json.loads(read_own(memo))
        return Delimited(Header(said["delimiter"], tuple(said["names"])), tuple(said["types"]), int(said["rows"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
