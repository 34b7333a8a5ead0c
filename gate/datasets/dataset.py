"""An opened dataset: what is known of it, and the parts that are asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from gate.datasets.cache import PartCache
from gate.datasets.files import Files
from gate.datasets.parts.answering import Rows, first_line, guarded
from gate.datasets.parts.counts import distinct_texts
from gate.datasets.parts.plan import answer
from gate.datasets.shared import count_shared
from gate.datasets.storage import raw
from gate.datasets.template import fill, render, whole
from gate.datasets.window import listed
from gate.domain.dataset import DatasetFacts
from gate.domain.evidence import Missing
from gate.domain.part import PartRequest
from gate.errors import DataError
from gate.flow.ports import Dataset
from gate.statistics.parts import Part

if TYPE_CHECKING:
    import pandas as pd

_MOST_VERSIONS = 10


class DuckDataset:
    """Rows of one side, attached to a connection of their own. For one thread at a time.

    Args:
        facts: what is known without measuring.
        rows: makes the rows, once, when the first question is asked that is not answered yet.
        files: the files that the digest is of; they must not change while they are read.
        kept: parts that were computed before; None if the rows have no digest to keep them by, or one that no other
            run can have (a window that ends now).
        folder: whatever removes the folder that the rows were fetched to and spill into, once nobody holds it.
    """

    def __init__(
        self, facts: DatasetFacts, rows: Callable[[], Rows], files: Sequence[Files], kept: PartCache | None,
        folder: object,
    ) -> None:  # fmt: skip
        self._facts = facts
        self._attach = rows
        self._files = files
        self._kept = kept
        self._folder = folder
        self._attached: Rows | None = None
        self._known: dict[PartRequest, Part] = {}

    @property
    def facts(self) -> DatasetFacts:
        """What is known without measuring."""
        return self._facts

    def parts(self, requests: Iterable[PartRequest]) -> Mapping[PartRequest, Part | Missing]:
        """Compute profile parts; one answer for every request, in the order asked.

        What this object or an earlier run has computed of the same bytes is not computed again.

        Raises:
            DataError: the files cannot be read, or are not the ones any more that were opened.
        """
        wanted = dict.fromkeys(requests)
        answers: dict[PartRequest, Part | Missing] = {}
        for request in wanted:
            kept = self._recall(request)
            if kept is not None:
                answers[request] = kept
        lost = [request for request in wanted if request not in answers]
        if lost:
            for request, part in answer(self._rows(), lost, self._facts.rows).items():
                answers[request] = part
                if not isinstance(part, Missing):
                    self._known[request] = part
            self._refuse_changed()  # before anything of other bytes is kept under this digest
            for request in lost:
                if self._kept is not None and request in self._known:
                    self._kept.save(self._facts.digest, request, self._known[request])
        return {request: answers[request] for request in wanted}

    def versions(self, column: str) -> tuple[str, ...]:
        """The distinct values of a `model_version` column, as text, at most ten; null shows as ''."""
        rows = self._rows()
        found = guarded(rows, f"the values of {column!r}", lambda: distinct_texts(rows, column, _MOST_VERSIONS))
        if isinstance(found, Missing):
            raise DataError(f"{self._facts.uri}: {found.reason}")
        self._refuse_changed()
        return found

    def shared_rows(self, reference: Dataset, columns: tuple[str, ...]) -> int | Missing:
        """Count the rows that also occur in `reference`, compared on `columns` as canonical text; null equals null."""
        if not isinstance(reference, DuckDataset):
            return Missing("rows of two engines cannot be compared", broken=True)
        ours, theirs = self._rows(), reference._rows()  # noqa: SLF001  # of the same class
        found = guarded(ours, "the shared rows", lambda: count_shared(ours, theirs, columns))
        self._refuse_changed()
        reference._refuse_changed()  # noqa: SLF001  # of the same class
        return found

    def sample(self, rows: int, seed: int, columns: Sequence[str]) -> pd.DataFrame:
        """Draw at most `rows` rows, the same ones for the same seed and files, in the order of the files.

        Each row is drawn by a hash of its place and the seed, so neither threads nor other columns move the choice.
        """
        attached = self._rows()
        absent = [name for name in columns if name not in attached.schema]
        if absent:
            raise DataError(f"{self._facts.uri}: no column {absent[0]!r}; there are {listed(attached.schema)}")
        position = exp.column(attached.position, quoted=True)
        fields = [raw(column) for column in map(attached.schema.find, columns) if column is not None]
        drawn = attached.select("SELECT 1 FROM data", tuple(columns)).select(*fields, position, append=False)
        drawn = drawn.order_by(fill("HASH($p, $seed)", p=position, seed=whole(seed)), position).limit(max(rows, 0))
        ordered = exp.select(*fields).from_(drawn.subquery("drawn")).order_by(position)
        attached.progress(f"scan {self._facts.uri}")
        try:
            frame: pd.DataFrame = attached.connection.execute(render(ordered)).df()
        except duckdb.Error as wrong:
            raise DataError(f"{self._facts.uri}: cannot be sampled: {first_line(wrong)}") from wrong
        attached.scanned()
        self._refuse_changed()
        frame.columns = list(columns)  # on its way out the engine ends a name at its first NUL
        return frame

    def _rows(self) -> Rows:
        if self._attached is None:
            self._attached = self._attach()
        return self._attached

    def _recall(self, request: PartRequest) -> Part | None:
        if request not in self._known and self._kept is not None:
            part = self._kept.load(self._facts.digest, request)
            if part is not None:
                self._known[request] = part
        return self._known.get(request)

    def _refuse_changed(self) -> None:
        for files in self._files:
            files.refuse_changed(self._facts.uri)
