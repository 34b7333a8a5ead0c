"""Signatures from MLmodel files: what MLflow writes is read, what training code could forge is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.candidate import Signature, SignatureColumn
from gate.errors import CandidateError
from gate.registry.mlmodel import read_signature


def mlmodel(inputs: object, outputs: object = None) -> bytes:
    sides = {"inputs": inputs, "outputs": outputs}
    texts = {side: json.dumps(schema) for side, schema in sides.items() if schema is not None}
    return yaml.safe_dump({"flavors": {}, "signature": texts | {"params": None}}).encode()


def column(name: str, kind: str = "double", **more: object) -> dict[str, object]:
    return {"name": name, "type": kind} | more


def test_columns_come_in_order_with_type_and_whether_they_are_required():
    inputs = [column("b", required=True), column("a", "string", required=False), column("c", "array", items={})]
    assert read_signature(mlmodel(inputs, [column("y", "long")]), "m") == Signature(
        inputs=(SignatureColumn("b", "double"), SignatureColumn("a", "string", False), SignatureColumn("c", "array")),
        outputs=(SignatureColumn("y", "long"),),
    )


def test_optional_is_what_older_releases_wrote():
    signature = read_signature(mlmodel([column("a", optional=True)]), "m")
    assert signature == Signature((SignatureColumn("a", "double", False),))


@pytest.mark.parametrize(
    "schema",
    [[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}], [{"type": "double"}], []],
)
def test_a_side_without_names_is_empty(schema):
    assert read_signature(mlmodel(schema), "m") == Signature(())


@pytest.mark.parametrize("text", [b"flavors: {}\n", b"signature: null\n"])
def test_a_model_without_a_signature_has_none(text):
    assert read_signature(text, "m") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "MLmodel holds no fields"),
        (b"- signature\n", "MLmodel holds no fields"),
        (b"signature: yes\n", "the signature in MLmodel is not a mapping"),
        (b"signature: {inputs: 7}\n", "the signature's inputs are not readable JSON"),
        (b"signature: {inputs: '[{'}\n", "the signature's inputs are not readable JSON"),
        (b"signature: {inputs: '[NaN]'}\n", "the signature's inputs are not readable JSON"),
        (
            b"""signature: {inputs: '[{"name": "a", "name": "b", "type": "long"}]'}\n""",
            "the signature's inputs are not readable JSON",
        ),
        (b"signature: {inputs: '" + b"[" * 50_000 + b"'}\n", "the signature's inputs are not readable JSON"),
        (b"signature: {inputs: '{}'}\n", "the signature's inputs are not a list of columns"),
        (b"signature: {outputs: '[1]'}\n", "the signature's outputs are not a list of columns"),
        (mlmodel([column("a"), column("a")]), "the signature's inputs name a column twice"),
        (
            mlmodel([column("a", 7)]),  # type: ignore[arg-type]
            "a column of the signature's inputs lacks a name, a type or a plain `required`",
        ),
        (
            mlmodel([column("a", required="no")]),
            "a column of the signature's inputs lacks a name, a type or a plain `required`",
        ),
    ],
)
def test_what_mlflow_would_not_write_is_refused(text, said):
    with pytest.raises(CandidateError) as caught:
        read_signature(text, "models:/m/1")
    assert str(caught.value) == f"models:/m/1: {said}"


@pytest.mark.parametrize(
    "text",
    [
        b"a: [\n",
        b"\xff\xfe\xff",
        b"signature: {}\nsignature: {}\n",
        b"? [a, b]\n: 1\n? {a: b}\n: 2\n",
        b"a: !!python/object/apply:os.system ['true']\n",
        b"[" * 1_000,
        b"a: " + b"9" * 5_000,
    ],
)
def test_yaml_that_is_broken_ambiguous_or_hostile_is_refused(text):
    with pytest.raises(CandidateError, match=r"^m: MLmodel is not readable YAML: .{1,300}$"):
        read_signature(text, "m")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_parse_or_be_refused(text):
    with contextlib.suppress(CandidateError):
        assert isinstance(read_signature(text, "m"), Signature | None)
