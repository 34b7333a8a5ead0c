"""The JSON Schema of the verdict: real documents fit it, and it notices what must not be."""

from __future__ import annotations

import copy
import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gate.flow.document import digest_of

SCHEMA = json.loads((files("gate.flow") / "verdict.schema.json").read_text(encoding="utf-8"))
DOCUMENTS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "cli" / "documents").glob("*.json"))
}


def problems(document: object) -> list[str]:
    return [error.json_path for error in Draft202012Validator(SCHEMA).iter_errors(document)]


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_sample_documents_fit_and_carry_their_digest(name):
    assert problems(DOCUMENTS[name]) == []
    assert digest_of(DOCUMENTS[name]) == DOCUMENTS[name]["digest"]


def test_unknown_keys_are_allowed():
    assert problems(DOCUMENTS["promote"] | {"signature": "later"}) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda d: d.update(decision="maybe"), "$.decision"),
        (lambda d: d.update(decision="promote"), "$.cause"),
        (lambda d: d.update(cause=None), "$.cause"),
        (lambda d: d.pop("digest"), "$"),
        (lambda d: d["model"].update(digest="sha256:short"), "$.model.digest"),
        (lambda d: d.update(evaluated_at="2026-11-22 12:00"), "$.evaluated_at"),
        (lambda d: d["findings"][0].update(reason=""), "$.findings[0].reason"),
        (lambda d: d["findings"][0].update(status="skipped"), "$.findings[0].status"),
        (lambda d: d["findings"][0].update(severity="blocker", waived=True), "$.findings[0].waived"),
        (lambda d: d["findings"][0].update(interval=[0.1]), "$.findings[0].interval"),
        (lambda d: d["findings"][0].update(limit={}), "$.findings[0].limit"),
        (lambda d: d["data"]["current"].update(rows=-1), "$.data.current.rows"),
    ],
)
def test_what_must_not_be_is_noticed(change, where):
    document = copy.deepcopy(DOCUMENTS["hold-failed"])
    change(document)
    assert where in problems(document)
