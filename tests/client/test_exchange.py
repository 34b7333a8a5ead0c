"""One question to a server that behaves in every way but the right one."""

from __future__ import annotations

import itertools
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from wire import FakeTime, Wire, evaluation, http, problem

from gate.client.client import Client
from gate.errors import GateError, OutOfTimeError, ServerError, UsageError

Make = Callable[..., Client]
ID = evaluation()["id"]


def answers(*given: bytes) -> Callable[[object], bytes]:
    """One answer after the other; the last one for ever."""
    left = itertools.chain(given, itertools.repeat(given[-1]))
    return lambda _: next(left)


def refused(client: Client) -> GateError:
    with pytest.raises(GateError) as error:
        client.evaluation(ID)
    return error.value


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(wire: Wire, client: Make, time: FakeTime, said, status):
    wire.answer = answers(http("busy", status, "text/plain"), http(evaluation("running")))
    assert client().evaluation(ID).state == "running"
    assert time.slept == [0.375]
    assert said == [f"{wire.url}: answered {status}; asking again in 0.4 s"]


@pytest.mark.parametrize("broken", [b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 50,
                                    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
                                    b"HTTP/1.1 999999999 X\r\n\r\n"])  # fmt: skip
def test_half_an_answer_is_none(wire: Wire, client: Make, broken: bytes):
    wire.answer = answers(broken, broken, http(evaluation()))
    assert client().evaluation(ID).state == "queued"
    assert len(wire.asked) == 3


def test_rests_grow_and_the_client_gives_up_in_the_end(wire: Wire, client: Make, time: FakeTime):
    wire.answer = answers(http("", 502, "text/html"))
    error = refused(client())
    assert time.slept == [0.375, 0.75, 1.5, 3.0, 6.0, 11.25, 11.25, 11.25, 11.25]
    assert isinstance(error, ServerError)
    assert str(error) == (
        f"{wire.url}: answered 502; gave up after 10 tries: is the server up, and is this its address?"
    )


def test_nobody_there_is_said_in_words(client: Make, time: FakeTime):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://user:geheim@127.0.0.1:{listener.getsockname()[1]}"
    error = refused(client(url=url))
    assert isinstance(error, ServerError)
    assert "geheim" not in str(error)
    assert "http://***@127.0.0.1:" in str(error)
    assert "cannot be reached: [Errno 111] Connection refused; gave up after 10 tries" in str(error)
    assert 45 < sum(time.slept) < 60


def test_the_server_is_left_alone_for_as_long_as_it_asks(wire: Wire, client: Make, time: FakeTime):
    busy = problem(429, "too-many-requests", "3 wait", Retry_After="120")
    wire.answer = answers(busy, busy, http(evaluation()))
    client().evaluation(ID)
    assert time.slept == [120.0, 120.0]


def test_but_not_for_longer_than_the_client_has_patience(wire: Wire, client: Make, time: FakeTime):
    wire.answer = answers(problem(429, "too-many-requests", "3 wait", Retry_After="999999"))
    assert str(refused(client())) == (
        f"{wire.url}: answered 429 (3 wait) and asks to wait 999999 s; gave up after 1 try: "
        f"is the server up, and is this its address?"
    )
    assert time.slept == []


def test_nor_past_the_callers_own_limit(wire: Wire, client: Make, time: FakeTime):
    wire.answer = answers(problem(503, "database-unavailable", "away", Retry_After="20"))
    error = refused(client(seconds=10))
    assert isinstance(error, OutOfTimeError)
    assert str(error) == f"timed out: {wire.url} answered 503 (away) and asks to wait 20 s, which is past --timeout"
    assert time.slept == []


def test_the_callers_limit_ends_the_asking(wire: Wire, client: Make, time: FakeTime):
    wire.answer = answers(http("", 500, "text/plain"))
    error = refused(client(seconds=2))
    assert str(error) == "timed out: no verdict within 2 s (--timeout)"
    assert sum(time.slept) == 2.0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_client_is_never_sent_elsewhere(wire: Wire, client: Make, status):
    wire.answer = answers(http("", status, Location="https://u:pw@login.example.com/?next=x"))
    assert str(refused(client())) == (
        f"{wire.url}: sends this elsewhere ({status} to https://***@login.example.com/?next=x); "
        f"name the address of the gate server itself, or let gate past the login in front of it"
    )


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (http("<html>Sign in", kind="text/html; charset=utf-8"), "200 with a page (text/html)"),
        (http("<html>No", 404, "text/html"), "404 with a page (text/html)"),
        (http({"detail": "Not Found"}, 404), "404 with application/json"),
        (http("", 204, ""), "204 with no content type"),
        (http("ok", kind="text/plain"), "200 with text/plain"),
        (http("nope", 401, "text/plain"), "401 with text/plain"),
        (http({"type": 3}, 400, "application/problem+json"), "400 with application/problem+json"),
    ],
)
def test_what_is_no_gate_server_is_said_to_be_none(wire: Wire, client: Make, answer: bytes, what: str):
    wire.answer = answers(answer)
    error = refused(client())
    assert isinstance(error, ServerError)
    assert str(error) == (
        f"{wire.url}: answered {what}, not as a gate server does; "
        f"is this its address, and does a login or a proxy stand in front of it?"
    )


def test_an_answer_without_end_is_not_read_to_its_end(wire: Wire, client: Make):
    def endless(_: object) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        yield from itertools.repeat(b" " * 65536, 1_000)

    wire.answer = endless
    assert str(refused(client())) == (
        f"{wire.url}: answered with more than 1,048,576 bytes, which no answer of gate has"
    )


def test_an_encoding_that_was_not_asked_for_is_not_decoded(wire: Wire, client: Make):
    wire.answer = answers(http(b"\x1f\x8b", Content_Encoding="gzip"))
    assert str(refused(client())) == f"{wire.url}: answered in an encoding that was not asked for (gzip)"
    assert wire.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/\u2028", "http://xn--a.example\ud800", "http://[::1", "http://:1"])
def test_an_address_that_is_none_is_said_to_be_none(client: Make, url: str):
    assert refused(client(url=url)).exit_code in (2, 4)


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secured(tmp_path_factory) -> Iterator[str]:
    """A server with a certificate that nobody vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key),
         "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not installed: no certificate to test with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                    with connection, context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(65536)
                        secure.sendall(http(evaluation("running")))
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}|{certificate}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_certificate_that_nobody_vouches_for_ends_it_at_once(secured: str, client: Make, time: FakeTime):
    url, _, _ = secured.partition("|")
    error = refused(client(url=url))
    assert str(error) == (
        f"{url}: its certificate is not trusted: self-signed certificate; "
        f"SSL_CERT_FILE names the certificates of your own authority"
    )
    assert time.slept == []


def test_ones_own_authority_is_named_in_the_environment(secured: str, client: Make, monkeypatch):
    url, _, certificate = secured.partition("|")
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    assert client(url=url).evaluation(ID).state == "running"


def test_an_authority_that_cannot_be_read_is_said_so(client: Make, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "no/such/file.pem")
    with pytest.raises(UsageError) as error:
        client(url="https://127.0.0.1:1")
    assert "look at SSL_CERT_FILE, SSL_CERT_DIR and the proxy variables" in str(error.value)


def test_a_port_without_tls_is_said_to_have_none(wire: Wire, client: Make, time: FakeTime):
    wire.answer = answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    url = wire.url.replace("http:", "https:")
    assert str(refused(client(url=url))) == f"{url}: does not speak TLS on this port; is it http://?"
    assert time.slept == []
