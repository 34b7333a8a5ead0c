"""The MLmodel file: the signature that a model declares, read without MLflow's numpy-dependent parts."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import yaml

from gate.domain.candidate import Signature, SignatureColumn
from gate.errors import CandidateError


def read_signature(mlmodel: bytes, place: str) -> Signature | None:
    """Read the signature of an MLmodel file; None if the model declares none.

    MLmodel is YAML written by the training code, and the schemas in it are JSON inside strings. Tensor schemas and
    unnamed columns have no names to hold data against, and are kept empty.

    Raises:
        CandidateError: the file or a schema in it is not what MLflow writes.
    """
    try:
        document = yaml.load(mlmodel, Loader=_StrictLoader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise CandidateError(f"{place}: MLmodel is not readable YAML: {why[:300]}") from error
    if not isinstance(document, dict):
        raise CandidateError(f"{place}: MLmodel holds no fields")
    signature = document.get("signature")
    if signature is None:
        return None
    if not isinstance(signature, dict):
        raise CandidateError(f"{place}: the signature in MLmodel is not a mapping")
    return Signature(_columns(signature, "inputs", place), _columns(signature, "outputs", place))


def _columns(signature: dict[Any, Any], side: str, place: str) -> tuple[SignatureColumn, ...]:
    text = signature.get(side)
    if text is None:
        return ()
    try:
        schema = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (TypeError, ValueError, RecursionError) as error:
        raise CandidateError(f"{place}: the signature's {side} are not readable JSON") from error
    if not isinstance(schema, list) or not all(isinstance(column, dict) for column in schema):
        raise CandidateError(f"{place}: the signature's {side} are not a list of columns")
    if any(column.get("type") == "tensor" or column.get("name") is None for column in schema):
        return ()
    columns = tuple(_column(column, side, place) for column in schema)
    if len({column.name for column in columns}) != len(columns):
        raise CandidateError(f"{place}: the signature's {side} name a column twice")
    return columns


def _column(column: dict[str, Any], side: str, place: str) -> SignatureColumn:
    name, kind = column["name"], column.get("type")
    # MLflow 2.5 and older wrote `optional` where `required` stands now.
    required = column.get("required", not column.get("optional", False))
    if not (isinstance(name, str) and isinstance(kind, str) and isinstance(required, bool)):
        raise CandidateError(f"{place}: a column of the signature's {side} lacks a name, a type or a plain `required`")
    return SignatureColumn(name, kind, required)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key standing twice: which of two signatures is meant nobody could say.

    The pure Python one, for the one in C crashes the process on a hundred thousand opening brackets.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable) or key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
