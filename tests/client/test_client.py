"""The client and a server: asking, waiting, reading what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from wire import ID, FakeTime, Pretender, Wire, evaluation, http, over, problem, stream, verdict

from gate.client.client import Client, body_of
from gate.domain.evaluation import ClientPolicy, State, Submission, Trigger
from gate.errors import GateError, OutOfTimeError, PolicyError, ServerError, UsageError

Make = Callable[..., Client]
ASKED = Submission("models:/bike-demand/2", trigger=Trigger.CI)


class Heard:
    """An observer that keeps what it hears."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, str]] = []
        self.rows = 0

    def phase(self, name: str, detail: str = "") -> None:
        self.phases.append((name, detail))

    def scanned(self, rows: int) -> None:
        self.rows += rows

    def called(self, operation: str, result: str, seconds: float) -> None:
        raise AssertionError


def raised(error: type[GateError], call: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_a_question_is_submitted_whole(wire: Wire, client: Make):
    wire.answer = pretender = Pretender(ended=over(verdict(), stage="shadow"))
    asked = Submission("models:/bike-demand/2", None, "r.parquet", "c.parquet", False, ClientPolicy("p.yaml", "x"))
    wire.answer = lambda _: http(evaluation(report_only=True), 202)
    assert client().submit(asked, ["k"]).id == ID
    assert wire.asked[0].headers["idempotency-key"] == "k"
    assert wire.asked[0].json == body_of(asked) == {
        "model": "models:/bike-demand/2", "stage": None, "reference": "r.parquet", "current": "c.parquet",
        "report_only": True, "policy": {"file": "p.yaml", "text": "x"}, "trigger": "api",
    }  # fmt: skip
    assert pretender.submitted == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_that_runs_again_joins_what_is_running(wire: Wire, client: Make, state: str):
    wire.answer = lambda _: http(evaluation(state), 200)
    assert client().submit(ASKED, ["k", "k#2"]).state == state
    assert [asked.headers["idempotency-key"] for asked in wire.asked] == ["k"]


@pytest.mark.parametrize("state", ["done", "error", "cancelled"])
def test_what_was_over_before_is_asked_anew_under_the_next_key(wire: Wire, client: Make, state: str):
    answers = iter([http(evaluation(state), 200), http(evaluation(state), 200), http(evaluation(), 202)])
    wire.answer = lambda _: next(answers)
    assert client().submit(ASKED, ["k", "k#2", "k#3", "k#4"]).state == "queued"
    assert [asked.headers["idempotency-key"] for asked in wire.asked] == ["k", "k#2", "k#3"]


def test_a_new_one_may_be_over_at_once(wire: Wire, client: Make):
    wire.answer = lambda _: http(over(verdict()), 202)
    assert client().submit(ASKED, ["k", "k#2"]).state == "done"


@pytest.mark.parametrize(("age", "keys"), [(0, ["k", "k"]), (3600, ["k", "k", "k#2"])])
def test_ones_own_whose_answer_was_lost_is_told_from_an_old_one(wire: Wire, client: Make, age: int, keys: list[str]):
    created = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    answers = iter([b"", http(over(verdict(), created_at=created), 200), http(evaluation(), 202)])
    wire.answer = lambda _: next(answers)
    client().submit(ASKED, ["k", "k#2"])
    assert [asked.headers["idempotency-key"] for asked in wire.asked] == keys


def test_a_server_that_answers_only_with_old_ones_is_odd(wire: Wire, client: Make):
    wire.answer = lambda _: http(over(verdict()), 200)
    text = raised(ServerError, lambda: client().submit(ASKED, ["k", "k#2"]))
    assert text == f"{wire.url}: answers only with evaluations that were over before"


@pytest.mark.parametrize(
    "changes", [{"model": "models:/income/2"}, {"model": "models:/bike-demand/3"}, {"model": "models:/bike-demand@x"},
                {"report_only": True}],
)  # fmt: skip
def test_another_question_taken_up_is_odd(wire: Wire, client: Make, changes: dict):
    wire.answer = lambda _: http(evaluation(**changes), 202)
    text = raised(ServerError, lambda: client().submit(ASKED, ["k"]))
    assert text == f"{wire.url}: took up another question than the one that was asked"


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (problem(400, "client-policy-refused", "this server judges by its own policies"), UsageError,
         "{0}: this server judges by its own policies"),
        (problem(422, "policy-error", "p.yaml:3: no", problems=["p.yaml:3: no", "p.yaml:9: neither", "odd"]),
         PolicyError, "{0}: odd\np.yaml:3: no\np.yaml:9: neither"),
        (problem(422, "invalid-request", "body.a: x (and 1 more)",
                 errors=[{"place": "body.a", "message": "x"}, {"place": "body.b", "message": "y"}]),
         UsageError, "{0}: body.a: x (and 1 more); body.b: y"),
        (problem(409, "key-reused", "model was 1 and is 2"), UsageError, "{0}: model was 1 and is 2"),
        (problem(413, "too-large", "a body has 524,288 bytes"), UsageError, "{0}: a body has 524,288 bytes"),
        (problem(418, "teapot", "no"), ServerError, "{0}: no (418)"),
        (problem(500, "verdict-damaged", "it was changed"), ServerError, "{0}: it was changed (500)"),
        (http(b"{}", 202), ServerError, "{0}: answered with something that gate does not say: id: Field required"),
        (http(b"nonsense", 202), ServerError,
         "{0}: answered with something that gate does not say: Invalid JSON: expected ident at line 1 column 2"),
        (http(evaluation(state="promoted"), 202), ServerError,
         ("{0}: answered with something that gate does not say: state: Input should be 'queued', 'running', 'done', "
          "'error' or 'cancelled'")),
        (http(evaluation(model="bike"), 202), ServerError,
         ("{0}: answered with an evaluation of no model: 'bike' is not a model URI; "
          "write models:/NAME/VERSION or models:/NAME@ALIAS")),
        (http(evaluation(id="../../etc"), 202), ServerError,
         ("{0}: answered with something that gate does not say: id: String should match pattern "
          "'^[A-Za-z0-9][A-Za-z0-9_-]{{7,63}}$'")),
    ],
)  # fmt: skip
def test_a_refusal_is_said_in_the_servers_words(wire: Wire, client: Make, answer: bytes, error, text: str):
    wire.answer = lambda _: answer
    assert raised(error, lambda: client().submit(ASKED, ["k"])) == text.format(wire.url)


