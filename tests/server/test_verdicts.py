"""`/v1/verdicts` and the newest verdict on a version: verbatim, with an ETag, a page at a time."""

from __future__ import annotations

import json
import sqlite3
import threading
from uuid import uuid4

import pytest

from gate.domain.verdict import Decision
from gate.server import verdicts


@pytest.fixture
def judged(gate, name):
    """A verdict with the document that was stored."""
    return gate.service.judge(name=name())


def test_a_verdict_is_the_document_as_it_was_stored(gate, judged):
    answer = gate.get(f"/v1/verdicts/{judged['id']}")
    assert answer.status_code == 200
    assert json.loads(answer.text, object_pairs_hook=list) == json.loads(json.dumps(judged), object_pairs_hook=list)
    assert answer.headers["etag"] == f'"{judged["digest"]}"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", "*", '"other", {tag}', 'W/"x",{tag}'])
def test_who_has_it_already_is_told_so(gate, judged, form):
    tag = f'"{judged["digest"]}"'
    answer = gate.get(f"/v1/verdicts/{judged['id']}", headers={"If-None-Match": form.format(tag=tag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("form", ['"other"', "", "sha256:ab", '"' + "x" * 5000 + '"'])
def test_who_has_another_one_gets_it(gate, judged, form):
    answer = gate.get(f"/v1/verdicts/{judged['id']}", headers={"If-None-Match": form})
    assert (answer.status_code, answer.json()) == (200, judged)


def test_the_beginning_of_an_id_will_do(gate, judged):
    assert gate.get(f"/v1/verdicts/{judged['id'][:13]}").json() == judged


def test_a_beginning_that_several_have_is_refused(gate, name, problem):
    begins = uuid4().hex[:8]
    for rest in ("aaaa", "bbbb"):
        gate.service.judge(name=name(), id=f"{begins}-{rest}")
    problem(gate.get(f"/v1/verdicts/{begins}"), "ambiguous-id", 409, "Several verdicts begin so",
            f"verdict '{begins}': several begin so; write more of the id")  # fmt: skip


@pytest.mark.parametrize(
    "verdict_id", ["abc", "%25%25%25%25", "____%00", "a" * 65, "..%2F..%2Fetc", "%E2%80%AE1234", "' OR ''='"]
)
@pytest.mark.parametrize("rest", ["", "/report"])
def test_what_is_no_id_is_not_found(gate, verdict_id, rest):
    answer = gate.get(f"/v1/verdicts/{verdict_id}{rest}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gate:problem:not-found")


def test_a_verdict_that_nobody_gave_is_not_found(gate, problem):
    for rest in ("", "/report"):
        problem(gate.get(f"/v1/verdicts/0000-nobody{rest}"), "not-found", 404, "There is nothing here",
                "verdict 0000-nobody: there is none here")  # fmt: skip


def test_a_verdict_that_was_changed_in_the_database_is_not_shown(another_gate, problem):
    gate = another_gate()
    document = gate.service.judge()
    with sqlite3.connect(gate.service.settings.home / "gate.db") as connection:
        connection.execute("UPDATE verdicts SET document = replace(document, '\"hold\"', '\"promote\"')")
    connection.close()
    detail = "the stored verdict does not match its digest; the log names it"
    problem(
        gate.get(f"/v1/verdicts/{document['id']}"), "verdict-damaged", 500, "The stored verdict was changed", detail
    )
    problem(gate.get("/v1/verdicts"), "verdict-damaged", 500, "The stored verdict was changed", detail)


def test_a_page_is_written_in_a_thread_and_not_on_the_event_loop(gate, monkeypatch):
    threads, write = [], verdicts.answer_plain
    monkeypatch.setattr(
        verdicts,
        "answer_plain",
        lambda *words, **more: threads.append(threading.current_thread().name) or write(*words, **more),
    )
    assert gate.get("/v1/verdicts").status_code == 200
    assert [name.rpartition("_")[0] for name in threads] == ["gate-http"]


def test_a_list_is_newest_first_and_can_be_narrowed(gate, name):
    model = name()
    first = gate.service.judge(name=model, version="1")
    second = gate.service.judge(name=model, version="2", decision=Decision.PROMOTE)
    third = gate.service.judge(name=model, version="2", stage="live")

    def listed(**asked):
        page = gate.get("/v1/verdicts", params={"model": model, **asked}).json()
        assert page["next"] is None
        return page["items"]

    assert listed() == [third, second, first]
    assert listed(version="2") == [third, second]
    assert listed(version="2", stage="live") == [third]
    assert listed(decision="promote") == [second]
    assert listed(decision="hold") == [third, first]


def test_walking_the_pages_while_new_ones_come_shows_each_once(gate, name):
    model = name()
    made = [gate.service.judge(name=model, version=str(number))["id"] for number in range(1, 6)]
    seen, path = [], f"/v1/verdicts?model={model}&limit=2"
    while path:
        answer = gate.get(path)
        seen += [item["id"] for item in answer.json()["items"]]
        gate.service.judge(name=model, version="9")
        path = answer.links.get("next", {}).get("url")
    assert seen == made[::-1]


@pytest.mark.parametrize(
    "query", ["decision=maybe", "version=0", "version=1e3", "stage=a%20b", "limit=0", "x=1", "before="]
)
def test_what_a_list_is_not_asked_for(gate, query):
    answer = gate.get(f"/v1/verdicts?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gate:problem:invalid-request")


def test_the_files_of_a_report_are_listed(gate, judged):
    answer = gate.get(f"/v1/verdicts/{judged['id'][:13]}/report")
    assert answer.json() == {
        "files": [{"name": "index.html", "url": f"/v1/verdicts/{judged['id']}/report/index.html"}]
    }  # fmt: skip
    assert gate.get(answer.json()["files"][0]["url"]).content == b"<p>drawn</p>"


def test_the_newest_verdict_on_a_version_is_found_by_its_stage(gate, name, problem):
    model = name()
    gate.service.judge(name=model, version="1")
    pilot = gate.service.judge(name=model, version="1")
    live = gate.service.judge(name=model, version="1", stage="live")
    gate.service.judge(name=model, version="2")
    path = f"/v1/models/{model}/versions/1/verdict"
    assert gate.get(path).json() == live
    assert gate.get(path, params={"stage": "pilot"}).json() == pilot
    assert gate.get(path, headers={"If-None-Match": f'"{live["digest"]}"'}).status_code == 304
    problem(gate.get(path, params={"stage": "shadow"}), "not-found", 404, "There is nothing here",
            f"a verdict on models:/{model}/1 in stage shadow: there is none here")  # fmt: skip


@pytest.mark.parametrize("path", ["x/versions/0", "x/versions/latest", "x/versions/1%00", "%00/versions/1",
                                  "a%0Ab/versions/1",
                                  "x" * 300 + "/versions/1", "nobody/versions/1"])  # fmt: skip
def test_a_version_that_was_never_judged_is_not_found(gate, path):
    answer = gate.get(f"/v1/models/{path}/verdict")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gate:problem:not-found")
