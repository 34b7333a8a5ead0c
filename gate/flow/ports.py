"""What the flow needs from the world: small protocols that adapters fulfil."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gate.domain.candidate import Candidate, ModelRef
from gate.domain.dataset import DatasetFacts, Source
from gate.domain.evaluation import Evaluation, Event, Served, State, Trigger, Trouble
from gate.domain.evidence import Missing, Reading
from gate.domain.need import Need
from gate.domain.part import PartRequest
from gate.domain.picture import Pictures
from gate.domain.scope import Scope
from gate.domain.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from gate.statistics.parts import Part


class Registry(Protocol):
    """The model registry, read only. Every method raises RegistryError within the registry's own deadline."""

    def find(self, ref: ModelRef) -> Candidate:
        """Read a model version, its run and its files' digest; CandidateError if there is none."""

    def champion(self, name: str, alias: str) -> Candidate | None:
        """Read the version that `alias` names, or None if the model has no such alias."""

    def fetch(self, uri: str, folder: Path) -> Path:
        """Download the artifact behind a `runs:/`, `models:/` or `mlflow-artifacts:/` URI into `folder`."""


class Dataset(Protocol):
    """Opened rows of one side: a window resolved, labels joined, nothing measured yet."""

    @property
    def facts(self) -> DatasetFacts:
        """What is known without measuring."""

    def parts(self, requests: Iterable[PartRequest]) -> Mapping[PartRequest, Part | Missing]:
        """Compute profile parts; one answer for every request. What cannot be computed is Missing, with the reason."""

    def versions(self, column: str) -> tuple[str, ...]:
        """The distinct values of a `model_version` column, as text, at most ten; null shows as ''."""

    def shared_rows(self, reference: Dataset, columns: tuple[str, ...]) -> int | Missing:
        """Count the rows that also occur in `reference`, compared on `columns`."""

    def sample(self, rows: int, seed: int, columns: Sequence[str]) -> pd.DataFrame:
        """Draw at most `rows` rows, the same ones for the same seed, as a frame."""


class Datasets(Protocol):
    """Opens datasets."""

    def open(self, source: Source, *, now: datetime) -> Dataset:
        """Open the rows of `source`; DataError if they cannot be found or read. Empty data opens."""


OWN_PAGE = "index.html"
"""Our own page among the files of a report."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The evidence report: file name -> content, ready to be written into a folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The answers to all needs, the report that shows the same numbers, and what there is to draw."""

    evidence: Mapping[Need, Reading]
    report: ReportFiles = field(default_factory=ReportFiles)
    pictures: Pictures = field(default_factory=Pictures)
    timings_seconds: Mapping[str, float] = field(default_factory=dict)


class EvidenceSource(Protocol):
    """Measures."""

    def gather(
        self, needs: Sequence[Need], scope: Scope, reference: Dataset, current: Dataset, *, now: datetime, report: bool
    ) -> Gathered:
        """Answer every need; what has no answer is Missing. With `report`, also make the report and the pictures."""


class VerdictStore(Protocol):
    """Keeps verdicts."""

    def save(
        self, verdict: Verdict, document: Mapping[str, object], *, evaluation: str | None = None,
        report: Mapping[str, bytes] | None = None, trigger: Trigger = Trigger.API,
    ) -> None:  # fmt: skip
        """Store a verdict with its JSON document and its report. Nothing is published before this returns.

        With `evaluation`, the same transaction ends that evaluation as done: it has one verdict or none, ever.

        Raises:
            AttemptTakenError: the verdict's attempt is another's by now.
            SupersededError: `evaluation` is over already.
            StoreError: it could not be stored.
        """

    def attempt(self, model_digest: str, stage: str, inputs_digest: str) -> int:
        """The number of this attempt: 1 for the first; equal inputs are the same attempt, an error uses none."""

    def find(self, verdict_id: str) -> Mapping[str, object] | None:
        """The document of a verdict by its id or an unambiguous prefix of it."""

    def latest(self, model_name: str, *, other_than: str | None = None) -> Mapping[str, object] | None:
        """The document of the newest verdict on any version of a model, leaving out one id."""


class Observer(Protocol):
    """Hears what happens."""

    def phase(self, name: str, detail: str = "") -> None:
        """A phase of the evaluation begins."""

    def scanned(self, rows: int) -> None:
        """So many more rows were read by a statement that has ended."""

    def called(self, operation: str, result: str, seconds: float) -> None:
        """The registry was asked: `result` is ok, timeout, not_found, denied, rate_limited, server_error, ..."""


class Silent:
    """An Observer that hears and says nothing."""

    def phase(self, name: str, detail: str = "") -> None:
        """Say nothing."""

    def scanned(self, rows: int) -> None:
        """Say nothing."""

    def called(self, operation: str, result: str, seconds: float) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Late:
    """What the record says of an evaluation whose time has passed, as far as it takes to end it."""

    id: str
    model_name: str
    state: State
    worker: str | None
    expires_at: datetime


