"""The OpenAPI document: valid, complete, with an example for everything, and true."""

from __future__ import annotations

import json

import jsonschema
import pytest
from openapi_spec_validator import validate

from gate.domain.evaluation import State
from gate.server.problem import CATALOGUE


@pytest.fixture(scope="module")
def document(gate):
    return gate.get("/v1/openapi.json").json()


def operations(document):
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def resolved(document, schema):
    """The schema with the components that it may name."""
    return {**schema, "components": document["components"]}


def test_the_document_is_valid(document):
    validate(document)
    assert document["openapi"] == "3.1.0"


def test_the_document_is_written_once(gate, monkeypatch):
    written = gate.get("/v1/openapi.json").content
    monkeypatch.setattr("gate.server.app.json.dumps", lambda *_words, **_more: pytest.fail("it is written again"))
    assert gate.app.openapi_bytes is gate.app.openapi_bytes
    assert gate.app.openapi_bytes == written


def test_every_operation_has_a_name_words_and_a_tag_of_its_own_kind(document):
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name, operation in operations(document):
        assert operation["summary"], name
        assert set(operation["tags"]) <= tags, name
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], name


def test_every_answer_has_an_example_that_is_what_the_schema_says(document):
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            assert "X-Request-Id" in answer["headers"], (name, status)
            for media_type, media in answer.get("content", {}).items():
                if "/report/{name}" in name and status == "200":
                    continue  # a file is what it is
                schema = resolved(document, media["schema"])
                examples = [one["value"] for one in media.get("examples", {}).values()]
                examples += [media["example"]] if "example" in media else []
                if media["schema"].get("$ref") != "#/components/schemas/Verdict":
                    assert examples, (name, status, media_type)
                for example in examples:
                    jsonschema.validate(example, schema)


def test_every_request_body_has_examples_that_are_accepted(document, gate):
    media = document["paths"]["/v1/evaluations"]["post"]["requestBody"]["content"]["application/json"]
    for example in media["examples"].values():
        jsonschema.validate(example["value"], resolved(document, media["schema"]))
        assert gate.client.post("/v1/evaluations", json=example["value"]).status_code == 202


def test_every_problem_of_an_operation_is_in_the_catalogue_under_its_status(document):
    told = set()
    for _, operation in operations(document):
        for status, answer in operation["responses"].items():
            for word, example in (
                answer.get("content", {}).get("application/problem+json", {}).get("examples", {}).items()
            ):
                assert CATALOGUE[word].status == int(status) == example["value"]["status"]
                told.add(word)
    general = {"method-not-allowed"}  # an address that is in no operation
    assert told | general == {kind.word for kind in CATALOGUE.values() if kind.status}


def test_a_real_verdict_and_real_evaluations_are_what_the_document_says(document, gate, name):
    model = name()
    made = {state: gate.new(model)["id"] for state in State}
    gate.service.begin(made[State.RUNNING])
    gate.service.note(made[State.RUNNING], "phase", name="registry", detail="")
    gate.service.begin(made[State.DONE])
    verdict = gate.service.judge(made[State.DONE], name=model)
    gate.service.fail(made[State.ERROR])
    gate.client.delete(f"/v1/evaluations/{made[State.CANCELLED]}")
    for state, one in made.items():
        found = gate.get(f"/v1/evaluations/{one}").json()
        assert found["state"] == state
        jsonschema.validate(found, resolved(document, {"$ref": "#/components/schemas/Evaluation"}))
    jsonschema.validate(verdict, resolved(document, {"$ref": "#/components/schemas/Verdict"}))


def test_the_document_holds_no_address_of_anybody(document):
    assert "servers" not in document
    assert "http://" not in json.dumps(document)


def test_no_parameter_is_ever_null(document):
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "anyOf" not in parameter["schema"], (name, parameter["name"])
            assert "null" not in json.dumps(parameter["schema"]), (name, parameter["name"])
