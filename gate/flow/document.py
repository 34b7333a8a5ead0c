"""The verdict as a JSON document (`gate.verdict/v1`), and its digest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import rfc8785

from gate.domain.finding import Finding
from gate.domain.need import Limit
from gate.domain.verdict import DataIdentity, Verdict

SCHEMA = "gate.verdict/v1"
_NOT_DIGESTED = ("digest", "timings_seconds")


def document_of(verdict: Verdict) -> dict[str, Any]:
    """Write a verdict as plain JSON values: numbers finite or null, times in UTC, its own digest last."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": verdict.id,
        "decision": str(verdict.decision),
        "cause": verdict.cause and str(verdict.cause),
        "enforced": verdict.enforced,
        "stage": verdict.stage,
        "store": verdict.store,
        "model": asdict(verdict.model),
        "champion": verdict.champion and {"version": verdict.champion.version, "digest": verdict.champion.digest},
        "policy": asdict(verdict.policy),
        "data": {
            "reference": _data(verdict.reference),
            "current": _data(verdict.current) | {"labelled": verdict.current.labelled},
            "predictions": verdict.predictions,
            "overridden": verdict.overridden,
        },
        "findings": [_finding(finding) for finding in verdict.findings],
        "summary": verdict.summary,
        "flip": list(verdict.flip),
        "evaluated_at": _time(verdict.evaluated_at),
        "valid_until": _time(verdict.valid_until),
        "attempt": verdict.attempt,
        "inputs_digest": verdict.inputs_digest,
        "engine": dict(verdict.engine),
        "timings_seconds": dict(verdict.timings_seconds),
    }
    document = _plain(document)
    return document | {"digest": digest_of(document)}


def digest_of(document: Mapping[str, Any]) -> str:
    """Digest a verdict document: the whole of it in RFC 8785 form, without its digest and its timings."""
    body = {key: value for key, value in document.items() if key not in _NOT_DIGESTED}
    return "sha256:" + hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def to_json(document: Mapping[str, Any]) -> str:
    """Render a document for people and pipes: indented, stable, no NaN."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _finding(finding: Finding) -> dict[str, Any]:
    judged = finding.judgement
    return {
        "check": finding.check,
        "kind": finding.kind,
        "dimension": str(finding.dimension),
        "status": str(judged.status),
        "severity": str(finding.severity),
        "waived": finding.waiver is not None,
        "waiver": finding.waiver,
        "subject": dict(judged.subject),
        "measured": judged.measured,
        "interval": judged.interval and list(judged.interval),
        "bound": judged.bound,
        "exact": judged.exact,
        "limit": _limit(judged.limit),
        "rows": judged.rows,
        "rows_missing": judged.rows_missing,
        "method": judged.method,
        "reason": judged.reason,
        "remedy": judged.remedy,
        "flip": judged.flip,
        "owner": finding.owner,
        "policy_file": finding.policy_file,
        "policy_line": finding.policy_line,
        "reproduce": finding.reproduce,
        "details": dict(judged.details),
    }


def _limit(limit: Limit) -> dict[str, float] | None:
    stated = {name: value for name, value in (("min", limit.min), ("max", limit.max)) if value is not None}
    return stated or None


def _data(data: DataIdentity) -> dict[str, Any]:
    return {
        "uri": data.uri,
        "digest": data.digest,
        "rows": data.rows,
        "from": data.since and _time(data.since),
        "until": data.until and _time(data.until),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    """Reduce a value to JSON: mappings, lists, text, booleans, integers, finite floats; anything else is its text."""
    match value:
        case None | bool() | str():
            return str(value) if isinstance(value, str) else value
        case int():
            return value if abs(value) < 2**53 else float(value)  # RFC 8785 numbers are doubles
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case set() | frozenset():
            return sorted(map(str, value))
        case datetime():
            return _time(value)
        case _ if hasattr(value, "item"):
            return _plain(value.item())  # a numpy scalar
        case _:
            return str(value)
