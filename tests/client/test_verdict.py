"""A verdict is believed only if it is whole, true to its digest, and about what was asked."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from wire import DOCUMENTS, ID, verdict

from gate.client import verdict as module
from gate.client.verdict import Asked, Finding, Shape, checked, rule
from gate.domain.candidate import ModelRef
from gate.errors import ServerError
from gate.flow.document import digest_of

NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))
SCHEMA = json.loads(Path(module.__file__).parents[1].joinpath("flow", "verdict.schema.json").read_text("utf-8"))
NOW = datetime(2026, 11, 27, tzinfo=UTC)
ASKED = Asked(ID, ModelRef("bike-demand", "2"), enforced=True)


def bytes_of(document: object) -> bytes:
    return json.dumps(document).encode()


def refusal_of(document: object) -> str:
    with pytest.raises(ServerError) as error:
        checked(document if isinstance(document, bytes) else bytes_of(document), "it")
    return str(error.value)


@pytest.mark.parametrize("name", NAMES)
def test_every_document_of_gate_is_whole(name: str):
    document = json.loads((DOCUMENTS / f"{name}.json").read_text("utf-8"))
    assert checked(bytes_of(document), "it") == document


def names_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("model", "place"),
    [(Shape, SCHEMA), (Finding, SCHEMA["$defs"]["finding"]), (module.Side, SCHEMA["$defs"]["side"]),
     *((getattr(module, name.capitalize()), SCHEMA["properties"][name])
       for name in ("model", "champion", "policy", "data", "summary"))],
)  # fmt: skip
def test_the_shape_asks_for_what_the_schema_asks_for(model: type[BaseModel], place: dict):
    required = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    assert required == set(place["required"])
    assert names_of(model) == set(place.get("properties", required)) | required


@pytest.mark.parametrize("key", [key for key in SCHEMA["required"] if key not in ("schema", "digest")])
def test_a_document_that_lacks_anything_is_not_whole(key: str):
    document = verdict()
    del document[key]
    document["digest"] = digest_of(document)
    if key == "timings_seconds":
        assert refusal_of(document) == "it is not whole: timings_seconds: Field required"
    else:
        assert refusal_of(document).startswith(f"it is not whole: {key}: ")


def test_a_document_that_was_changed_is_not_believed():
    document = verdict("hold-failed")
    assert refusal_of(document | {"decision": "promote", "cause": None}) == (
        "it was changed on its way (its digest does not match)"
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "it is not whole: Expecting value: line 1 column 1 (char 0)"),
        (b"\xff", "it is not whole: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[" * 100_000, "it is not whole: maximum recursion depth exceeded while decoding a JSON array"),
        (b'{"schema": NaN}', "it is not whole: NaN is no number of JSON"),
        (b'{"id": 1, "id": 2}', "it is not whole: a key stands there twice"),
        (b"[]", "it is no verdict (gate.verdict/v1)"),
        (b'{"schema": "gate.verdict/v2"}', "it is no verdict (gate.verdict/v1)"),
        (b'{"schema": "gate.verdict/v1", "x": 1e400}', "it cannot be digested: inf is not representable in JCS"),
        (bytes_of(verdict())[:-20], "it is not whole: Unterminated string starting at: "),
    ],
)  # fmt: skip
def test_what_is_no_document_says_why(content: bytes, text: str):
    assert refusal_of(content).startswith(text)


def finding(**changes: object) -> dict:
    return deepcopy(verdict()["findings"][0]) | changes


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cause": "failed"}, "it says promote for the cause failed"),
        ({"decision": "hold"}, "it says hold for the cause None"),
        ({"findings": []}, "it promotes without anything that decides"),
        ({"findings": [finding(severity="info", status="fail")]}, "it promotes without anything that decides"),
        ({"findings": [finding(check="x", status="fail")]}, "it promotes although x stands in the way"),
        ({"findings": [finding(check="x", status="insufficient")]}, "it promotes although x stands in the way"),
        ({"findings": [finding(check="x", status="error", waived=True)]}, "it promotes although x stands in the way"),
        ({"findings": [finding(check="x", status="fail", waived=True, severity="blocker")]},
         "it promotes although x stands in the way"),
    ],
)  # fmt: skip
def test_a_promotion_that_contradicts_itself_is_none(changes: dict, text: str):
    assert refusal_of(verdict(**changes)) == f"it contradicts itself: {text}"


def test_a_waived_finding_and_a_warning_let_through():
    findings = [finding(status="fail", waived=True), finding(status="warn"), finding(status="error", severity="info")]
    assert rule(checked(bytes_of(verdict(findings=findings)), "it"), ASKED, "it", NOW).exit_code == 0


@pytest.mark.parametrize(
    ("name", "code"), [("promote", 0), ("hold-failed", 1), ("hold-insufficient", 3), ("hold-error", 4)]
)
def test_the_exit_code_is_that_of_the_process(name: str, code: int):
    document = verdict(name)
    asked = replace(ASKED, model=ModelRef(document["model"]["name"], document["model"]["version"]))
    assert rule(document, asked, "it", NOW).exit_code == code
    assert rule(document | {"enforced": False}, replace(asked, enforced=False), "it", NOW).exit_code == (
        4 if code == 4 else 0
    )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (replace(ASKED, verdict_id="other-id"), f"id is {ID!r}, expected 'other-id'"),
        (replace(ASKED, model=ModelRef("income", "2")), "model is 'bike-demand', expected 'income'"),
        (replace(ASKED, model=ModelRef("bike-demand", "3")), "version is '2', expected '3'"),
        (replace(ASKED, enforced=False), "enforced is True, expected False"),
        (replace(ASKED, stage="shadow"), "stage is 'pilot', expected 'shadow'"),
        (replace(ASKED, overridden=True), "overridden is False, expected True"),
        (replace(ASKED, decision="hold"), "decision is 'promote', expected 'hold'"),
    ],
)
def test_a_verdict_about_something_else_is_none(asked: Asked, text: str):
    with pytest.raises(ServerError) as error:
        rule(verdict(), asked, "it", NOW)
    assert str(error.value) == f"it: the verdict is not the one that was asked for: {text}"


def test_an_alias_is_answered_by_any_version():
    assert rule(verdict(), replace(ASKED, model=ModelRef("bike-demand", alias="challenger")), "it", NOW).exit_code == 0


def test_an_exit_code_that_the_verdict_does_not_bear_out_is_odd():
    with pytest.raises(ServerError) as error:
        rule(verdict(), replace(ASKED, exit_code=1), "it", NOW)
    assert str(error.value) == "it: the evaluation says exit code 1, its verdict says 0"


def test_a_promotion_is_good_until_it_is_stale():
    document = verdict(valid_until="2026-11-27T00:00:01Z")
    assert rule(document, ASKED, "it", NOW).exit_code == 0
    with pytest.raises(ServerError) as error:
        rule(verdict(valid_until="2026-11-27T00:00:00Z"), ASKED, "it", NOW)
    assert str(error.value) == "it: the verdict was valid until 2026-11-27T00:00:00Z: ask again with gate check"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["promote", "hold", "pass", "fail", "major", "info", "failed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: object, at: tuple = ()) -> list[tuple]:
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


@given(st.data(), st.sampled_from(NAMES), st.booleans())
def test_however_a_document_is_changed_only_a_promotion_reads_as_one(data: st.DataObject, name: str, is_true: bool):
    """With its digest made true again, as a server with a bug might, or not, as an accident on the way would."""
    document = verdict(name)
    before = deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(document)))
        inside = document
        for key in way:
            inside = inside[key]
        inside[last] = data.draw(JSON)
        if not isinstance(document.get("findings"), list):
            break
    try:
        if is_true:
            document["digest"] = digest_of(document)
        code = rule(checked(bytes_of(document), "it"), ASKED, "it", NOW).exit_code
    except (ServerError, ValueError, TypeError, RecursionError):
        return
    if code == 0:
        assert document["decision"] == "promote"
        assert document["enforced"] is True
        assert (document["model"]["name"], document["model"]["version"]) == ("bike-demand", "2")
        assert is_true or {**before, "timings_seconds": 0} == {**document, "timings_seconds": 0}
        held = [one for one in document["findings"] if one["severity"] != "info" and not one["waived"]
                and one["status"] not in ("pass", "warn")]  # fmt: skip
        assert not held


@given(st.binary(max_size=300))
def test_bytes_are_no_verdict(content: bytes):
    with pytest.raises(ServerError):
        checked(content, "it")
