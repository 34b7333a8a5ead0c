"""Findings: the judgement of one check on one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gate.domain.need import ANY, Limit


class Status(StrEnum):
    """How a check ended; exactly one."""

    PASS = "pass"  # noqa: S105  # a word, no password
    WARN = "warn"
    FAIL = "fail"
    INSUFFICIENT = "insufficient"
    ERROR = "error"


class Severity(StrEnum):
    """What a finding may do: `blocker` holds and is never waivable, `major` is waivable, `info` never decides."""

    BLOCKER = "blocker"
    MAJOR = "major"
    INFO = "info"


class Dimension(StrEnum):
    """The side of readiness that a check looks at."""

    BUSINESS = "business"
    TECHNICAL = "technical"
    ORGANISATION = "organisation"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check says of one subject. The reason is a sentence with its numbers; never empty.

    `subject` is what was looked at: {"column": "temp"}, {"segment": "season=1"}, {} for the whole evaluation.
    `remedy` is what a person can do about it; empty for a pass. `flip` is the change that would let it through.
    """

    status: Status
    reason: str
    subject: Mapping[str, str] = field(default_factory=dict, hash=False)
    measured: float | None = None
    interval: tuple[float, float] | None = None
    bound: float | None = None
    exact: bool = True
    limit: Limit = ANY
    rows: int | None = None
    method: str | None = None
    remedy: str = ""
    flip: str = ""
    rows_missing: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("a judgement has a reason")


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement with the check that made it, and what the policy says about that check."""

    check: str
    kind: str
    dimension: Dimension
    severity: Severity
    judgement: Judgement
    owner: str = ""
    policy_file: str | None = None  # where the check was last said: the policy or one of its bases
    policy_line: int | None = None
    reproduce: str = ""
    waiver: str | None = None  # who waived it, why and until when, as a sentence

    @property
    def status(self) -> Status:
        """The status of the judgement; a waiver does not change it."""
        return self.judgement.status

    @property
    def decides(self) -> bool:
        """Whether the finding takes part in the decision."""
        return self.severity is not Severity.INFO

    @property
    def is_waivable(self) -> bool:
        """Whether a person may make an exception: never of a blocker, and never of an error, which is no evidence."""
        return self.severity is Severity.MAJOR and self.status in (Status.FAIL, Status.INSUFFICIENT)

    @property
    def lets_through(self) -> bool:
        """Whether the finding allows a promotion. Only pass, warn and a live waiver do."""
        return not self.decides or self.status in (Status.PASS, Status.WARN) or self.waiver is not None

    @property
    def title(self) -> str:
        """The thing that was judged, in a word or two: `feature_drift(temp)`."""
        what = ", ".join(self.judgement.subject.values())
        return f"{self.check}({what})" if what else self.check
