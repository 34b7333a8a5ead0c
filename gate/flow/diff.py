"""What changed between two verdicts: the inputs, the decision, each finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Document = Mapping[str, Any]
Change = Literal["appeared", "vanished", "status", "measured", "limit"]

SCHEMA = "gate.diff/v1"

# What a verdict rests on, as (name, path into the document). Digests tell whether it changed, the rest says to what.
_INPUTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("model name", ("model", "name")),
    ("model version", ("model", "version")),
    ("model digest", ("model", "digest")),
    ("champion version", ("champion", "version")),
    ("champion digest", ("champion", "digest")),
    ("policy name", ("policy", "name")),
    ("policy digest", ("policy", "digest")),
    ("stage", ("stage",)),
    ("reference", ("data", "reference", "uri")),
    ("reference digest", ("data", "reference", "digest")),
    ("reference rows", ("data", "reference", "rows")),
    ("current", ("data", "current", "uri")),
    ("current digest", ("data", "current", "digest")),
    ("current rows", ("data", "current", "rows")),
    ("current from", ("data", "current", "from")),
    ("current until", ("data", "current", "until")),
    ("labelled rows", ("data", "current", "labelled")),
    ("predictions", ("data", "predictions")),
    ("gate", ("engine", "gate")),
    ("enforced", ("enforced",)),
)
_RANK = {"fail": 0, "error": 1, "insufficient": 2, "warn": 3, "pass": 4}
_ORDER: Mapping[Change, int] = {"status": 0, "appeared": 1, "vanished": 2, "limit": 3, "measured": 4}


def diff(before: Document, after: Document) -> dict[str, Any]:
    """Compare two verdict documents.

    Returns:
        A `gate.diff/v1` document: `before` and `after` (id, decision, cause, evaluated_at), `same_decision`, `inputs`
        (what, before, after: only what differs), and `findings` (change, check, subject, before, after; the worst
        first). A finding is the same one if its check and its subject are.
    """
    return {
        "schema": SCHEMA,
        "before": _name(before),
        "after": _name(after),
        "same_decision": before["decision"] == after["decision"],
        "inputs": [
            {"what": what, "before": old, "after": new}
            for what, path in _INPUTS
            if (old := _at(before, path)) != (new := _at(after, path))
        ],
        "findings": sorted(_findings(before, after), key=_urgency),
    }


def _name(document: Document) -> dict[str, Any]:
    return {key: document[key] for key in ("id", "decision", "cause", "evaluated_at")}


def _at(document: Document, path: tuple[str, ...]) -> Any:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _findings(before: Document, after: Document) -> Iterator[dict[str, Any]]:
    old, new = _by_subject(before), _by_subject(after)
    for key in {**old, **new}:
        was, now = old.get(key), new.get(key)
        change = _change(was, now)
        if change is not None:
            present = now if now is not None else was
            assert present is not None
            yield {
                "change": change,
                "check": present["check"],
                "subject": dict(present["subject"]),
                "before": was and _state(was),
                "after": now and _state(now),
            }


def _by_subject(document: Document) -> dict[tuple[Any, ...], Document]:
    """Findings by check and subject; the n-th of equal ones matches the n-th on the other side."""
    found: dict[tuple[Any, ...], Document] = {}
    for finding in document["findings"]:
        subject = tuple(sorted((str(key), str(value)) for key, value in finding["subject"].items()))
        occurrence = 0
        while (finding["check"], subject, occurrence) in found:
            occurrence += 1
        found[finding["check"], subject, occurrence] = finding
    return found


def _change(was: Document | None, now: Document | None) -> Change | None:
    if was is None or now is None:
        return "appeared" if was is None else "vanished"
    if (was["status"], was["waived"], was["severity"]) != (now["status"], now["waived"], now["severity"]):
        return "status"
    if was["limit"] != now["limit"]:
        return "limit"
    return "measured" if was["measured"] != now["measured"] else None


def _state(finding: Document) -> dict[str, Any]:
    return {key: finding[key] for key in ("status", "severity", "waived", "measured", "limit", "reason")}


def _urgency(change: Mapping[str, Any]) -> tuple[int, int]:
    """Changes of status first, and among them those that ended worst."""
    ended = change["after"] or change["before"]
    return _ORDER[change["change"]], _RANK.get(ended["status"], 0)
