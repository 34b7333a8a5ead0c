"""`DbosQueue`: the line of work, seen by whoever hands it in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gate.engine.durable import LINE, VERSION, WORKFLOW, open_client, open_engine, shown, translated

_BATCH = 500
_LOOK_BACK = timedelta(days=1)
_LONGEST_LANE = 500  # bytes


class DbosQueue:
    """A durable line in a database; fulfils `gate.flow.ports.Queue`.

    Any process may hand work in, also one that does none of it. The line's tables are made when it is opened.

    Args:
        url: `sqlite:///...` (a file that gate shares with nobody) or `postgresql+psycopg://...`.
        connections: how many statements may run at once. On SQLite it is always one: writers exclude each other there,
            and those that wait do so in turn, in this process, not by trying again and again at the file.
    """

    def __init__(self, url: str, *, connections: int = 10) -> None:
        self._place = shown(url)
        self._engine = open_engine(url, 1 if url.startswith("sqlite") else connections)
        with translated(self._place, "cannot prepare the line of work"):
            self._client = open_client(self._engine)

    def submit(self, evaluation_id: str, model_name: str) -> None:
        """Put an evaluation in line behind the others of its model; doing so again changes nothing."""
        with translated(self._place, f"cannot put evaluation {evaluation_id} in line"):
            self._client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": LINE,
                    "workflow_id": evaluation_id,
                    "queue_partition_key": _lane(model_name),
                    "app_version": VERSION,
                },
                evaluation_id,
            )

    def cancel(self, evaluation_id: str) -> None:
        """Take an evaluation out of the line, so that its model's next one may begin.

        Work that has begun is not ended by this but by its own look at the record.
        """
        with translated(self._place, f"cannot take evaluation {evaluation_id} out of the line"):
            self._client.cancel_workflow(evaluation_id)

    def purge(self, before: datetime) -> int:
        """Forget work that ended before a moment; how much."""
        gone = 0
        with translated(self._place, "cannot forget old work"):
            while old := self._ids(
                status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
                completed_before=_text(before), limit=_BATCH,
            ):  # fmt: skip
                self._client.delete_workflows(old)
                gone += len(old)
        return gone

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the evaluations that are in line, or were and are not forgotten yet."""
        with translated(self._place, "cannot look into the line"):
            return {found for some in _batches(ids) for found in self._ids(workflow_ids=some)}

    def begun(self) -> Sequence[str]:
        """The evaluations that a worker has taken from the line and not ended, whether that worker lives or not.

        Each keeps its model's next ones waiting, so one that the record says is over has to be cancelled.
        """
        with translated(self._place, "cannot look into the line"):
            return self._ids(status=["PENDING"], queue_name=LINE)

    def abandoned(self) -> list[str]:
        """The evaluations whose work was given up in the last day: each time that it began, its worker died or failed.

        Each of them has to be ended by somebody else.
        """
        with translated(self._place, "cannot look into the line"):
            return self._ids(
                status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
                completed_after=_text(datetime.now(UTC) - _LOOK_BACK),
                limit=_BATCH,
            )

    def ping(self) -> None:
        """Show that the line's database answers."""
        with translated(self._place, "the line of work does not answer"):
            self._client.check_connection()

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()
        self._engine.dispose()

    def _ids(self, **which: Any) -> list[str]:
        found = self._client.list_workflows(name=WORKFLOW, load_input=False, load_output=False, **which)
        return [each.workflow_id for each in found]


def _lane(model_name: str) -> str:
    """The model's name, or what stands for one that is too long for an index of the database."""
    if len(model_name.encode(errors="replace")) <= _LONGEST_LANE:
        return model_name
    return hashlib.sha256(model_name.encode(errors="replace")).hexdigest()


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield list(ids[start : start + _BATCH])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
