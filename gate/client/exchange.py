"""One question to the server and its answer, asked again for as long as that may help."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

import gate
from gate.client.address import shown
from gate.client.patience import TimeLimit, backoff, retry_after
from gate.client.reading import read_problem
from gate.client.reply import Reply
from gate.domain.plain import plain
from gate.errors import OutOfTimeError, ServerError, UsageError

PATIENCE_SECONDS = 60.0  # before a server that never answered is given up
LONG_PATIENCE_SECONDS = 300.0  # once it has answered, as when it asks to come back, or is being restarted

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFUSED_LOAD = frozenset({429, 503})
_MOST_ERROR_BYTES = 2**20


class Exchange:
    """Asks one server. Never follows it elsewhere, never reads more than was reckoned with, never past the limit."""

    def __init__(self, url: str, limit: TimeLimit, notice: Callable[[str], None]) -> None:
        self.url = url.rstrip("/")
        self.limit = limit
        self._notice = notice
        self._has_answered = False
        try:
            # Asked for as it is, an answer has the size that is counted, and no decoder can be fooled.
            headers = {"User-Agent": f"gate/{gate.__version__}", "Accept-Encoding": "identity"}
            self._http = httpx.Client(headers=headers, follow_redirects=False)
        except (OSError, ValueError, httpx.InvalidURL) as wrong:
            raise UsageError(
                f"the connection to {self.name} cannot be set up: {wrong}; look at SSL_CERT_FILE, SSL_CERT_DIR and the "
                f"proxy variables (HTTPS_PROXY, ...)"
            ) from wrong

    @property
    def name(self) -> str:
        """The server, for messages."""
        return shown(self.url)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self, method: str, path: str, *, most_bytes: int, body: Any = None, headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None, wait_seconds: float = 0.0, again: bool = True,
    ) -> Reply:  # fmt: skip
        """Ask until there is an answer that asking again would not change; only once without `again`.

        An answer of more than `most_bytes` is none. The server may think for `wait_seconds` before it answers.

        Raises:
            ServerError: there was none within the client's patience, or it cannot be gate's.
            OutOfTimeError: the caller's limit passed.
        """
        began, failures = self.limit.clock.now(), 0
        while True:
            self.limit.check()
            rest: float | None = None
            try:
                with self._open(method, path, body, headers, params, _READ_SECONDS + wait_seconds) as response:
                    content = self._read(response, most_bytes)
                    reply = Reply(response.status_code, response.headers, content, failures + 1,
                                  self.limit.clock.now() - began)  # fmt: skip
                if not again or reply.status not in _AGAIN or _is_settled(reply):
                    self._has_answered = True
                    return self._direct(reply)
                trouble = f"answered {reply.status}{_said(reply)}"
                rest = retry_after(reply.headers)
                patient = self._has_answered or (rest is not None and reply.status in _REFUSED_LOAD)
            except httpx.TransportError as wrong:
                trouble = self._words(wrong)
                patient = self._has_answered
            if not again:
                raise ServerError(f"{self.name}: {trouble}")
            failures += 1
            patience = LONG_PATIENCE_SECONDS if patient else PATIENCE_SECONDS
            self._rest(trouble, failures, rest, began + patience - self.limit.clock.now())

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str], read_seconds: float) -> Iterator[httpx.Response]:
        """Open an answer that is read as it comes. httpx.TransportError where it breaks."""
        with self._open("GET", path, None, headers, None, read_seconds) as response:
            yield response

    @contextmanager
    def _open(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None, params: Mapping[str, str] | None,
        read_seconds: float,
    ) -> Iterator[httpx.Response]:  # fmt: skip
        left = max(self.limit.left, 0.001)
        timeout = httpx.Timeout(min(_CONNECT_SECONDS, left), read=min(read_seconds, left), write=min(30.0, left))
        try:
            with self._http.stream(
                method, self.url + path, json=body, headers={"Accept": "application/json", **(headers or {})},
                params=params, timeout=timeout,
            ) as response:  # fmt: skip
                yield response
        except (httpx.InvalidURL, UnicodeError) as wrong:
            raise UsageError(f"{self.name}: is no address that can be asked: {wrong}") from wrong

    def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        most = most_bytes if response.is_success else min(most_bytes, _MOST_ERROR_BYTES)
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            self.limit.check()
            if len(content) > most:
                raise ServerError(f"{self.name}: answered with more than {most:,} bytes, which no answer of gate has")
        return bytes(content)

    def _direct(self, reply: Reply) -> Reply:
        """An answer that is the server's own: not encoded in a way that was not asked for, not sent elsewhere."""
        if 300 <= reply.status < 400 and reply.status != 304:
            place = plain(shown(reply.headers.get("location", "nowhere")))[:200]
            raise ServerError(
                f"{self.name}: sends this elsewhere ({reply.status} to {place}); "
                f"name the address of the gate server itself, or let gate past the login in front of it"
            )
        encoding = reply.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise ServerError(f"{self.name}: answered in an encoding that was not asked for ({plain(encoding)[:40]})")
        return reply

    def _words(self, wrong: httpx.TransportError) -> str:
        """Say what went wrong on the way; ServerError at once where asking again cannot help."""
        for cause in _causes(wrong):
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise ServerError(
                    f"{self.name}: its certificate is not trusted: {cause.verify_message}; "
                    f"SSL_CERT_FILE names the certificates of your own authority"
                ) from wrong
            if isinstance(cause, ssl.SSLError) and cause.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
                raise ServerError(f"{self.name}: does not speak TLS on this port; is it http://?") from wrong
        if isinstance(wrong, httpx.UnsupportedProtocol):
            raise UsageError(f"{self.name}: an address begins with http:// or https://") from wrong
        if isinstance(wrong, httpx.TimeoutException):
            return "no answer in time"
        return f"cannot be reached: {plain(shown(str(wrong)) or type(wrong).__name__)[:300]}"

    def _rest(self, trouble: str, failures: int, asked: float | None, patience_left: float) -> None:
        rest = max(asked or 0.0, backoff(failures, self.limit.clock))
        if asked is not None and asked > self.limit.left:
            raise OutOfTimeError(
                f"timed out: {self.name} {trouble} and asks to wait {asked:g} s, which is past --timeout"
            )
        if rest > patience_left:
            tries = "1 try" if failures == 1 else f"{failures} tries"
            waiting = f" and asks to wait {asked:g} s" if asked and asked > patience_left else ""
            raise ServerError(f"{self.name}: {trouble}{waiting}; gave up after {tries}: is the server up, "
                              f"and is this its address?")  # fmt: skip
        self._notice(f"{self.name}: {trouble}; asking again in {rest:.1f} s")
        self.limit.rest(rest)


def quoted(part: str) -> str:
    """A part of a path, whatever it holds."""
    return quote(part, safe="")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_settled(reply: Reply) -> bool:
    """Whether gate says itself that this will not change."""
    problem = read_problem(reply)
    return problem is not None and problem.kind == "verdict-damaged"


def _said(reply: Reply) -> str:
    """What a problem says about itself, if it is one."""
    problem = read_problem(reply)
    return f" ({plain(problem.detail or problem.title)[:300]})" if problem else ""
