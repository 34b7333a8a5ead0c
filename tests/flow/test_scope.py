"""Kinds are pinned by the policy, else the signature, else the storage of the reference; never by values."""

from __future__ import annotations

from gate.domain.candidate import Signature, SignatureColumn
from gate.domain.columns import Column, Kind, Schema
from gate.flow.scope import pinned_kinds
from gate.policy.model import Columns


def schema(**types: Kind) -> Schema:
    return Schema(tuple(Column(name, "T", kind) for name, kind in types.items()))


def test_the_storage_of_the_reference_counts_before_that_of_the_current_side():
    kinds = pinned_kinds(Columns(), None, schema(a=Kind.NUMERIC), schema(a=Kind.CATEGORICAL, b=Kind.CATEGORICAL))
    assert kinds == {"a": Kind.NUMERIC, "b": Kind.CATEGORICAL}


def test_the_signature_counts_before_the_storage():
    signature = Signature((SignatureColumn("code", "string"), SignatureColumn("gone", "double")))
    assert pinned_kinds(Columns(), signature, schema(code=Kind.NUMERIC), schema()) == {"code": Kind.CATEGORICAL}


def test_the_policy_counts_before_the_signature():
    signature = Signature((SignatureColumn("season", "long"),))
    columns = Columns(categorical=("season",))
    assert pinned_kinds(columns, signature, schema(season=Kind.NUMERIC), schema()) == {"season": Kind.CATEGORICAL}


def test_a_nested_column_is_never_measured_because_a_signature_says_so():
    signature = Signature((SignatureColumn("tags", "string"),))
    assert pinned_kinds(Columns(), signature, schema(tags=Kind.OTHER), schema()) == {"tags": Kind.OTHER}
