"""Addresses of registries: which one is meant, which kinds can be read, and how one is shown without its secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from gate.errors import UsageError

_HOW = (
    "set MLFLOW_TRACKING_URI to a server (http://HOST:5000) or an SQLite registry (sqlite:////ABSOLUTE/PATH/mlflow.db)"
)
_USERINFO = re.compile(r"(?<=://)[^/\s@]*@")


def shown(uri: str) -> str:
    """Strip the user, the password and the query of a URI, for messages."""
    scheme, mark, rest = uri.partition("://")
    if not mark:
        return uri
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"


def without_userinfo(text: str) -> str:
    """Strip the user and the password of every URI inside a text that somebody else wrote."""
    return _USERINFO.sub("", text)


def registry_address(given: str | None, variables: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Choose the registry's address: the given one, else the first of `variables` that is set.

    MLflow itself falls back to files in the working directory and creates them; an empty registry made on the spot
    would only ever answer "no such model", so having no address is a UsageError here.
    """
    uri = given or next((environment[name] for name in variables if environment.get(name)), None)
    if uri is None:
        raise UsageError(f"no model registry is configured; {_HOW}")
    if uri != uri.strip() or any(ord(character) < 32 for character in uri):
        raise UsageError(f"the registry address {shown(uri)!r} contains white space around it or control characters")
    scheme = urlsplit(uri).scheme
    if scheme in ("http", "https"):
        if not urlsplit(uri).hostname:
            raise UsageError(f"the registry address {shown(uri)!r} names no host; {_HOW}")
    elif scheme in ("", "file"):
        raise UsageError(
            f"the registry address {shown(uri)!r} is a folder, which MLflow no longer keeps registries in; convert it "
            f"with `mlflow migrate-filestore`, then {_HOW}"
        )
    elif scheme != "sqlite":
        raise UsageError(f"gate cannot read a registry at {shown(uri)!r} ({scheme}); {_HOW}")
    return uri


def is_http(uri: str) -> bool:
    """Whether the registry is a server."""
    return urlsplit(uri).scheme in ("http", "https")
