"""The one place that turns what MLflow and its HTTP client raise into gate's own errors."""

from __future__ import annotations

import re

from gate.errors import DataError, GateError, RegistryError, UsageError
from gate.registry.address import without_userinfo

# MLflow reports a refused connection, a 503 and a page of HTML with the same error code (INTERNAL_ERROR, 500), and so
# the text has to tell them apart. The first match wins; `{0}` is the group of the pattern. The word is for counting;
# an empty one follows from the HTTP status in the group.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"UNAUTHENTICATED|CUSTOMER_UNAUTHORIZED|error code 401|\b401 Client Error|Unauthorized|Not authenticated",
        "it refuses the user; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        "denied",
    ),
    (
        r"PERMISSION_DENIED|error code 403|\b403 Client Error|Forbidden",
        "this user may not read it; ask for READ, or set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        "denied",
    ),
    (r"too many (\d{3}) error responses", "it keeps answering HTTP {0}; try again later", ""),
    (r"[Tt]oo many redirects|Exceeded \d+ redirects", "it redirects in a circle", "bad_response"),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSL:",
        "its TLS certificate is not accepted; MLFLOW_TRACKING_SERVER_CERT_PATH names the authority to trust",
        "server_error",
    ),
    (
        r"Name or service not known|Failed to resolve|NameResolutionError|nodename nor servname|name resolution",
        "its host name does not resolve",
        "server_error",
    ),
    (r"Connection refused|ConnectionRefusedError", "the connection is refused; is the server up?", "server_error"),
    (r"[Tt]imed out|timeout exception", "it does not answer in time", "timeout"),
    (
        r"RemoteDisconnected|Connection aborted|Connection reset|IncompleteRead|Connection broken",
        "it breaks the connection off",
        "server_error",
    ),
    (r"No route to host|Network is unreachable", "there is no network route to it", "server_error"),
    (
        r"not in a valid JSON|JSONDecodeError|Expecting value|ParseError|Failed to parse",
        "its answer is not MLflow's; is this the address of an MLflow server?",
        "bad_response",
    ),
    (
        r"ENDPOINT_NOT_FOUND|error code 404|\b404 Client Error",
        "it has no MLflow API (404); is this the address of an MLflow server, of version 3 or later?",
        "bad_response",
    ),
    (r"error code (\d{3})|\b(\d{3}) (?:Client|Server) Error", "it answers HTTP {0}", ""),
    (
        r"\bInvalid path\b",
        "a file in it has a name that MLflow does not transfer ('#', '..' or a back slash in it)",
        "bad_response",
    ),
    (r"FEATURE_DISABLED.*workspace", "it keeps no workspaces; unset MLFLOW_WORKSPACE", "bad_response"),
    (r"database is locked", "the database is locked by another process; try again", "server_error"),
    (
        r"out-of-date database schema",
        "it was written by another release of MLflow; serve it with that release, or run `mlflow db upgrade`",
        "server_error",
    ),
)

_STATUSES = {"408": "timeout", "429": "rate_limited", "404": "bad_response"}
_MOST_SHOWN = 400  # characters of a message that fits none of these


def is_absent(error: Exception) -> bool:
    """Whether MLflow says that the thing asked for does not exist."""
    return getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST"


def answer_of(error: Exception) -> str:
    """Say in a word what kind of answer this was: denied, timeout, bad_response, ... Who is unreachable is an error."""
    if is_absent(error):
        return "not_found"
    text = _text(error)
    for pattern, _, word in _CAUSES:
        if match := re.search(pattern, text):
            return word or _STATUSES.get(next(group for group in match.groups() if group), "server_error")
    return "server_error"


def translated(error: Exception, place: str) -> GateError:
    """Say what went wrong at `place` (an address without secrets), in a person's words."""
    if isinstance(error, GateError):
        return error
    if isinstance(error, ModuleNotFoundError) and error.name:
        return UsageError(f"{place}: its files cannot be read without the Python package {error.name!r}; install it")
    text = _text(error)
    for pattern, meaning, _ in _CAUSES:
        if match := re.search(pattern, text):
            return RegistryError(f"{place}: {meaning.format(*(group for group in match.groups() if group))}")
    if isinstance(error, OSError) and error.errno is not None:
        return DataError(f"{place}: {error.strerror}")
    return RegistryError(f"{place}: {text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + ' ...'}")


def _text(error: Exception) -> str:
    """Give the error's code and message on one printable line, without anybody's password."""
    code = getattr(error, "error_code", None)
    line = " ".join(f"{type(error).__name__}: {code + ': ' if isinstance(code, str) else ''}{error}".split())
    return "".join(character if character.isprintable() else "?" for character in without_userinfo(line))
