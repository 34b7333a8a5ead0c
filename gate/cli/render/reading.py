"""A verdict document in the order and the words in which people read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gate.domain.plain import plain

Document = Mapping[str, Any]

_CAUSES = {
    "failed": "a check failed",
    "error": "a check could not be made",
    "awaiting": "people are awaited",
    "insufficient": "there is not enough evidence",
}
_ORDER = {"fail": 0, "error": 1, "insufficient": 2, "warn": 3, "pass": 4}
_LETS_THROUGH = frozenset({"pass", "warn"})


def headline(document: Document) -> str:
    """Say what was decided about what, and why: `HOLD bike-demand version 2: a check failed`."""
    model = document["model"]
    named = f"{str(document['decision']).upper()} {plain(model['name'])} version {plain(model['version'])}"
    cause = document.get("cause")
    return f"{named}: {_CAUSES.get(str(cause), plain(cause))}" if cause else named


def title(finding: Document) -> str:
    """Name what was judged: `feature_drift(temp)`."""
    what = ", ".join(plain(value) for value in finding["subject"].values())
    return f"{plain(finding['check'])}({what})" if what else plain(finding["check"])


def stands_in_the_way(finding: Document) -> bool:
    """Whether the finding takes part in a hold: it decides, and neither its status nor a waiver lets it through."""
    decides = finding["severity"] != "info"
    return decides and finding["status"] not in _LETS_THROUGH and not finding["waived"]


def most_urgent_first(findings: Iterable[Document]) -> list[Document]:
    """Order findings: what holds before what does not, then fail, error, insufficient, warn, pass; stable."""
    return sorted(findings, key=lambda f: (not stands_in_the_way(f), _ORDER.get(f["status"], 0)))


def standing(finding: Document) -> str:
    """The status with what takes its edge off: `FAIL`, `FAIL, waived`, `FAIL, info`."""
    status = str(finding["status"]).upper()
    if finding["status"] == "pass":
        return status
    return status + (", waived" if finding["waived"] else ", info" if finding["severity"] == "info" else "")


def passes(document: Document) -> str:
    """Count what passed: `9 checks passed`, `nothing passed`."""
    count = document["summary"].get("pass", 0)
    return {0: "nothing passed", 1: "1 finding passed"}.get(count, f"{count} findings passed")


def moment(text: object) -> str:
    """Show a time of the document to the minute: `2026-12-06 12:00 UTC`."""
    try:
        return f"{datetime.fromisoformat(str(text)):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return plain(text)


def side(data: Document) -> str:
    """Describe one side of the data: where, how many rows, from when to when, how many labelled."""
    parts = [f"{data['rows']:,} rows"]
    if data.get("from") and data.get("until"):
        parts.append(f"{moment(data['from'])} to {moment(data['until'])}")
    if data.get("labelled") is not None:
        parts.append(f"{data['labelled']:,} labelled")
    return f"{plain(data['uri'])}, {', '.join(parts)}"


def whose_predictions(document: Document) -> str:
    """Say whose predictions were judged; empty when there are none."""
    word = document["data"]["predictions"]
    return {
        "none": "",
        "bound": "bound to this version",
        "unbound": "unbound: nothing proves that they are this version's",
    }.get(word, plain(word))


def policy_place(document: Document, finding: Document) -> str:
    """Where the policy asks for it, as editors link it: `policies/bike-demand.yaml:23`; empty if it does not."""
    line = finding.get("policy_line")
    return f"{plain(finding.get('policy_file') or document['policy']['source'])}:{line}" if line else ""
