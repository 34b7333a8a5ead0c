"""The few files that pages load: style sheets, one script, one icon. Their addresses carry their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file with its content type and the first digits of its digest."""

    body: bytes
    content_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """All files by name. The first style sheet is the report's own, so that pages and reports look alike."""
    found = {"page.css": (files("gate.publish") / "templates" / "page.css").read_bytes()}
    for name in ("site.css", "live.js", "icon.svg"):
        found[name] = (files("gate.server") / "static" / name).read_bytes()
    return {
        name: Asset(body, _TYPES[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:12])
        for name, body in found.items()
    }


def asset_path(name: str) -> str:
    """The path of a file, which changes when the file does."""
    return f"/static/{assets()[name].digest}/{name}"


def asset_routes() -> APIRouter:
    """Serve the files. An address of another build gets today's file, but may not keep it."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
    def static(request: Request, digest: str, name: str) -> Response:
        asset = assets().get(name)
        if asset is None:
            raise HTTPException(404, "there is no such file")
        tag = f'"{asset.digest}"'
        headers = {
            "Cache-Control": _FOREVER if digest == asset.digest else "no-cache",
            "ETag": tag,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.content_type, headers=headers)

    return router
