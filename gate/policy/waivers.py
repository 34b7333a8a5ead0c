"""`waivers.yaml`, beside the policies: exceptions that two people agreed on, kept under review like the policies.

- check: feature_drift
  column: temp
  model_digest: "sha256:0f3c..."
  reason: new sensors since 1 November, recalibration ordered
  ticket: BIKE-412
  by: j.chen
  approved_by: a.roy
  granted: 2026-11-20
  expires: 2026-12-15
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gate.checks.contract import Name
from gate.domain.moments import end_of
from gate.domain.waiver import Waiver
from gate.errors import PolicyError, Problem, UsageError
from gate.policy.document import MAX_BYTES, read_document
from gate.policy.model import Day, LongText, ShortText
from gate.policy.wording import shown, wordings

FILE = "waivers.yaml"
LONGEST = timedelta(days=30)


class _Written(BaseModel):
    """One waiver as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    check: Name
    column: Name | None = None
    segment: Name | None = None
    model_digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    reason: Annotated[LongText, StringConstraints(strip_whitespace=True, min_length=10)]
    ticket: ShortText
    by: ShortText
    approved_by: ShortText
    granted: Day
    expires: Day


def load_waivers(folder: Path, now: datetime) -> tuple[Waiver, ...]:
    """Load the waivers of a folder of policies; without a file there are none.

    An expired waiver is no error: it covers nothing any more, and the verdict says so.

    Raises:
        PolicyError: with everything that is wrong with the file.
        UsageError: the file is there and cannot be read.
    """
    path = folder / FILE
    if not path.exists() and not path.is_symlink():
        return ()
    if not path.is_file():
        raise UsageError(f"{path}: not a file")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise UsageError(f"{path}: cannot be read: {wrong.strerror or wrong}") from wrong
    document = read_document(raw, str(path))
    problems = list(document.problems)
    entries = document.value
    if not isinstance(entries, list):
        if not problems:
            problems.append(Problem(str(path), 1, f"got {shown(entries)}, allowed is a list of waivers"))
        raise PolicyError(problems)
    waivers: list[Waiver] = []
    for index, entry in enumerate(entries):
        line = document.line_of((index,))
        try:
            written = _Written.model_validate_json(json.dumps(entry))
        except ValidationError as error:
            problems += (
                Problem(str(path), document.line_of((index, *where)), f"waiver {index + 1}: {message}")
                for where, message in wordings(error, _Written, entry)
            )
            continue
        problems += (
            Problem(str(path), document.line_of((index, key)), f"waiver {index + 1}: {key}: {message}")
            for key, message in _misfits(written, now)
        )
        waivers.append(_waiver(written, f"{path}:{line}"))
    if problems:
        causes = {problem.line for problem in document.problems}
        raise PolicyError([p for p in problems if p in document.problems or p.line not in causes])
    return tuple(waivers)


def _misfits(written: _Written, now: datetime) -> Iterator[tuple[str, str]]:
    if _same_person(written.by, written.approved_by):
        yield "approved_by", f"got {written.approved_by}, who asked for it; somebody else has to approve"
    if written.column is not None and written.segment is not None:
        yield "segment", "a finding is about a column or a segment; keep one of them"
    if written.granted > now.astimezone(UTC).date():
        yield "granted", f"got {written.granted}, which is still to come"
    if written.expires < written.granted:
        yield "expires", f"got {written.expires}, which is before it was granted, {written.granted}"
    if written.expires - written.granted > LONGEST:
        latest = written.granted + LONGEST
        yield "expires", f"got {written.expires}, allowed is at most {LONGEST.days} days after it was granted, {latest}"


def _same_person(one: str, other: str) -> bool:
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def _waiver(written: _Written, place: str) -> Waiver:
    said: dict[str, Any] = written.model_dump(exclude={"granted", "expires"})
    granted = datetime.combine(written.granted, time.min, tzinfo=UTC)
    return Waiver(**said, granted=granted, expires=end_of(written.expires), place=place)
