"""`/v1/evaluations`: asking, waiting, cancelling, asking again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import text

from gate.domain.evaluation import State
from gate.domain.verdict import Cause, Decision
from gate.errors import PolicyError, Problem, TooBusyError
from gate.flow.submit import evaluation_id

NOBODY = "00000000-0000-5000-8000-000000000000"


def test_a_request_is_accepted_and_is_on_disk_and_in_line(gate, name):
    model = name()
    answer = gate.client.post(
        "/v1/evaluations", json={"model": f"models:/{model}/3"}, headers={"Idempotency-Key": f"ci {model}"}
    )
    made = evaluation_id("anonymous", f"ci {model}")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/evaluations/{made}"
    assert answer.headers["idempotency-key"] == f"ci {model}"
    body = answer.json()
    times = {key: body.pop(key) for key in ("created_at", "expires_at")}
    assert times["created_at"] < times["expires_at"]
    assert body == {
        "id": made, "state": "queued", "model": f"models:/{model}/3", "model_name": model, "stage": None,
        "report_only": False, "trigger": "api", "started_at": None, "finished_at": None, "tries": 0, "retry_of": None,
        "verdict_id": None, "verdict_url": None, "decision": None, "exit_code": None, "trouble": None, "phase": None,
        "links": {"self": f"/v1/evaluations/{made}", "events": f"/v1/evaluations/{made}/events", "verdict": None,
                  "page": f"/evaluations/{made}"},
    }  # fmt: skip
    assert gate.service.evaluations.get(made).principal == "anonymous"
    assert (made, model) in gate.service.line.submitted


def test_everything_that_may_be_asked_is_recorded(gate, name):
    model = name()
    made = gate.new(
        model, stage="pilot", reference="a.parquet", current="日本/b.parquet", report_only=True, trigger="ci"
    )
    asked = gate.service.evaluations.get(made["id"]).submission
    assert (asked.stage, asked.reference, asked.current) == ("pilot", "a.parquet", "日本/b.parquet")
    assert (asked.enforced, str(asked.trigger), asked.policy) == (False, "ci", None)


def test_the_same_key_and_body_is_the_same_evaluation(gate, name):
    body, headers = {"model": f"models:/{name()}/3"}, {"Idempotency-Key": name()}
    first = gate.client.post("/v1/evaluations", json=body, headers=headers)
    again = gate.client.post("/v1/evaluations", json={**body, "stage": None}, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]


def test_without_a_key_each_request_is_another(gate, name):
    body = {"model": f"models:/{name()}/3"}
    first, second = (gate.client.post("/v1/evaluations", json=body) for _ in range(2))
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.json()["id"] != second.json()["id"]
    again = gate.client.post(
        "/v1/evaluations", json=body, headers={"Idempotency-Key": first.headers["idempotency-key"]}
    )
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_a_key_that_comes_with_another_body_is_refused_by_field(gate, name, problem):
    model, headers = name(), {"Idempotency-Key": name()}
    gate.client.post("/v1/evaluations", json={"model": f"models:/{model}/3"}, headers=headers)
    other = {"model": f"models:/{model}/4", "report_only": True}
    answer = gate.client.post("/v1/evaluations", json=other, headers=headers)
    differences = [
        f'model was "models:/{model}/3" and is "models:/{model}/4"',
        "enforced was true and is false",
    ]
    problem(
        answer, "key-reused", 409, "The Idempotency-Key names another request",
        f"this Idempotency-Key was used for another request: {'; '.join(differences)}", differences=differences,
    )  # fmt: skip


def test_many_who_send_one_key_at_once_get_one_evaluation(gate, name):
    body, headers = {"model": f"models:/{name()}/3"}, {"Idempotency-Key": name()}
    start = threading.Barrier(12)

    def ask(_: int) -> httpx.Response:
        start.wait()
        return httpx.post(f"{gate.client.base_url}/v1/evaluations", json=body, headers=headers, timeout=30)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize("key", ["k", "x" * 255, "!~", "a b"])
def test_a_key_is_1_to_255_printable_characters(gate, name, key):
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy-key/1"}, headers={"Idempotency-Key": key})
    assert answer.status_code in (200, 202)
    assert answer.headers["idempotency-key"] == key


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (b"x" * 256, "String should have at most 255 characters"),
        (b"", "String should have at least 1 character"),
        ("ü".encode(), "String should match pattern '^[!-~]([ -~]*[!-~])?$'"),
        (b"a\tb", "String should match pattern '^[!-~]([ -~]*[!-~])?$'"),
    ],
)
def test_another_key_is_refused(gate, problem, key, message):
    answer = gate.client.post(
        "/v1/evaluations", json={"model": "models:/toy-key/1"}, headers=[(b"Idempotency-Key", key)]
    )
    place = "header.Idempotency-Key"
    problem(answer, "invalid-request", 422, "The request is not right", f"{place}: {message}",
            errors=[{"place": place, "message": message}])  # fmt: skip


def test_two_keys_are_refused(gate, problem):
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy-key/1"}, headers=headers)
    message = "comes more than once; send it once"
    problem(answer, "invalid-request", 422, "The request is not right", f"header.Idempotency-Key: {message}",
            errors=[{"place": "header.Idempotency-Key", "message": message}])  # fmt: skip


def test_a_policy_that_comes_along_is_refused_where_the_server_takes_none(gate, problem):
    body = {"model": "models:/toy/1", "policy": {"file": "p.yaml", "text": "policy: gate/v1"}}
    answer = gate.client.post("/v1/evaluations", json=body)
    problem(
        answer, "client-policy-refused", 400, "This server judges by its own policies",
        "p.yaml: this server judges by its own policies alone; ask without --policy, or have it set "
        "client_policies: tighten",
    )  # fmt: skip


def test_a_wrong_policy_is_refused_with_everything_that_is_wrong(another_gate, problem):
    def refuse(*_args, **_named):
        raise PolicyError([Problem("p.yaml", 3, "b is wrong"), Problem("p.yaml", 1, "a is wrong")])

    gate = another_gate(change=lambda service: setattr(service, "submit", refuse))
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy/1"})
    problem(answer, "policy-error", 422, "The policy is wrong", "p.yaml:1: a is wrong\np.yaml:3: b is wrong",
            problems=["p.yaml:1: a is wrong", "p.yaml:3: b is wrong"])  # fmt: skip


def test_a_full_line_says_when_to_come_again(another_gate, problem):
    def refuse(*_args, **_named):
        raise TooBusyError(10_000, 30)

    gate = another_gate(change=lambda service: setattr(service, "submit", refuse))
    answer = gate.client.post("/v1/evaluations", json={"model": "models:/toy/1"})
    assert answer.headers["retry-after"] == "30"
    problem(answer, "too-many-requests", 429, "Too much waits already",
            "10,000 evaluations wait already; ask again in 30 s")  # fmt: skip


def test_an_evaluation_goes_from_queued_over_running_to_done(gate, name):
    model = name()
    made = gate.new(model)["id"]
    gate.service.begin(made)
    gate.service.note(made, "phase", name="registry", detail="models:/toy/1")
    gate.service.note(made, "phase", name="evidence", detail="")
    running = gate.get(f"/v1/evaluations/{made}").json()
    assert (running["state"], running["phase"], running["tries"]) == ("running", "evidence", 1)
    assert running["exit_code"] is None
    verdict = gate.service.judge(made, name=model)["id"]
    done = gate.get(f"/v1/evaluations/{made}").json()
    assert (done["state"], done["verdict_id"], done["phase"]) == ("done", verdict, None)
    assert (done["decision"], done["exit_code"], done["trouble"]) == ("hold", 1, None)
    assert done["verdict_url"] == f"/verdicts/{verdict}"
    assert done["links"]["verdict"] == f"/v1/verdicts/{verdict}"


@pytest.mark.parametrize(
    ("cause", "report_only", "code"),
    [
        (None, False, 0),
        (Cause.FAILED, False, 1),
        (Cause.AWAITING, False, 3),
        (Cause.INSUFFICIENT, False, 3),
        (Cause.ERROR, False, 4),
        (Cause.FAILED, True, 0),
        (Cause.INSUFFICIENT, True, 0),
        (Cause.ERROR, True, 4),
    ],
)
def test_the_exit_code_is_the_one_of_the_command_in_process(gate, name, cause, report_only, code):
    model = name()
    made = gate.new(model, report_only=report_only)["id"]
    gate.service.begin(made)
    decision = Decision.HOLD if cause else Decision.PROMOTE
    gate.service.judge(made, name=model, decision=decision, cause=cause, enforced=not report_only)
    assert gate.get(f"/v1/evaluations/{made}").json()["exit_code"] == code


def test_an_evaluation_that_ended_in_error_says_why(gate):
    made = gate.new()["id"]
    gate.service.begin(made)
    gate.service.fail(made, "policy-error", detail="toy.yaml:3: wrong", exit_code=2, problems=("toy.yaml:3: wrong",))
    found = gate.get(f"/v1/evaluations/{made}").json()
    assert (found["state"], found["exit_code"], found["decision"]) == ("error", 2, None)
    assert found["trouble"] == {
        "type": "urn:gate:problem:policy-error", "title": "The policy is wrong", "detail": "toy.yaml:3: wrong",
        "exit_code": 2, "problems": ["toy.yaml:3: wrong"],
    }  # fmt: skip


def test_half_a_character_in_a_trouble_breaks_no_answer(gate):
    made = gate.new()["id"]
    gate.service.begin(made)
    gate.service.fail(made, detail="\udcff.parquet")
    assert gate.get(f"/v1/evaluations/{made}").json()["trouble"]["detail"] == "?.parquet"


@pytest.mark.parametrize(
    "path",
    ["x", "..%2F..%2Fetc%2Fpasswd", "%00", "a" * 5000, "3F0C2A54-6E0B-5B64-8C1E-0D6F3A7B9C11", "%F0%9F%92%A9",
     NOBODY + "%0A", "' OR 1=1 --"],
)  # fmt: skip
def test_what_is_no_id_is_not_found(gate, path):
    for method, rest in (("GET", ""), ("GET", "/events"), ("DELETE", ""), ("POST", "/retry")):
        answer = gate.client.request(method, f"/v1/evaluations/{path}{rest}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:gate:problem:not-found"), method


def test_an_evaluation_that_nobody_asked_for_is_not_found(gate, problem):
    for method, rest in (("GET", ""), ("GET", "/events"), ("DELETE", ""), ("POST", "/retry")):
        answer = gate.client.request(method, f"/v1/evaluations/{NOBODY}{rest}")
        problem(answer, "not-found", 404, "There is nothing here", f"evaluation {NOBODY}: there is none here")


def test_waiting_ends_with_the_evaluation(gate, name):
    model = name()
    made = gate.new(model)["id"]
    gate.service.begin(made)
    ending = threading.Timer(0.3, lambda: gate.service.judge(made, name=model))
    ending.start()
    answer = gate.get(f"/v1/evaluations/{made}", params={"wait": 30})
    assert answer.json()["state"] == "done"
    ending.join()


def test_waiting_for_nothing_ends_in_time_with_the_state_as_it_is(gate):
    made = gate.new()["id"]
    assert gate.get(f"/v1/evaluations/{made}", params={"wait": 0.3}).json()["state"] == "queued"
    assert gate.get(f"/v1/evaluations/{made}", params={"wait": 0}).json()["state"] == "queued"


def test_what_is_over_is_not_waited_for(gate):
    made = gate.new()["id"]
    gate.service.fail(made)
    watched = len(gate.app.state.context.watch)
    assert gate.get(f"/v1/evaluations/{made}", params={"wait": 30}).json()["state"] == "error"
    assert len(gate.app.state.context.watch) == watched


@pytest.mark.parametrize(
    ("wait", "message"),
    [
        ("30.1", "Input should be less than or equal to 30"),
        ("-1", "Input should be greater than or equal to 0"),
        ("nan", "Input should be a finite number"),
        ("1e400", "Input should be a finite number"),
        ("soon", "Input should be a valid number, unable to parse string as a number"),
    ],
)
def test_nobody_waits_longer_than_half_a_minute(gate, problem, wait, message):
    answer = gate.get(f"/v1/evaluations/{NOBODY}?wait={wait}")
    problem(answer, "invalid-request", 422, "The request is not right", f"query.wait: {message}",
            errors=[{"place": "query.wait", "message": message}])  # fmt: skip


def test_a_hundred_who_wait_take_no_thread_and_hear_of_the_end(gate, name):
    model = name()
    made = gate.new(model)["id"]
    gate.service.begin(made)
    with ThreadPoolExecutor(100) as pool, httpx.Client(
        base_url=gate.client.base_url, timeout=60, limits=httpx.Limits(max_connections=100)
    ) as client:  # fmt: skip
        waiting = [pool.submit(client.get, f"/v1/evaluations/{made}?wait=30") for _ in range(100)]
        while len(gate.app.state.context.watch) < 100:
            assert gate.get("/v1/evaluations?limit=1").status_code == 200  # everybody else is answered meanwhile
        gate.service.judge(made, name=model)
        assert {answer.result().json()["state"] for answer in waiting} == {"done"}


def test_cancelling_ends_it_and_takes_it_out_of_the_line(gate):
    made = gate.new()["id"]
    answer = gate.client.delete(f"/v1/evaluations/{made}")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["exit_code"]) == ("cancelled", 4)
    assert made in gate.service.line.cancelled
    again = gate.client.delete(f"/v1/evaluations/{made}")
    assert (again.status_code, again.json()) == (200, answer.json())


def test_what_is_over_cannot_be_cancelled(gate, problem):
    made = gate.new()["id"]
    gate.service.fail(made)
    problem(gate.client.delete(f"/v1/evaluations/{made}"), "already-over", 409, "The evaluation is over",
            f"evaluation {made} is over already: it is error", state="error")  # fmt: skip


@pytest.mark.parametrize("end", [State.ERROR, State.CANCELLED])
def test_what_ended_without_a_verdict_is_tried_again_once_under_a_new_id(gate, end):
    made = gate.new()
    if end is State.ERROR:
        gate.service.fail(made["id"])
    else:
        gate.client.delete(f"/v1/evaluations/{made['id']}")
    first = gate.client.post(f"/v1/evaluations/{made['id']}/retry")
    again = gate.client.post(f"/v1/evaluations/{made['id']}/retry")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert first.json()["retry_of"] == made["id"]
    assert first.json()["id"] != made["id"]
    assert first.json()["model"] == made["model"]
    assert first.headers["location"] == f"/v1/evaluations/{first.json()['id']}"


def test_what_has_a_verdict_or_is_under_way_is_not_tried_again(gate, name, problem):
    model = name()
    made = gate.new(model)["id"]
    gate.service.begin(made)
    for state in ("running", "done"):
        answer = gate.client.post(f"/v1/evaluations/{made}/retry")
        detail = f"evaluation {made} is {state}; only one that ended in error or was cancelled can be tried again"
        problem(answer, "not-retryable", 409, "The evaluation cannot be tried again", detail, state=state)
        if state == "running":
            gate.service.judge(made, name=model)


def test_a_list_is_newest_first_and_can_be_narrowed(gate, name):
    model = name()
    made = [gate.new(model)["id"] for _ in range(3)]
    gate.service.fail(made[1])
    gate.client.delete(f"/v1/evaluations/{made[2]}")

    def listed(**asked):
        page = gate.get("/v1/evaluations", params={"model": model, **asked}).json()
        assert page["next"] is None
        return [item["id"] for item in page["items"]]

    assert listed() == made[::-1]
    assert listed(state="error") == [made[1]]
    assert listed(state=["error", "cancelled"]) == [made[2], made[1]]
    assert gate.get("/v1/evaluations", params={"model": "nobody's"}).json() == {"items": [], "next": None}


def test_walking_the_pages_while_new_ones_come_shows_each_once(gate, name):
    model = name()
    made = [gate.new(model)["id"] for _ in range(7)]
    seen, path = [], f"/v1/evaluations?model={model}&limit=2&state=queued"
    while path:
        answer = gate.get(path)
        seen += [item["id"] for item in answer.json()["items"]]
        gate.new(model)
        following = answer.links.get("next", {}).get("url")
        assert (following is None) == (answer.json()["next"] is None)
        if following:
            asked = parse_qs(urlsplit(following).query)
            assert asked == {"model": [model], "state": ["queued"], "limit": ["2"], "before": [answer.json()["next"]]}
            assert following.startswith("/v1/evaluations?")
        path = following
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("query", "place", "message"),
    [
        ("limit=0", "query.limit", "Input should be greater than or equal to 1"),
        ("limit=201", "query.limit", "Input should be less than or equal to 200"),
        ("limit=" + "9" * 5000, "query.limit", "Unable to parse input string as an integer, exceeded maximum size"),
        ("limit=1.5", "query.limit", "Input should be a valid integer, unable to parse string as an integer"),
        ("state=dead", "query.state.0", "Input should be 'queued', 'running', 'done', 'error' or 'cancelled'"),
        ("limt=5", "query.limt", "it is unknown; /v1/openapi.json lists what there is"),
        ("model=", "query.model", "String should have at least 1 character"),
        ("limit=1&limit=2", "query.limit", "comes more than once; send it once"),
        ("limit=1&%6cimit=2", "query.limit", "comes more than once; send it once"),
    ],
)
def test_what_a_list_is_not_asked_for(gate, problem, query, place, message):
    problem(gate.get(f"/v1/evaluations?{query}"), "invalid-request", 422, "The request is not right",
            f"{place}: {message}", errors=[{"place": place, "message": message}])  # fmt: skip


@pytest.mark.parametrize("cursor", ["x", "ZXZhbHVhdGlvbi4tMQ", "ZXZhbHVhdGlvbi4" + "5" * 60, "dmVyZGljdC4x", "A" * 512])
def test_a_cursor_that_is_none_is_refused(gate, cursor):
    answer = gate.get("/v1/evaluations", params={"before": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gate:problem:invalid-request")


def test_a_cursor_far_beyond_what_a_database_counts_is_refused(gate):
    import base64

    cursor = base64.urlsafe_b64encode(b"evaluation." + b"9" * 40).decode().rstrip("=")
    answer = gate.get("/v1/evaluations", params={"before": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gate:problem:invalid-request")


def test_people_are_sent_to_the_public_address_whatever_the_host_header_says(another_gate):
    gate = another_gate(GATE_PUBLIC_URL="https://gate.example.com/ml")
    made = gate.client.post(
        "/v1/evaluations", json={"model": "models:/toy/1"}, headers={"Host": "evil.example", "X-Forwarded-Host": "evil"}
    )
    links = made.json()["links"]
    assert links["page"] == f"https://gate.example.com/ml/evaluations/{made.json()['id']}"
    assert links["self"] == made.headers["location"] == f"/v1/evaluations/{made.json()['id']}"
    assert "evil" not in made.text + str(made.headers)


def test_a_damaged_verdict_hides_no_other_and_decides_nothing(another_gate):
    gate = another_gate()
    made = [gate.new("toy-damaged")["id"], gate.new("toy-well")["id"]]
    for one in made:
        gate.service.begin(one)
        gate.service.judge(one, name="toy-damaged" if one == made[0] else "toy-well")
    with gate.service.store.database.writing() as connection:
        connection.execute(
            text("UPDATE verdicts SET document = replace(document, 'hold', 'sold') WHERE evaluation_id = :id"),
            {"id": made[0]},
        )
    found = {item["id"]: item for item in gate.get("/v1/evaluations").json()["items"]}
    for one, decision, code in ((made[0], None, None), (made[1], "hold", 1)):
        assert (found[one]["state"], found[one]["decision"], found[one]["exit_code"]) == ("done", decision, code)
        assert gate.get(f"/v1/evaluations/{one}").json() == found[one]
    assert gate.get(f"/v1/verdicts/{found[made[0]]['verdict_id']}").json()["type"] == "urn:gate:problem:verdict-damaged"


def test_the_phase_is_asked_for_and_not_looked_up_among_all_events(another_gate, monkeypatch):
    gate = another_gate()
    made = gate.new()["id"]
    gate.service.begin(made)
    assert gate.get(f"/v1/evaluations/{made}").json()["phase"] is None
    gate.service.note(made, "phase", name="registry")
    gate.service.note(made, "phase", name="evidence")
    gate.service.note(made, "rows", scanned=7)
    monkeypatch.setattr(gate.service.evaluations, "events", lambda *_: pytest.fail("all events are read"))
    assert gate.get(f"/v1/evaluations/{made}").json()["phase"] == "evidence"
