"""The addresses that the client shows: of the server, and of its pages."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

_LONGEST = 2_000
# Nothing that a terminal, a shell or Markdown would take for something else.
_HARMLESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%/+=&?,:@-]*)?")


def shown(url: str) -> str:
    """Write an address for people: without the user and the password that it may hold."""
    return re.sub(r"(?<=://)\S*@", "***@", url)


def page(server: str, stated: object, path: str) -> str:
    """The address of a page: the one that the server states, if it is one and harmless to show, else its own `path`."""
    own = shown(server) + path
    if not isinstance(stated, str) or len(stated) > _LONGEST:
        return own
    try:
        url = urljoin(f"{shown(server)}/", stated)
        return url if _HARMLESS.fullmatch(url) and urlsplit(url).hostname else own
    except ValueError:
        return own
