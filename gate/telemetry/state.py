"""The state of the database as metrics, read when Prometheus asks.

The database is asked on a thread of its own and not waited for longer than two seconds; MLflow is never asked. What
cannot be read is absent, and says so: a database that is away must not look like a fleet without problems.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

from gate.domain.evaluation import Served, State
from gate.domain.moments import parse_moment
from gate.domain.verdict import Cause, Decision
from gate.errors import DamagedError
from gate.flow.ports import Archive, Evaluations, Standing
from gate.policy.match import PolicySet
from gate.telemetry.catalogue import BY_NAME, METRICS, Kind, Metric, Origin
from gate.telemetry.series import Place, Reading, Record, write
from gate.telemetry.sheet import Sheet
from gate.telemetry.summary import Summary, is_by_policy, summarise

K = TypeVar("K")
V = TypeVar("V")

_log = logging.getLogger(__name__)

_MOST_SERIES = 18_000  # of the state; a scrape of everything stays below a sample_limit of 20,000
_MOST_IN_A_ROW = 10
_PAGE = 10  # verdicts on a served version that are read at once, back to its promotion
_RECENT = 100  # evaluations that are looked at for the last success of each trigger
_REMEMBERED = 4096  # verdicts
_UNKNOWN = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Result:
    """What one read gave."""

    sheet: Sheet
    seconds: float
    read_at: datetime
    finished: float  # by the monotonic clock


@dataclass(frozen=True, slots=True)
class _Look:
    """What the verdicts on a served version said, up to `newest` of them, when that of its model was another."""

    newest_of_model: str
    newest: str | None
    record: Record


class StateCollector:
    """Collects the state for a scrape. Threads may share it; several scrapes at once cost one read.

    Args:
        archive, evaluations: where the state is.
        policies: gives the policies in force.
        now: the moment, UTC.
        timeout_seconds: how long a scrape waits for the database.
        keep_seconds: how long a read serves other scrapes too.
        most_series: more are left out, features first, and counted.
    """

    def __init__(
        self,
        archive: Archive,
        evaluations: Evaluations,
        policies: Callable[[], PolicySet],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_seconds: float = 2.0,
        keep_seconds: float = 5.0,
        most_series: int = _MOST_SERIES,
    ) -> None:
        self._reader = _Reader(archive, evaluations, policies, now, most_series)
        self._timeout = timeout_seconds
        self._keep = keep_seconds
        self._lock = threading.Lock()
        self._running: tuple[Future[_Result], float] | None = None
        self._kept: _Result | None = None
        self._last_success: datetime | None = None
        self._seconds: float | None = None
        self._failing = False

    def collect(self) -> Iterator[Family]:
        """Give all metrics of the state, and what there is to say about reading it. Never raises."""
        result = self._result()
        if result is not None:
            self._last_success, self._seconds = result.read_at, result.seconds
            yield from (_family(metric, result.sheet.of(metric.name)) for metric in METRICS if _is_state(metric))
        yield from self._about(result)

    def _about(self, result: _Result | None) -> Iterator[Family]:
        last = self._last_success
        said: Mapping[str, float | None] = {
            "gate_state_read_success": result is not None,
            "gate_state_last_success_timestamp_seconds": last.timestamp() if last else None,
            "gate_state_read_duration_seconds": self._seconds,
            "gate_metrics_series_dropped": result.sheet.dropped if result else None,
        }
        for name, value in said.items():
            yield _family(BY_NAME[name], {} if value is None else {(): float(value)})

    def _result(self) -> _Result | None:
        """A fresh result, or None. One read runs at a time: a database that hangs holds one thread, not many."""
        with self._lock:
            if self._kept is not None and time.monotonic() - self._kept.finished < self._keep:
                return self._kept
            if self._running is None:
                self._running = Future(), time.monotonic()
                threading.Thread(target=self._read, args=self._running[:1], name="gate-state", daemon=True).start()
            future, began = self._running
        if not wait([future], timeout=max(0.0, began + self._timeout - time.monotonic())).done:
            self._note(f"the database did not answer within {self._timeout:g} s")
            return None
        try:
            result = future.result()
        except Exception as wrong:  # noqa: BLE001  # a scrape never fails: the metrics say that the state is not there
            self._note(str(wrong))
            return None
        self._note(None)
        return result

    def _read(self, future: Future[_Result]) -> None:
        try:
            result = self._reader.read()
        except BaseException as error:  # noqa: BLE001  # raised where somebody waits
            with self._lock:
                self._running = None
            future.set_exception(error)
        else:
            with self._lock:
                self._kept, self._running = result, None
            future.set_result(result)

    def _note(self, trouble: str | None) -> None:
        """Log when reading begins to fail and when it works again, not at every scrape."""
        if trouble is not None and not self._failing:
            _log.warning("the state cannot be read for the metrics: %s", trouble)
        elif trouble is None and self._failing:
            _log.info("the state can be read for the metrics again")
        self._failing = trouble is not None


class _Reader:
    """Reads and summarises. Used by one thread at a time."""

    def __init__(
        self, archive: Archive, evaluations: Evaluations, policies: Callable[[], PolicySet],
        now: Callable[[], datetime], most_series: int,
    ) -> None:  # fmt: skip
        self._archive = archive
        self._evaluations = evaluations
        self._policies = policies
        self._now = now
        self._most_series = most_series
        self._summaries = _Memory[tuple[str, object], Summary]()
        self._looks = _Memory[tuple[str, str, str], _Look]()
        self._damage: set[str] = set()  # that was logged
        self._last_success: dict[str, datetime] = {}

    def read(self) -> _Result:
        began = time.monotonic()
        now = self._now()
        standings = self._archive.standings()
        summaries = {(standing.model_name, standing.stage): self._summary(standing) for standing in standings}
        newest = {(standing.model_name, standing.stage): standing.verdict_id for standing in standings}
        reading = Reading(
            now=now,
            summaries=summaries,
            totals=self._archive.totals(),
            backlog=self._archive.backlog(),
            served=[(served, self._record(served, newest)) for served in self._archive.served()],
            last_success=self._successes(standings, summaries),
            policies=self._policies(),
        )
        sheet = write(reading, self._most_series)
        ended = time.monotonic()
        return _Result(sheet, ended - began, now, ended)

    def _summary(self, standing: Standing) -> Summary:
        # By its digest too: one that was damaged and is restored is what it was.
        key = standing.verdict_id, (standing.document or {}).get("digest")
        return self._summaries.get(key, lambda: _summarised(standing))

    def _record(self, served: Served, newest: Mapping[Place, str]) -> Record:
        """Look up what the verdicts on a served version say; anew only when there is a new one on the model."""
        newest_of_model = newest.get((served.model_name, served.stage))
        if newest_of_model is None or served.version is None:
            return Record()
        place = served.model_name, served.stage, served.version
        last = self._looks.last(place)
        if last is None or last.newest_of_model != newest_of_model:
            try:
                last = self._look(newest_of_model, place, last)
            except (DamagedError, KeyError, TypeError, ValueError) as wrong:
                # One that nobody can read must hide no other model; this one has no promotion that can be shown.
                self._log_once(f"{place[0]} version {place[2]}: {wrong}")
                return Record()
            self._looks.keep(place, last)
        return last.record

    def _look(self, newest_of_model: str, place: tuple[str, str, str], last: _Look | None) -> _Look:
        """Read back to the newest promotion that counts, or to what the last look saw, however much lies between."""
        held, evaluated, seen, before = 0, None, None, None
        while True:
            documents, before = self._archive.page(
                model_name=place[0], stage=place[1], version=place[2], before=before, limit=_PAGE
            )
            seen = seen or (documents[0]["id"] if documents else None)
            for document in documents:
                if last is not None and document["id"] == last.newest:
                    held = min(held + last.record.held_in_a_row, _MOST_IN_A_ROW)
                    until = last.record.promoted_until
                    return _Look(newest_of_model, seen, Record(held, until, evaluated or last.record.evaluated))
                if not _counts(document):
                    continue
                evaluated = evaluated or parse_moment(document["evaluated_at"])
                if document["decision"] == Decision.PROMOTE:
                    return _Look(newest_of_model, seen, Record(held, parse_moment(document["valid_until"]), evaluated))
                held = min(held + 1, _MOST_IN_A_ROW)
            if before is None:
                return _Look(newest_of_model, seen, Record(held, None, evaluated))

    def _log_once(self, damage: str) -> None:
        if damage not in self._damage:
            self._damage.add(damage)
            _log.error("left out of the metrics: %s", damage)

    def _successes(self, standings: Sequence[Standing], summaries: Mapping[Place, Summary]) -> Mapping[str, datetime]:
        """When an evaluation last ended with a verdict, by trigger; remembered, since newer work hides older."""
        try:
            done, _ = self._evaluations.page(states=(State.DONE,), limit=_RECENT)
        except DamagedError as damaged:
            self._log_once(str(damaged))
            done = ()
        ends = [(str(one.submission.trigger), one.finished_at) for one in done]
        ends += [(str(one.trigger), summaries[one.model_name, one.stage].given) for one in standings]
        for trigger, end in ends:
            if end is not None and end != _UNKNOWN:
                self._last_success[trigger] = max(end, self._last_success.get(trigger, end))
        return dict(self._last_success)


def _counts(document: Mapping[str, Any]) -> bool:
    """Whether a verdict says something about what serves: by the policy, on its data, and decided."""
    return is_by_policy(document) and document["cause"] != Cause.ERROR


def _summarised(standing: Standing) -> Summary:
    try:
        return summarise(standing.document)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        # One document that nobody can read must not hide all the others; to gate it is an error.
        _log.error("verdict %s cannot be summarised: %s: %s", standing.verdict_id, type(wrong).__name__, wrong)
        return Summary("", str(Cause.ERROR), enforced=False, policy="", given=_UNKNOWN, valid_until=_UNKNOWN)


class _Memory(Generic[K, V]):
    """The values that were used last."""

    def __init__(self) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Give the value of a key, made if it is not remembered."""
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while len(self._values) > _REMEMBERED:
            self._values.popitem(last=False)
        return self._values[key]

    def last(self, key: K) -> V | None:
        """Give the value of a key, if it is remembered."""
        return self._values.get(key)

    def keep(self, key: K, value: V) -> None:
        """Put a new value in the place of the one that is remembered."""
        self._values.pop(key, None)
        self.get(key, lambda: value)


def _is_state(metric: Metric) -> bool:
    return metric.origin is Origin.STATE


def _family(metric: Metric, series: Mapping[tuple[str, ...], float]) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.family if metric.kind is Kind.COUNTER else metric.name, metric.meaning, labels=metric.labels)
    for labels, value in series.items():
        family.add_metric(labels, value)
    return family
