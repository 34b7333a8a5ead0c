"""Waivers applied: the waived check still ran, and shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from gate.domain.finding import Finding
from gate.domain.waiver import Waiver
from gate.flow.judge import note


def waive(
    findings: Iterable[Finding], waivers: Sequence[Waiver], model_digest: str, now: datetime
) -> tuple[tuple[Finding, ...], datetime | None]:
    """Mark the findings that a live waiver covers, and report the waivers that cover nothing.

    Of several that cover a finding the one that lasts longest counts. Returns the findings, and the moment when the
    first finding loses its waiver: the verdict lives no longer.
    """
    marked: list[Finding] = []
    used: set[Waiver] = set()
    ends: list[datetime] = []
    for finding in findings:
        covering = [waiver for waiver in waivers if waiver.covers(finding, model_digest, now)]
        used.update(covering)
        longest = max(covering, key=lambda waiver: waiver.expires, default=None)
        if longest is not None:
            ends.append(longest.expires)
        marked.append(replace(finding, waiver=longest.sentence) if longest else finding)
    stale = (_stale(waiver, now) for waiver in waivers if waiver not in used and waiver.model_digest == model_digest)
    return (*marked, *stale), min(ends, default=None)


def _stale(waiver: Waiver, now: datetime) -> Finding:
    why = f"expired on {waiver.expires:%Y-%m-%d}" if waiver.expires < now else "covers nothing that could be waived"
    where = waiver.place or "waivers.yaml"
    return note(f"the waiver of {waiver.check} ({waiver.ticket}) {why}", remedy=f"remove it from {where}")
