"""Waivers: a named person's exception for one check on one model, until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gate.domain.finding import Finding


@dataclass(frozen=True, slots=True)
class Waiver:
    """An exception, as two people agreed on it.

    Attributes:
        check: the id of the check.
        model_digest: the model it is for; the same check on another model is not waived.
        by, approved_by: who asked and who agreed; never the same person.
        granted, expires: from when and until when (inclusive), UTC.
        column, segment: the one thing that is waived; without either, whatever the check says.
        place: where it is written, as `file:line`.
    """

    check: str
    model_digest: str
    reason: str
    ticket: str
    by: str
    approved_by: str
    granted: datetime
    expires: datetime
    column: str | None = None
    segment: str | None = None
    place: str = ""

    def covers(self, finding: Finding, model_digest: str, now: datetime) -> bool:
        """Whether the finding is let through by this waiver at the moment `now`."""
        if not finding.is_waivable:
            return False
        if finding.check != self.check or model_digest != self.model_digest:
            return False
        if not self.granted <= now <= self.expires:
            return False
        subject = finding.judgement.subject
        named = {"column": self.column, "segment": self.segment}
        return all(what is None or subject.get(part) == what for part, what in named.items())

    @property
    def sentence(self) -> str:
        """Say who waived it, why and until when."""
        until = f"{self.expires:%Y-%m-%d}"
        return f"waived by {self.by}, approved by {self.approved_by}, until {until}: {self.reason} ({self.ticket})"
