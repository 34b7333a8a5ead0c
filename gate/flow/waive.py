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

    Returns the findings, and the moment when the first waiver in use expires: the verdict lives no longer.
    """
    marked: list[Finding] = []
    used: set[Waiver] = set()
    for finding in findings:
        waiver = next((w for w in waivers if w.covers(finding, model_digest, now)), None)
        if waiver is not None:
            used.add(waiver)
            finding = replace(finding, waiver=waiver.sentence)  # noqa: PLW2901  # the finding, marked
        marked.append(finding)
    stale = (_stale(waiver, now) for waiver in waivers if waiver not in used and waiver.model_digest == model_digest)
    first_to_expire = min((waiver.expires for waiver in used), default=None)
    return (*marked, *stale), first_to_expire


def _stale(waiver: Waiver, now: datetime) -> Finding:
    why = f"expired on {waiver.expires:%Y-%m-%d}" if waiver.expires < now else "covers nothing that could be waived"
    where = waiver.place or "waivers.yaml"
    return note(f"the waiver of {waiver.check} ({waiver.ticket}) {why}", remedy=f"remove it from {where}")
