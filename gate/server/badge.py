"""The badge: a model's answer as a small picture for a README or a dashboard.

It never says more than the newest verdict does today: a promotion whose validity is over is `stale`, report-only is
`report only`, and a model that nobody judged is `none`. That last one is a picture too, with status 200: a badge stands
in pages that were written before the first verdict, proxies of code hosts drop pictures that come with an error, and
`none` lets nothing through. If the database does not answer, there is no badge but a 503: an old one must not live on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from markupsafe import escape

from gate.domain.plain import plain
from gate.server.pages import now_in_utc
from gate.server.service import Service
from gate.server.view.standing import Answer, answer_of

_COLOURS = {  # each carries white text at more than 4.5 to 1
    Answer.PROMOTE: "#1b6e3c",
    Answer.HOLD: "#b3261e",
    Answer.STALE: "#8a5a00",
    Answer.REPORT_ONLY: "#59616c",
    Answer.NONE: "#59616c",
}
_HEADERS = {
    "Cache-Control": "no-cache, max-age=0",  # asked for each time: yesterday's promotion is no promotion
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",  # it is made to be shown elsewhere
}
_CHARACTER, _MARGIN, _LONGEST = 6.6, 7, 24  # widths at 11 px, in px; characters


def draw_badge(label: str, answer: Answer, title: str) -> str:
    """Draw two fields: a label, and the answer in its colour. Both texts are set to the width that is drawn."""
    left, right = _short(label), str(answer)
    text_left, text_right = len(left) * _CHARACTER, len(right) * _CHARACTER
    edge = text_left + 2 * _MARGIN
    width = edge + text_right + 2 * _MARGIN
    said = escape(plain(title))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="20" viewBox="0 0 {width:.1f} 20" '
        f'role="img" aria-label="{said}"><title>{said}</title>'
        f'<clipPath id="r"><rect width="{width:.1f}" height="20" rx="4"/></clipPath><g clip-path="url(#r)">'
        f'<rect width="{edge:.1f}" height="20" fill="#2f353d"/>'
        f'<rect x="{edge:.1f}" width="{width - edge:.1f}" height="20" fill="{_COLOURS[answer]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text x="{_MARGIN}" y="14" textLength="{text_left:.1f}">{escape(left)}</text>'
        f'<text x="{edge + _MARGIN:.1f}" y="14" textLength="{text_right:.1f}" font-weight="bold">{escape(right)}</text>'
        f"</g></svg>\n"
    )


def badge_routes(service: Service, clock: Callable[[], datetime] = now_in_utc) -> APIRouter:
    """The route of badges."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/models/{name}/badge.svg", methods=["GET", "HEAD"])
    def badge(request: Request, name: str, stage: str | None = None) -> Response:
        """The newest verdict on the model, in one stage or in whichever stage it was judged last."""
        documents, _ = service.archive.page(model_name=name, stage=stage, limit=1)
        if documents:
            document = documents[0]
            answer = answer_of(document, clock())
            version, judged_in = document["model"]["version"], document["stage"]
            title = f"gate, {judged_in}: {name} version {version}: {answer}"
        else:
            answer, judged_in = Answer.NONE, stage or ""
            title = f"gate{f', {stage}' if stage else ''}: {name}: no verdict"
        body = draw_badge(f"gate {judged_in}".strip(), answer, title).encode()
        headers = _HEADERS | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="image/svg+xml")

    return router


def _short(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
