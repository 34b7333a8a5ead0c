"""Under which names a browser may ask for a change: the defence against DNS rebinding.

A page of another site whose name was made to lead to this server is, to the browser, of the same site as the server:
only the name tells. Programs send no `Origin`, and may use any name.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from gate.server.problem import ProblemError


def refuse_foreign_host(headers: list[tuple[bytes, bytes]], public_url: str) -> None:
    """Raise ProblemError if a browser asks under a name that is not the server's.

    The server's are that of `public_url`, those of this machine, and addresses, which no DNS leads elsewhere. A proxy
    that puts a name of its own into `Host` leaves `Origin`, which then has to be the public one.
    """
    origins = [value for name, value in headers if name == b"origin"]
    if not origins:
        return
    public = _host_of(public_url)
    named = [f"//{value.decode('latin-1')}" for name, value in headers if name == b"host"]
    if all(_is_ours(_host_of(host), public) for host in named) and named:
        return
    if all(_host_of(origin.decode("latin-1")) == public for origin in origins):
        return
    raise ProblemError(
        "unknown-host", "a browser asks under a name that this server does not have: see GATE_PUBLIC_URL"
    )


def _is_ours(host: str | None, public: str | None) -> bool:
    if host is None:
        return False
    return host in (public, "localhost") or host.endswith(".localhost") or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host_of(url: str) -> str | None:
    """The host of a URL, in lower case; None where there is none that can be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
