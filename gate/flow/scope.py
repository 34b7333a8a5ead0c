"""What is known before a column is measured: roles, schemas and pinned kinds."""

from __future__ import annotations

from collections.abc import Mapping

from gate.domain.candidate import Candidate, Signature
from gate.domain.columns import Kind, Schema
from gate.domain.scope import Roles, Scope
from gate.policy.draft import UNNAMED
from gate.policy.model import Columns, Policy

_KIND_OF_SIGNATURE_TYPE: Mapping[str, Kind] = {
    "boolean": Kind.CATEGORICAL,
    "string": Kind.CATEGORICAL,
    "integer": Kind.NUMERIC,
    "long": Kind.NUMERIC,
    "float": Kind.NUMERIC,
    "double": Kind.NUMERIC,
    "datetime": Kind.TIMESTAMP,
}


def scope_of(
    policy: Policy, candidate: Candidate, champion: Candidate | None, reference: Schema, current: Schema
) -> Scope:
    """Put together what checks may know."""
    columns = policy.data.columns
    confidence = policy.defaults.confidence
    return Scope(
        task=policy.task,
        roles=_roles(policy, columns),
        reference=reference,
        current=current,
        kinds=pinned_kinds(columns, candidate.signature, reference, current),
        signature=candidate.signature,
        owner="" if policy.owner in (None, UNNAMED) else policy.owner,
        has_champion=champion is not None,
        champion_when_missing=policy.champion.when_missing if policy.champion else "hold",
        confidence=None if confidence == "point" else confidence,
        min_rows=policy.defaults.min_rows,
    )


def _roles(policy: Policy, columns: Columns) -> Roles:
    champion = policy.champion.predictions if policy.champion else None
    return Roles(
        target=columns.target,
        prediction=columns.prediction,
        positive=columns.positive,
        score=columns.score,
        scores=dict(columns.scores or {}),
        threshold=columns.threshold,
        timestamp=columns.timestamp,
        key=columns.key,
        segments=tuple(columns.segments or ()),
        ignore=tuple(columns.ignore or ()),
        champion_prediction=champion.prediction if champion else None,
        champion_score=champion.score if champion else None,
    )


def pinned_kinds(columns: Columns, signature: Signature | None, reference: Schema, current: Schema) -> dict[str, Kind]:
    """Pin the kind of every column: the policy's word, else the signature's, else the storage type's.

    The reference's storage counts before the current side's, so that a feed cannot redefine a column.
    """
    kinds = {column.name: column.kind for side in (current, reference) for column in side}
    stored_other = {name for name, kind in kinds.items() if kind is Kind.OTHER}
    for column in signature.inputs if signature else ():
        kind = _KIND_OF_SIGNATURE_TYPE.get(column.type)
        if kind is not None and column.name in kinds and column.name not in stored_other:
            kinds[column.name] = kind
    kinds.update(dict.fromkeys(columns.numeric or (), Kind.NUMERIC))
    kinds.update(dict.fromkeys(columns.categorical or (), Kind.CATEGORICAL))
    return kinds