class Evaluations(Protocol):
    """The record of evaluations: what a server answers from. Its state is the one that counts.

    Every method is one short transaction and raises StoreError if the database cannot do it.
    """

    def accept(self, evaluation: Evaluation) -> Evaluation | None:
        """Record a new evaluation with its `queued` event; the one that has its id already, or None if it is new."""

    def get(self, evaluation_id: str) -> Evaluation | None:
        """Find an evaluation by its id."""

    def page(
        self, *, model_name: str | None = None, states: Sequence[State] = (), before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[Evaluation], str | None]:
        """Newest first, and the cursor for `before` of the page that follows, None on the last one."""

    def start(self, evaluation_id: str, worker: str, now: datetime, expires_at: datetime) -> Evaluation | None:
        """Say that work begins, or begins again after a crash; None if the evaluation is over."""

    def note(self, evaluation_id: str, kind: str, data: Mapping[str, object], now: datetime) -> None:
        """Append an event."""

    def events(self, evaluation_id: str, after: int = 0) -> Sequence[Event]:
        """The events with a sequence above `after`, in order."""

    def newest_event(self, evaluation_id: str, kind: str) -> Event | None:
        """The newest event of one kind."""

    def newest_events(self, evaluation_ids: Collection[str]) -> Mapping[str, Event]:
        """The newest event of each evaluation, in one statement: how a server watches many at once."""

    def end(
        self, evaluation_id: str, state: State, now: datetime, trouble: Trouble | None = None, *,
        expires_at: datetime | None = None,
    ) -> bool:  # fmt: skip
        """End an evaluation without a verdict, as error or cancelled; False if it was over already.

        With `expires_at`, only if that is its time still: work that began meanwhile has a new one.
        """

    def overdue(self, now: datetime) -> Sequence[Late]:
        """Queued or running evaluations whose `expires_at` has passed, also those that nobody can read otherwise."""

    def open_ids(self) -> Sequence[tuple[str, str]]:
        """The id and the model of each queued or running evaluation, oldest first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest verdict on a model in a stage, on whichever version, with its document.

    Of a verdict that was changed after it was stored, the document is that of a hold for an error. It is not shown as
    the verdict: whoever asks for that is told that it is damaged.
    """

    model_name: str
    stage: str
    verdict_id: str
    trigger: Trigger
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much work waits: evaluations by state (queued, running), and since when the oldest queued one waits."""

    counts: Mapping[State, int]
    oldest_queued: datetime | None


class Archive(Protocol):
    """What a server reads of stored verdicts, and what it keeps beside them. Raises StoreError, like all of the store.

    Cursors are opaque text; one that this store did not make is a UsageError.
    """

    def find(self, verdict_id: str) -> Mapping[str, object] | None:
        """The document of a verdict by its id or an unambiguous prefix of it."""

    def page(
        self, *, model_name: str | None = None, stage: str | None = None, decision: str | None = None,
        version: str | None = None, before: str | None = None, limit: int = 50,
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:  # fmt: skip
        """Documents, newest first, and the cursor of the page that follows, None on the last one."""

    def standings(self) -> Sequence[Standing]:
        """The newest verdict of each (model, stage), by name."""

    def evaluation_of(self, verdict_id: str) -> str | None:
        """The evaluation that a verdict came from; None for one that was made in process."""

    def report_names(self, verdict_id: str) -> Sequence[str]:
        """The names of the files of a verdict's report; empty if none was kept, or it was purged."""

    def report_file(self, verdict_id: str, name: str) -> bytes | None:
        """One file of a verdict's report."""

    def totals(self) -> Mapping[tuple[str, str, str], int]:
        """Verdicts ever stored, by (stage, promote or the cause of the hold, trigger). Never shrinks."""

    def backlog(self) -> Backlog:
        """How much work waits now."""

    def see(self, served: Served) -> None:
        """Remember which version an alias names now."""

    def served(self) -> Sequence[Served]:
        """Which version each alias named when it was last looked at."""

    def forget_served(self, before: datetime) -> int:
        """Forget the aliases that were not looked at since a moment; how many."""

    def purge(self, before: datetime) -> Mapping[str, int]:
        """Forget what ended before a moment: evaluations, events, reports, verdicts, aliases; how many of each went.

        The newest verdict of each model, version and stage stays, and so does each whose `valid_until` is to come.
        """

    def ping(self) -> None:
        """Show that the database answers, and takes writes."""


class Queue(Protocol):
    """Durable work: what was submitted is done, once at a time for each model, whatever dies meanwhile."""

    def submit(self, evaluation_id: str, model_name: str) -> None:
        """Put an evaluation in line; doing so again changes nothing. EngineError if it could not be made durable."""

    def cancel(self, evaluation_id: str) -> None:
        """Take an evaluation out of the line, or have its work stopped, so that its model's next one may begin."""

    def purge(self, before: datetime) -> int:
        """Forget work that ended before a moment; how much."""


class Notices(Protocol):
    """Copies of a verdict for other systems. A copy is never read back."""

    def tell(self, document: Mapping[str, object], url: str | None) -> None:
        """Leave a copy of the verdict; doing so again changes nothing. RegistryError if that failed."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as the flow sees it. `folder` is a private place for downloads, removed afterwards."""

    registry: Registry
    datasets: Datasets
    evidence: EvidenceSource
    store: VerdictStore
    observer: Observer
    folder: Path
    render: Callable[[Mapping[str, object], Gathered], Mapping[str, bytes]] | None = None  # a document's report files
