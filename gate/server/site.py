"""What all pages share: their frame, their headers, their addresses, and how they say that something is wrong."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import ChoiceLoader, PackageLoader
from markupsafe import Markup
from starlette.exceptions import HTTPException

from gate.domain.plain import plain
from gate.errors import GateError
from gate.publish.findings import title
from gate.publish.markup import environment, moment
from gate.publish.svg import draw_share
from gate.server.assets import asset_path
from gate.server.icons import icon
from gate.server.problem import ProblemError, problem_of

_log = logging.getLogger(__name__)

# Nothing inline, nothing from elsewhere: markup that got in could neither run nor call home.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # what `frame-ancestors` says, for what is older
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
_TITLES = {400: "This address cannot be read", 404: "There is no such page", 405: "This page can only be read"}


class Links:
    """Addresses of pages and files, below the path of the public address; names are quoted here and nowhere else."""

    def __init__(self, public_url: str | None) -> None:
        self.public_url = public_url
        self._root = urlsplit(public_url).path.rstrip("/") if public_url else ""

    def home(self, show: str = "") -> str:
        """The portfolio, or one answer of it."""
        return f"{self._root}/" + (f"?show={quote(show, safe='')}" if show else "")

    def model(self, name: str) -> str:
        """A model's page."""
        return f"{self._root}/models/{quote(name, safe='')}"

    def badge(self, name: str) -> str:
        """A model's badge."""
        return f"{self.model(name)}/badge.svg"

    def verdict(self, verdict_id: str) -> str:
        """A verdict's page."""
        return f"{self._root}/verdicts/{quote(verdict_id, safe='')}"

    def report(self, verdict_id: str, name: str = "") -> str:
        """The page that frames a file of the report."""
        return f"{self.verdict(verdict_id)}/report/" + (f"?file={quote(name, safe='')}" if name else "")

    def file(self, verdict_id: str, name: str) -> str:
        """A file of the report itself."""
        return f"{self._root}/v1/verdicts/{quote(verdict_id, safe='')}/report/{quote(name, safe='')}"

    def json(self, verdict_id: str) -> str:
        """The verdict document."""
        return f"{self._root}/v1/verdicts/{quote(verdict_id, safe='')}"

    def evaluation(self, evaluation_id: str) -> str:
        """An evaluation's page."""
        return f"{self._root}/evaluations/{quote(evaluation_id, safe='')}"

    def evaluation_json(self, evaluation_id: str) -> str:
        """An evaluation as JSON."""
        return f"{self._root}/v1/evaluations/{quote(evaluation_id, safe='')}"

    def events(self, evaluation_id: str) -> str:
        """An evaluation's event stream."""
        return f"{self.evaluation_json(evaluation_id)}/events"

    def static(self, name: str) -> str:
        """A style sheet, the script, the icon."""
        return self._root + asset_path(name)

    def public(self, path: str) -> str:
        """A path as people outside would type it; the path alone where nobody knows the server's address."""
        return f"{self.public_url}{path.removeprefix(self._root)}" if self.public_url else path


class Site:
    """Renders pages, with their headers."""

    def __init__(self, public_url: str | None) -> None:
        self.links = Links(public_url)
        loader = ChoiceLoader([PackageLoader("gate.server"), PackageLoader("gate.publish")])
        self._environment = environment(loader)
        self._environment.filters.update(when=when, title_of=title)
        self._environment.globals.update(links=self.links, icon=icon, bar=draw_share)

    def show(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """Render a page, or say that the reader has it already."""
        body = self._environment.get_template(template).render(**values).encode()
        if status != 200:
            return Response(body, status, HEADERS, "text/html; charset=utf-8")
        headers = HEADERS | {"ETag": f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, status, headers, "text/html; charset=utf-8")

    def problem(self, request: Request, problem: ProblemError) -> Response:
        """Say on a page what a problem document says to programs."""
        return self._wrong(request, problem.status, problem.kind.title, problem.detail, problem.headers)

    def route(self) -> type[APIRoute]:
        """The kind of route whose errors are pages."""
        site = self

        class PageRoute(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def answer(request: Request) -> Response:
                    try:
                        return await handle(request)
                    except HTTPException as wrong:
                        title = _TITLES.get(wrong.status_code, "Something went wrong")
                        return site._wrong(request, wrong.status_code, title, wrong.detail)
                    except RequestValidationError:
                        return site._wrong(request, 400, _TITLES[400], "A part of it is not of its kind.")
                    except GateError as wrong:
                        _log.warning("a page could not be made: %s: %s", type(wrong).__name__, wrong)
                        return site.problem(request, problem_of(wrong))

                return answer

        return PageRoute

    def _wrong(
        self, request: Request, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        shown = self.show(request, "problem.html.j2", status=status, title=title, detail=detail, code=status)
        shown.headers.update(headers or {})
        return shown


def when(value: datetime | str | None) -> Markup:
    """Show a time in UTC, to the minute, in a `<time>` that machines can read; nothing if there is none."""
    if not value:
        return Markup("")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return Markup("{}").format(plain(value))
    exact = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(exact, moment(exact))
