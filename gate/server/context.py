"""What every route of the server has at hand."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from starlette.requests import HTTPConnection

from gate.domain.evaluation import Evaluation
from gate.domain.verdict import EXIT_CODES, Cause
from gate.errors import DamagedError
from gate.server.readiness import Glance
from gate.server.service import Service
from gate.server.threads import Threads
from gate.server.watch import Watch

_log = logging.getLogger("gate.server")

_MOST_OUTCOMES = 10_000
_SOFTENED = (1, 3)  # what report-only turns into 0; never "could not decide"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verdict says, in two words: a verdict never changes, so this is remembered."""

    decision: str
    cause: Cause | None

    def exit_code(self, *, enforced: bool) -> int:
        """What `gate check` in process exits with."""
        code = EXIT_CODES[self.cause]
        return 0 if code in _SOFTENED and not enforced else code


@dataclass(frozen=True, slots=True)
class Context:
    """The service, the threads that talk to it, the watch over what changes, and whether all is well."""

    service: Service
    database: Threads
    watch: Watch
    readiness: Glance
    _outcomes: OrderedDict[str, Outcome] = field(default_factory=OrderedDict)

    def now(self) -> datetime:
        """The moment, UTC."""
        return datetime.now(UTC)

    def outcome(self, verdict_id: str) -> Outcome | None:
        """What a verdict says; None if it was purged, or changed after it was stored. May wait for the database."""
        known = self._outcomes.get(verdict_id)
        if known is None:
            try:
                document = self.service.archive.find(verdict_id)
            except DamagedError as damaged:  # the verdict itself says so; what stands beside it in a list is well
                _log.error("%s", damaged)
                return None
            if document is None:
                return None
            known = self._outcomes[verdict_id] = outcome_of(document)
            while len(self._outcomes) > _MOST_OUTCOMES:
                self._outcomes.popitem(last=False)
        return known

    def phase(self, evaluation: Evaluation) -> str | None:
        """What a running evaluation does now. May wait for the database."""
        latest = self.service.evaluations.newest_event(evaluation.id, "phase")
        return str(latest.data.get("name")) if latest else None

    def page_address(self, path: str) -> str:
        """The address of a page, for people: under the public address where one is set, else below this server's."""
        return (self.service.settings.public_url or "") + path


def outcome_of(document: Mapping[str, Any]) -> Outcome:
    """Read decision and cause from a verdict document."""
    cause = document["cause"]
    return Outcome(str(document["decision"]), Cause(cause) if cause else None)


def context_of(connection: HTTPConnection) -> Context:
    """The context of the server that a request came to."""
    return cast("Context", connection.app.state.context)
