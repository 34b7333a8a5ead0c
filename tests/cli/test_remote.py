"""`gate check`, `gate wait`, `gate show` and `gate diff` through a server, as a pipeline meets them."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire import ID, FakeTime, Pretender, Wire, evaluation, http, over, problem, stream, verdict
from wire import wire as opened

from gate.cli import remote
from gate.cli.app import cli
from gate.cli.render.junit import render_junit
from gate.cli.render.markdown import render_markdown
from gate.cli.render.table import REPORT_ONLY, Page, render_table
from gate.client.patience import Clock, TimeLimit

MODEL = "models:/bike-demand/2"
BEFORE = "11111111-0000"


@pytest.fixture
def wire() -> Iterator[Wire]:
    with opened() as listening:
        yield listening


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch, wire: Wire) -> Path:
    """A folder of its own, a server in the environment, and no CI system around it. Time passes only by resting."""
    for name in [name for name in os.environ if name.startswith(("GATE_", "MLFLOW_", "CI", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GATE_URL", wire.url)
    monkeypatch.chdir(tmp_path)
    time = FakeTime()
    monkeypatch.setattr(remote, "TimeLimit", partial(TimeLimit, clock=Clock(time.now, time.sleep, lambda: 0.5)))
    return tmp_path


def gate(*words: str) -> Result:
    return CliRunner().invoke(cli, words, prog_name="gate")


# --- the same as in process ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"), [("promote", 0), ("hold-failed", 1), ("hold-insufficient", 3), ("hold-error", 4)]
)
def test_a_verdict_is_shown_as_in_process_with_its_page(wire: Wire, name: str, code: int):
    wire.answer = pretender = Pretender(verdict(name))
    ended = gate("check", pretender.document["model"]["uri"])
    assert ended.exit_code == code
    url = f"{wire.url}/verdicts/{ID}"
    assert ended.stdout == render_table(pretender.document, Page(previous=BEFORE, url=url))
    assert f"page         {url}\n" in ended.stdout
    assert pretender.submitted[0]["trigger"] == "api"
    assert "\n".join(line.partition(" (")[0] for line in ended.stderr.splitlines()) == (
        f"  evaluation {ID}: {wire.url}/evaluations/{ID}\n  queued\n  started\n  registry: models:/x/1"
    )


def test_files_the_report_and_the_summary_are_written(wire: Wire, place: Path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place / "summary.md"))
    wire.answer = pretender = Pretender(verdict("hold-failed"))
    ended = gate("check", MODEL, "--format", "json", "--report", "out", "--output", "junit=gate.xml")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout) == pretender.document
    assert (place / "gate.xml").read_text() == render_junit(pretender.document)
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == pretender.files
    url = f"{wire.url}/verdicts/{ID}"
    assert (place / "summary.md").read_text() == render_markdown(pretender.document, url) + "\n"
    assert f"Verdict [{ID}](<{url}>)." in (place / "summary.md").read_text()


def test_what_is_asked_is_passed_on(wire: Wire):
    document = verdict("report-only", stage="shadow")
    document["data"]["overridden"] = True
    wire.answer = pretender = Pretender(verdict("report-only", stage="shadow", data=document["data"]))
    ended = over(pretender.document, stage="shadow")
    pretender.ended = ended

    def answer(asked):
        usual = pretender(asked)
        return http(ended | {"state": "queued"}, 202) if asked.method == "POST" else usual

    wire.answer = answer
    result = gate("check", MODEL, "--reference", "r", "--current", "c", "--stage", "shadow", "--report-only")
    assert pretender.submitted == [
        {"model": MODEL, "stage": "shadow", "reference": "r", "current": "c", "report_only": True, "policy": None,
         "trigger": "api"}
    ]  # fmt: skip
    assert result.exit_code == 0
    assert result.stdout.startswith(REPORT_ONLY)
    assert result.stderr.splitlines()[0] == result.stderr.splitlines()[-1] == REPORT_ONLY


@pytest.mark.parametrize(
    ("trouble", "code", "text"),
    [
        ({"detail": "data/x.parquet: cannot be read", "exit_code": 4}, 4, "gate: data/x.parquet: cannot be read"),
        ({"detail": "no policy applies", "exit_code": 2}, 2, "gate: no policy applies"),
        ({"detail": "a", "exit_code": 2, "problems": ["p.yaml:3: no\x1b", "p.yaml:9: neither"]}, 2,
         "p.yaml:3: no\\x1b\np.yaml:9: neither"),
        ({"detail": "odd", "exit_code": 0}, 4, "gate: odd"),
        ({"detail": "odd", "exit_code": 1}, 4, "gate: odd"),
        (None, 4, "gate: the server does not say why"),
    ],
)  # fmt: skip
def test_what_ended_in_error_exits_and_reads_as_in_process(wire: Wire, trouble, code: int, text: str):
    wire.answer = Pretender(ended=evaluation("error", trouble=trouble, exit_code=0))
    ended = gate("check", MODEL)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert ended.stderr.endswith(f"{text}\n")


def test_what_was_cancelled_could_not_be_decided(wire: Wire):
    wire.answer = Pretender(ended=evaluation("cancelled"))
    ended = gate("check", MODEL)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert ended.stderr.endswith(f"gate: evaluation {ID} was cancelled\n")


# --- policies, keys, CI ----------------------------------------------------------------------------------------------


def test_a_policy_is_sent_along_and_refused_in_words(wire: Wire, place: Path):
    (place / "mine.yaml").write_text("policy: gate/v1\n")
    words = "this server judges by its own policies; leave --policy out"
    wire.answer = lambda _: problem(400, "client-policy-refused", words)
    ended = gate("check", MODEL, "--policy", "mine.yaml")
    assert (ended.exit_code, ended.stderr) == (2, f"gate: {wire.url}: {words}\n")
    assert wire.asked[0].json["policy"] == {"file": "mine.yaml", "text": "policy: gate/v1\n"}


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: path.mkdir(),
         "is a folder; a server chooses among its own policies, leave --policy out"),
        (lambda path: path.write_bytes(b"\xff"), "is not UTF-8"),
        (lambda path: path.write_bytes(b"x" * 262_145), "is larger than 262,144 bytes, which no server takes"),
        (lambda path: None, "cannot be read: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_anything_is_asked(wire: Wire, place: Path, make, text: str):
    make(place / "p.yaml")
    ended = gate("check", MODEL, "--policy", "p.yaml")
    assert (ended.exit_code, ended.stderr) == (2, f"gate: --policy: p.yaml {text}\n")
    assert wire.asked == []


GITHUB = {
    "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "1", "GITHUB_JOB": "gate",
}  # fmt: skip


def test_a_job_that_runs_again_asks_by_the_same_key(wire: Wire, monkeypatch):
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    wire.answer = pretender = Pretender()
    for attempt in ("1", "2"):
        monkeypatch.setenv("GITHUB_RUN_ATTEMPT", attempt)
        assert gate("check", MODEL).exit_code == 0
    assert pretender.keys[0] == pretender.keys[1]
    assert {asked["trigger"] for asked in pretender.submitted} == {"ci"}
    for name in GITHUB:
        monkeypatch.delenv(name)
    gate("check", MODEL)
    gate("check", MODEL)
    assert len(set(pretender.keys)) == 3


LOST = (
    "gate: without a server, attempts, history and cached profiles are lost when this job ends; set GATE_URL to ask a "
    "gate server, or GATE_HOME to a folder that is kept\n"
)


def test_local_judges_here_although_the_environment_names_a_server(wire: Wire):
    ended = gate("check", MODEL, "--local", "--policy", "none.yaml")
    assert (ended.exit_code, wire.asked) == (2, [])
    assert ended.stderr == (
        "gate: no model registry is configured; set MLFLOW_TRACKING_URI to a server (http://HOST:5000) or an SQLite "
        "registry (sqlite:////ABSOLUTE/PATH/mlflow.db)\n"
    )


def test_local_and_a_server_on_the_command_line_contradict_each_other(wire: Wire):
    ended = gate("check", MODEL, "--local", "--server", wire.url)
    said = "gate: --local judges in this process and --server asks a server: use one of them\n"
    assert (ended.exit_code, ended.stderr) == (2, said)
    assert wire.asked == []


def test_a_step_of_github_gets_outputs(wire: Wire, place: Path, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", str(place / "outputs"))
    wire.answer = Pretender(verdict("hold-failed"))
    assert gate("check", MODEL).exit_code == 1
    page = f"{wire.url}/verdicts/{ID}"
    assert (place / "outputs").read_text() == f"decision=hold\nverdict_id={ID}\nverdict_url={page}\n"


@pytest.mark.parametrize(
    ("variables", "is_said"),
    [({"CI": "true"}, True), ({"CI": "true", "GATE_HOME": "kept"}, False), ({}, False), ({"CI": "false"}, False),
     ({"JENKINS_URL": "http://jenkins", "BUILD_NUMBER": "3"}, True)],
)  # fmt: skip
def test_a_job_without_a_server_is_told_what_is_lost(place: Path, monkeypatch, variables, is_said: bool):
    for name in ("GATE_URL", "GATE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = gate("check", MODEL, "--policy", "none.yaml")
    assert ended.stderr.startswith(LOST) is is_said
    assert ended.exit_code != 0


# --- waiting, giving up, being interrupted ---------------------------------------------------------------------------


def test_giving_up_leaves_the_evaluation_and_says_how_to_go_on(wire: Wire, place: Path):
    pretender = Pretender(polls=10**6)
    wire.answer = lambda asked: stream((1, "queued", {})) if asked.path.endswith("/events") else pretender(asked)
    ended = gate("check", MODEL, "--timeout", "30", "--output", "json=v.json")
    assert (ended.exit_code, ended.stdout) == (5, "")
    assert ended.stderr.endswith(
        f"gate: timed out: no verdict within 30 s (--timeout); the evaluation goes on: "
        f"gate wait {ID} --server {wire.url}\n"
    )
    assert not (place / "v.json").exists()


def test_a_hint_is_asked_for_once_and_outside_the_limit_once_the_verdict_is_known(wire: Wire, monkeypatch):
    running, seen, pretender = [], [], Pretender()

    @contextmanager
    def watched(seconds):
        running.append(seconds)
        yield
        running.clear()

    def answer(asked):
        if asked.path.partition("?")[0] != "/v1/verdicts":
            return pretender(asked)
        seen.append(list(running))
        return problem(503, "database-unavailable", "away")

    monkeypatch.setattr(remote, "deadline", watched)
    wire.answer = answer
    ended = gate("check", MODEL, "--timeout", "60")
    assert (ended.exit_code, seen) == (0, [[]])
    assert ended.stdout == render_table(pretender.document, Page(url=f"{wire.url}/verdicts/{ID}"))


def test_a_verdict_that_is_not_kept_any_more_is_no_mistake_of_the_command(wire: Wire):
    pretender = Pretender()
    gone = f"verdict {ID}: there is none here"
    wire.answer = lambda asked: (
        problem(404, "not-found", gone) if asked.path.startswith("/v1/verdicts/") else pretender(asked)
    )
    ended = gate("wait", ID)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert ended.stderr.splitlines()[-1] == (
        f"gate: {wire.url}: evaluation {ID} is done, but its verdict {ID} is not kept any more; "
        f"ask for a new one with gate check"
    )


def test_a_server_that_goes_away_for_good_leaves_word_of_the_evaluation(wire: Wire):
    pretender = Pretender()
    wire.answer = lambda asked: pretender(asked) if asked.method == "POST" else b""
    ended = gate("check", MODEL)
    assert (ended.exit_code, ended.stdout) == (4, "")
    *_, hint, error = ended.stderr.splitlines()
    assert hint == f"gate: to ask for the verdict again: gate wait {ID} --server {wire.url}"
    assert error.startswith(
        f"gate: {wire.url}: cannot be reached: Server disconnected without sending a response.; gave up"
    )


def test_an_interrupt_leaves_the_evaluation_and_says_how_to_go_on(wire: Wire, place: Path):
    waiting = threading.Event()
    pretender = Pretender(polls=10**6, ended=over(verdict(), report_only=True))

    def answer(asked):
        if not asked.path.endswith("/events"):
            return pretender(asked)

        def quiet():
            yield stream((1, "queued", {}))
            waiting.set()
            threading.Event().wait(20)

        return quiet()

    wire.answer = answer
    process = subprocess.Popen(
        [sys.executable, "-m", "gate", "check", MODEL, "--report-only"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ,
    )  # fmt: skip
    assert waiting.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-2] == (
        f"gate: interrupted; the evaluation goes on: gate wait {ID} --server {wire.url} --report-only"
    )


def test_wait_shows_the_verdict_of_an_evaluation(wire: Wire):
    wire.answer = pretender = Pretender(verdict("hold-failed"))
    ended = gate("wait", ID)
    assert ended.exit_code == 1
    url = f"{wire.url}/verdicts/{ID}"
    assert ended.stdout == render_table(pretender.document, Page(previous=BEFORE, url=url))
    assert pretender.submitted == []


def test_commands_to_try_next_name_the_server_that_the_command_line_named(wire: Wire, monkeypatch):
    monkeypatch.delenv("GATE_URL")
    wire.answer = Pretender(verdict("hold-failed"))
    out = gate("check", MODEL, "--server", wire.url + "/").stdout
    assert f"next         gate show {ID[:8]} -v --server {wire.url}\n" in out
    assert f"             gate diff 11111111 {ID[:8]} --server {wire.url}\n" in out


@pytest.mark.parametrize(
    ("name", "words", "text"),
    [
        ("report-only", (), (f"evaluation {ID} was asked for with --report-only: its verdict enforces nothing; "
                             "add --report-only to wait for it")),
        ("promote", ("--report-only",), f"evaluation {ID} was not asked for with --report-only: leave it out"),
    ],
)  # fmt: skip
def test_wait_softens_nothing_that_was_not_soft(wire: Wire, name: str, words: tuple[str, ...], text: str):
    wire.answer = Pretender(verdict(name))
    ended = gate("wait", ID, *words)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"gate: {text}\n" in ended.stderr
    assert gate("wait", ID, *(() if words else ("--report-only",))).exit_code == 0


def test_wait_says_what_is_missing(wire: Wire, monkeypatch):
    wire.answer = Pretender()
    ended = gate("wait", "00000000-none")
    assert (ended.exit_code, ended.stderr) == (
        2, f"gate: {wire.url}: /v1/evaluations/00000000-none: there is none here\n",
    )  # fmt: skip
    monkeypatch.delenv("GATE_URL")
    ended = gate("wait", ID)
    assert (ended.exit_code, ended.stderr) == (
        2, "gate: no gate server is named: use --server URL, or set GATE_URL\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    "url", ["ftp://x", "gate.example.com", "http://", "http://x:99999", "http://x?y", "http://x#y"]
)
def test_an_address_is_one_or_the_command_line_is_wrong(url: str):
    ended = gate("check", MODEL, "--server", url)
    assert ended.exit_code == 2
    assert ended.stderr == (
        "gate: invalid value for '--server': it is not an address such as https://gate.example.com "
        "(see gate check --help)\n"
    )


def test_show_and_diff_look_on_the_server(wire: Wire):
    promoted, held = verdict(), verdict("hold-failed", id="7d3f0c52-0000")
    known = {ID: promoted, held["id"]: held}
    wire.answer = lambda asked: next(
        (http(one) for name, one in known.items() if name.startswith(asked.path.rpartition("/")[2])),
        problem(404, "not-found", f"{asked.path}: there is none here"),
    )
    assert gate("show", "0a5f3c1e").stdout == render_table(promoted)
    assert gate("diff", "0a5f3c1e", "7d3f0c52", "--server", wire.url).exit_code == 1
    missing = gate("show", "ffffffff")
    assert (missing.exit_code, missing.stderr) == (
        2, f"gate: {wire.url}: /v1/verdicts/ffffffff: there is none here\n",
    )  # fmt: skip


# --- whatever a server sends -----------------------------------------------------------------------------------------

WORDS = (
    b"promote",
    b"hold",
    b'"exit_code": 0',
    b"{}",
    b"null",
    b"\r\n\r\n",
    b"HTTP/1.1 200 OK",
    b"data: ",
    b"\xff\x00",
)

# Words that decide, exchanged for others of the same length or not.
SWAPS = (
    (b"hold", b"promote"), (b'"failed"', b"null"), (b'"exit_code": 1', b'"exit_code": 0'), (b"fail", b"pass"),
    (b'"enforced": false', b'"enforced": true'), (b"bike-demand", b"income"), (b'"2"', b'"3"'), (b"running", b"done"),
    (b"application/json", b"text/html"), (b" 200 ", b" 203 "), (ID.encode(), b"11111111-0000"),
)  # fmt: skip


def harmed(answer: bytes, how: str, chance: random.Random) -> bytes:
    """What may happen to an answer on its way."""
    head, _, body = answer.partition(b"\r\n\r\n")
    match how:
        case "cut":
            return answer[: chance.randint(0, len(answer))]
        case "flip":
            changed = bytearray(answer)
            for _ in range(chance.randint(1, 4)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)
        case "swap":
            before, after = chance.choice(SWAPS)
            lines = head.replace(before, after).split(b"\r\n")
            stated = [line for line in lines if not line.startswith(b"Content-Length")]
            return b"\r\n".join(stated) + b"\r\n\r\n" + body.replace(before, after)
        case "replace":
            return b"".join(chance.choices(WORDS, k=chance.randint(0, 6)))
        case "fill":
            return http(b"".join(chance.choices(WORDS, k=3)), chance.choice([200, 202, 404, 418, 422, 503]))
        case _:
            return answer


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.sampled_from(["promote", "hold-failed", "hold-error", "report-only"]),
    st.sampled_from(["nothing", "cut", "flip", "swap", "replace", "fill"]), st.integers(0, 6), st.integers(0, 2**32),
)  # fmt: skip
def test_whatever_a_server_sends_only_a_promotion_exits_0(wire: Wire, name: str, how: str, where: int, seed: int):
    pretender, count, chance = Pretender(verdict(name)), itertools.count(), random.Random(seed)

    def answer(asked) -> bytes:
        return harmed(pretender(asked), how if where <= next(count) < where + 3 else "nothing", chance)

    wire.answer = answer
    ended = gate("check", MODEL, "--timeout", "60", "--format", "json")
    assert ended.exit_code in (0, 1, 2, 3, 4, 5)
    if ended.exit_code == 0:
        # Nothing but the one true promotion: what was changed on the way was not the verdict, or was noticed.
        shown = json.loads(ended.stdout)
        assert shown == verdict("promote") | {"timings_seconds": shown["timings_seconds"]}
        assert name == "promote"
