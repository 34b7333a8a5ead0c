"""For tests of checks: scopes without data, and one check judged on answers that the test gives.

judgements = judge_one("missing_share", {"max": 0.05}, Measured(0.3, 1000, "count"), a_scope({"occupation": "VARCHAR"}))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gate.checks.catalog import check_kinds
from gate.checks.contract import Check
from gate.domain.columns import Column, Kind, Schema
from gate.domain.evidence import Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Need
from gate.domain.scope import Roles, Scope

_KINDS = {"VARCHAR": Kind.CATEGORICAL, "BOOLEAN": Kind.CATEGORICAL, "DOUBLE": Kind.NUMERIC, "BIGINT": Kind.NUMERIC,
          "TIMESTAMP": Kind.TIMESTAMP}  # fmt: skip


def a_schema(types: Mapping[str, str]) -> Schema:
    """Make a schema of DuckDB's type names; a type that is not one of the common five is not measured."""
    return Schema(tuple(Column(name, type_, _KINDS.get(type_, Kind.OTHER)) for name, type_ in types.items()))


def a_scope(
    types: Mapping[str, str], *, current: Mapping[str, str] | None = None, roles: Roles | None = None, **fields: Any
) -> Scope:
    """Make a scope of a regression whose sides have the same columns, unless `current` says otherwise."""
    reference, now = a_schema(types), a_schema(types if current is None else current)
    kinds = {column.name: column.kind for side in (now, reference) for column in side}
    fields = {"task": "regression", "kinds": kinds, **fields}
    return Scope(roles=roles or Roles(), reference=reference, current=now, **fields)


def a_check(kind: str, fields: Mapping[str, Any]) -> Check:
    """Load a check as a policy does: from plain values, strictly."""
    return check_kinds()[kind].model_validate_json(json.dumps({"check": kind, **fields}))


def judge_one(
    kind: str, fields: Mapping[str, Any], answer: Reading | Callable[[Need], Reading], scope: Scope
) -> tuple[Judgement, ...]:
    """Load a check, answer each of its needs (with one reading, or by a function of the need), and judge."""
    check = a_check(kind, fields)
    answers = {need: answer(need) if callable(answer) else answer for need in check.needs(scope)}
    return check.judge(answers, scope)


def a_number(value: float, rows: int = 1_000, **fields: Any) -> Measured:
    """Make a measured number without an interval."""
    return Measured(value, rows, fields.pop("method", "count"), **fields)
