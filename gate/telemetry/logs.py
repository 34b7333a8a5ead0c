"""Logs of a server: one JSON object a line on stderr, or a line for people where a person looks on."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from gate.domain.plain import plain

_evaluation: contextvars.ContextVar[str | None] = contextvars.ContextVar("evaluation_id", default=None)

_HIDDEN = "***"
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The last @ before the path: a password may hold one.
    (re.compile(r"(?<=://)[^/\s'\"]*@"), f"{_HIDDEN}@"),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*(?:b(?=['\"]))?['\"]?)(?:(?:basic|bearer|digest|token)\s+)?[^\s'\",}]+"),
     rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)\b(basic|bearer)(\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1\2{_HIDDEN}"),
    (re.compile(r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key)['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;}]+"),
     rf"\1{_HIDDEN}"),
)  # fmt: skip
_SECRET_NAMES = re.compile(r"(?i)authorization|password|passwd|secret|token|api_?key|cookie")

_OURS = frozenset({"ts", "level", "logger", "event", "exception"})
_OF_A_RECORD = frozenset({
    *vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName", "color_message",
    "applicationID", "applicationVersion", "executorID",  # of DBOS
})  # fmt: skip

# What others say in passing. DBOS writes to a handler of its own, unless it finds one.
_NOISY = ("alembic", "asyncio", "dbos", "evidently", "httpcore", "httpx", "matplotlib", "mlflow", "sqlalchemy",
          "urllib3", "uvicorn.access")  # fmt: skip


@contextmanager
def about(evaluation_id: str) -> Iterator[None]:
    """Let every line within the block carry the evaluation's id."""
    token = _evaluation.set(evaluation_id)
    try:
        yield
    finally:
        _evaluation.reset(token)


def configure(*, live: bool | None = None, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs of this process to stderr; doing so again replaces what there was.

    Args:
        live: whether a person looks on; else whether the stream is a terminal.
        level: of the lines to keep; other people's libraries only speak of warnings.
        stream: instead of stderr.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Human() if (stream.isatty() if live is None else live) else _Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in _NOISY:
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, root.level))
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = True


class _Json(logging.Formatter):
    """One JSON object of ASCII on one line: no control character, no reordering of text, no secret."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_said(record), default=str)


class _Human(logging.Formatter):
    """Time, level, event, then the fields; the lines of a traceback are indented below."""

    def format(self, record: logging.LogRecord) -> str:
        said = _said(record)
        at, level, _, event = (str(said.pop(name)) for name in ("ts", "level", "logger", "event"))
        trace = str(said.pop("exception", ""))
        fields = " ".join(f"{name}={value}" for name, value in said.items())
        first = plain(f"{at[11:19]} {level.upper():<8}{event}{'  ' if fields else ''}{fields}")
        return "\n".join((first, *(f"    {plain(line)}" for line in trace.splitlines())))


def _said(record: logging.LogRecord) -> dict[str, Any]:
    """Everything that a record says, without secrets."""
    said: dict[str, Any] = {
        "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": scrubbed(_message(record)),
    }
    evaluation_id = _evaluation.get() or getattr(record, "operationUUID", None)  # the name that DBOS gives it
    if evaluation_id is not None:
        said["evaluation_id"] = evaluation_id
    for name, value in vars(record).items():
        if name not in _OF_A_RECORD and name != "operationUUID" and value is not None:
            said[f"{name}_" if name in _OURS else name] = _clean(name, value)
    if record.exc_info and record.exc_info[0] is not None:
        said["exception"] = scrubbed(logging.Formatter().formatException(record.exc_info))
    return said


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments; a line whose arguments do not fit is still a line."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def scrubbed(text: str) -> str:
    """Hide passwords in URLs, credentials of headers, and what stands behind words such as password or token."""
    for pattern, hidden in _SECRETS:
        text = pattern.sub(hidden, text)
    return text


def _clean(name: str, value: Any) -> Any:
    """Scrub a field as deep as it goes."""
    if _SECRET_NAMES.search(name):
        return _HIDDEN
    match value:
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _clean(str(key), item) for key, item in value.items()}
        case list() | tuple():
            return [_clean(name, item) for item in value]
        case _:
            return scrubbed(str(value))
