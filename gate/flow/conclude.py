"""From findings to the verdict: the decision, what would flip it, and how long it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import rfc8785

import gate
from gate.domain.candidate import Candidate
from gate.domain.dataset import DatasetFacts
from gate.domain.evidence import Measured, Reading
from gate.domain.finding import Finding, Status
from gate.domain.verdict import DataIdentity, ModelIdentity, PolicyIdentity, Verdict, decide
from gate.domain.waiver import Waiver
from gate.flow.request import Request
from gate.policy.load import LoadedPolicy

FIRST_STAGE = "pilot"
_ENGINE = ("evidently", "duckdb", "mlflow-skinny")


def conclude(
    request: Request,
    verdict_id: str,
    candidate: Candidate,
    champion: Candidate | None,
    policy: LoadedPolicy,
    reference: DatasetFacts,
    current: DatasetFacts,
    findings: tuple[Finding, ...],
    *,
    now: datetime,
    waivers: Sequence[Waiver],
    waived_until: datetime | None,
    labels: Reading | None,
    timings_seconds: Mapping[str, float],
) -> Verdict:
    """Decide, and write down everything that the decision rests on, but for the number of the attempt.

    A verdict never outlives a waiver that it needs.
    """
    decision, cause = decide(findings)
    stage = request.stage or FIRST_STAGE
    predictions = _predictions(findings)
    inputs = _inputs_digest(candidate, champion, policy, reference, current, stage, waivers, predictions, now)
    by_policy = now + policy.policy.verdict.valid_for
    return Verdict(
        id=verdict_id,
        decision=decision,
        cause=cause,
        enforced=request.enforced,
        stage=stage,
        store=request.kept,
        model=_identity(candidate),
        champion=_identity(champion) if champion else None,
        policy=PolicyIdentity(policy.policy.name or "", policy.digest, policy.source),
        reference=_data(reference),
        current=_data(current, labels),
        predictions=predictions,
        overridden=request.reference is not None or request.current is not None,
        findings=findings,
        flip=flips(findings),
        evaluated_at=now,
        valid_until=min(by_policy, waived_until or by_policy),
        attempt=0,
        inputs_digest=inputs,
        engine={"gate": gate.__version__} | {name: installed for name in _ENGINE if (installed := _version(name))},
        timings_seconds=timings_seconds,
    )


def flips(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Say what would turn the hold into a promotion: one sentence for each finding that stands in the way."""
    return tuple(dict.fromkeys(_flip(finding) for finding in findings if not finding.lets_through))


def _flip(finding: Finding) -> str:
    change = finding.judgement.flip or finding.judgement.remedy or finding.judgement.reason
    if not finding.is_waivable:
        return change
    what = ", ".join(finding.judgement.subject.values())
    return f"{change}, or waive {finding.check} ({finding.severity})" + (f" for {what}" if what else "")


def _predictions(findings: Iterable[Finding]) -> str:
    """Whose predictions were judged, from the finding about them; `none` where there are no predictions."""
    found = next((finding for finding in findings if finding.kind == "predictions"), None)
    if found is None:
        return "none"
    return {Status.PASS: "bound", Status.WARN: "unbound"}.get(found.status, "foreign")


def _identity(candidate: Candidate) -> ModelIdentity:
    return ModelIdentity(candidate.name, candidate.version, candidate.uri, candidate.digest, candidate.run_id)


def _data(facts: DatasetFacts, labels: Reading | None = None) -> DataIdentity:
    labelled = int(labels.details.get("labelled", 0)) if isinstance(labels, Measured) else None
    return DataIdentity(facts.uri, facts.digest, facts.rows, facts.since, facts.until, labelled)


def _inputs_digest(
    candidate: Candidate, champion: Candidate | None, policy: LoadedPolicy, reference: DatasetFacts,
    current: DatasetFacts, stage: str, waivers: Sequence[Waiver], predictions: str, now: datetime,
) -> str:  # fmt: skip
    """Digest everything that the findings follow from. The data digests hold the resolved windows.

    Where freshness is judged time is an input: by the hour, so that a pipeline that asks again at once asks the same.
    """
    inputs = {
        "model": candidate.digest,
        "champion": champion.digest if champion else None,
        "policy": policy.digest,
        "reference": reference.digest,
        "current": current.digest,
        "stage": stage,
        "record": _record_digest(candidate),
        "predictions": predictions,
        "waivers": sorted(waiver.sentence for waiver in waivers),
        "hour": f"{now:%Y-%m-%dT%H}" if any(check.kind == "freshness" for check in policy.checks) else None,
        "gate": gate.__version__,
    }
    return "sha256:" + hashlib.sha256(rfc8785.dumps(inputs)).hexdigest()


def _record_digest(candidate: Candidate) -> str:
    """Digest what the registry says of the candidate beside its files; gate's own tags are no input."""
    tags = [candidate.tags, candidate.model_tags, candidate.run_tags]
    record: dict[str, Any] = {
        "description": [candidate.description, candidate.model_description],
        "tags": [{key: value for key, value in some.items() if not key.startswith("gate.")} for some in tags],
        "datasets": [[d.name, d.digest, d.context or "", d.uri or ""] for d in candidate.datasets],
        "run": candidate.run_id,
    }
    return hashlib.sha256(rfc8785.dumps(record)).hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