def test_cancel_and_retry_are_asked_of_the_server(wire: Wire, client: Make):
    wire.answer = lambda asked: http(evaluation("cancelled" if asked.method == "DELETE" else "queued"))
    assert client().cancel(ID).state is State.CANCELLED
    assert client().retry(ID).state is State.QUEUED
    assert [(asked.method, asked.target) for asked in wire.asked] == [
        ("DELETE", f"/v1/evaluations/{ID}"), ("POST", f"/v1/evaluations/{ID}/retry"),
    ]  # fmt: skip


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_progress_is_heard_while_waiting(wire: Wire, client: Make):
    wire.answer, heard = Pretender(), Heard()
    assert client().wait(ID, heard).state is State.DONE
    assert heard.phases == [("queued", ""), ("started", ""), ("registry", "models:/x/1")]
    assert heard.rows == 4_000


def test_a_broken_stream_is_continued_where_it_broke(wire: Wire, client: Make, time: FakeTime):
    pretender = Pretender(polls=2)
    parts = iter([
        stream((1, "queued", {}), (2, "rows", {"scanned": 10}))[:-1],  # the last event is cut off
        stream((2, "rows", {"scanned": 10}), (3, "phase", {"name": "judge"})),
        stream((2, "rows", {"scanned": 10}), (4, "done", {})),
    ])  # fmt: skip
    wire.answer = lambda asked: next(parts) if asked.path.endswith("/events") else pretender(asked)
    heard = Heard()
    assert client().wait(ID, heard).state is State.DONE
    seen = [asked.headers.get("last-event-id") for asked in wire.asked if asked.path.endswith("/events")]
    assert seen == [None, "1", "3"]
    assert (heard.phases, heard.rows) == ([("queued", ""), ("judge", "")], 10)
    assert time.slept == [0.375, 0.375]


@pytest.mark.parametrize(
    "events",
    [problem(404, "not-found", "x"), http("<html>", kind="text/html"), b"", http(b"\xff\n", kind="text/event-stream"),
     stream(), http({}, 500)],
)  # fmt: skip
def test_where_events_do_not_come_through_the_record_is_polled(wire: Wire, client: Make, events: bytes):
    pretender, heard = Pretender(polls=5), Heard()
    wire.answer = lambda asked: events if asked.path.endswith("/events") else pretender(asked)
    assert client().wait(ID, heard).state is State.DONE
    assert heard.phases == [("evidence", "")]
    assert sum(asked.path.endswith("/events") for asked in wire.asked) == 3
    assert [asked.query.get("wait") for asked in wire.asked[-2:]] == [["25"], ["25"]]


def test_a_stream_that_says_done_while_the_record_does_not_is_not_believed(wire: Wire, client: Make, time: FakeTime):
    pretender = Pretender(polls=6)
    wire.answer = pretender
    assert client().wait(ID).state is State.DONE
    assert sum(asked.path.endswith("/events") for asked in wire.asked) == 3
    assert sum(time.slept) > 4


def test_a_stream_without_end_is_left_when_the_time_is_up(wire: Wire, client: Make, time: FakeTime):
    def drip(_: object):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        for _ in itertools.repeat(None):
            time.moment += 1
            yield b"x"

    pretender = Pretender(polls=100)
    wire.answer = lambda asked: drip(asked) if asked.path.endswith("/events") else pretender(asked)
    text = raised(OutOfTimeError, lambda: client(seconds=90).wait(ID))
    assert text == "timed out: no verdict within 90 s (--timeout)"


def test_a_server_that_is_being_restarted_does_not_lose_the_client(wire: Wire, client: Make, time: FakeTime):
    pretender = Pretender()
    asked_for = itertools.count()
    wire.answer = lambda asked: pretender(asked) if next(asked_for) % 12 in (0, 11) else b""
    asking = client()
    asking.submit(ASKED, ["k"])
    assert asking.wait(ID).state is State.DONE


def test_another_evaluation_than_the_one_asked_for_is_odd(wire: Wire, client: Make):
    wire.answer = lambda _: http(evaluation("done", id="11111111-aaaa"))
    assert raised(ServerError, lambda: client().wait(ID)) == f"{wire.url}: answered with another evaluation than {ID}"


# --- what came of it -------------------------------------------------------------------------------------------------


def ended(client: Client) -> Client:
    return client.evaluation(ID)


def test_a_verdict_and_its_report_are_fetched(wire: Wire, client: Make):
    wire.answer = pretender = Pretender()
    asking = client()
    ruling = asking.ruling(asking.evaluation(ID), enforced=True)
    assert (ruling.exit_code, ruling.document) == (0, pretender.document)
    assert asking.report(ID) == pretender.files
    assert asking.previous("bike-demand", ID) == "11111111-0000"
    assert asking.page_of(asking.evaluation(ID)) == f"{wire.url}/verdicts/{ID}"


@pytest.mark.parametrize("state", ["queued", "running", "error", "cancelled", "done"])
def test_what_has_no_verdict_rules_nothing(wire: Wire, client: Make, state: str):
    wire.answer = Pretender(ended=evaluation(state))
    asking = client()
    text = raised(ServerError, lambda: asking.ruling(asking.evaluation(ID), enforced=True))
    assert text == f"{wire.url}: evaluation {ID} is {state} without a verdict"


def test_another_verdict_under_the_address_is_odd(wire: Wire, client: Make):
    wire.answer = lambda _: http(verdict(id="11111111-0000"))
    assert raised(ServerError, lambda: client().document(ID)) == f"{wire.url}: answered with another verdict than {ID}"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "..", ".hidden", "a\\b", "x\n", "a" * 200, "\u202e"])
def test_a_report_file_has_a_plain_name(wire: Wire, client: Make, name: str):
    wire.answer = Pretender(files={name: b"x"})
    text = raised(ServerError, lambda: client().report(ID))
    assert text.startswith(f"{wire.url}: answered with something that gate does not say: files.0.name: String should")


def test_a_report_that_is_not_there_is_said_so(wire: Wire, client: Make):
    wire.answer = Pretender(files={})
    assert raised(ServerError, lambda: client().report(ID)) == f"{wire.url}: keeps no report of verdict {ID}"


@pytest.mark.parametrize("answer", [http({}, 500), http({"items": 3}), problem(404, "not-found", "no")])
def test_the_verdict_before_is_a_hint_and_may_be_missing(wire: Wire, client: Make, answer: bytes):
    wire.answer = lambda _: answer
    assert client().previous("bike-demand", ID) is None


@pytest.mark.parametrize(
    ("stated", "page"),
    [
        ("https://gate.example.com/verdicts/1", "https://gate.example.com/verdicts/1"),
        (f"/verdicts/{ID}", "{0}/verdicts/" + ID),
        ("javascript:alert(1)", "{0}/verdicts/" + ID),
        ("https://x.example/\x1b[31m", "{0}/verdicts/" + ID),
        ("https://x.example/)<script>", "{0}/verdicts/" + ID),
        ("https://user:geheim@x.example/", "{0}/verdicts/" + ID),
        (None, "{0}/verdicts/" + ID),
    ],
)
def test_the_page_that_is_shown_is_harmless(wire: Wire, client: Make, stated: object, page: str):
    wire.answer = Pretender(ended=over(verdict(), verdict_url=stated))
    asking = client()
    assert asking.page_of(asking.evaluation(ID)) == page.format(wire.url)


def test_readiness_is_asked_once_and_read_when_it_is_not_ready(wire: Wire, client: Make, time: FakeTime):
    check = {"ok": False, "needed": True, "detail": "does not answer"}
    wire.answer = lambda _: http({"ready": False, "checks": {"database": check}}, 503)
    ready = client().readiness()
    assert (ready.ready, ready.checks["database"].detail) == (False, "does not answer")
    wire.answer = lambda _: http("down", 502, "text/html")
    assert raised(ServerError, lambda: client().readiness()).startswith(f"{wire.url}: answered 502 with a page")
    assert time.slept == []
