"""A real browser for tests, and what every page is held to in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

ARGUMENTS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # whatever a page asks for, nothing leaves
)
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(
  `${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile || ''}:${event.lineNumber || ''}`));
"""


def require_chromium() -> str:
    """Find the browser; without one the test is skipped, or fails where REQUIRE_CHROMIUM says that it must be there."""
    found = shutil.which("chromium")
    if found is None:
        reason = "needs Debian's chromium, which is not installed: apt-get install chromium"
        if os.environ.get("REQUIRE_CHROMIUM"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one, and end it."""
    path = require_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page with everything that went wrong on it, every address that it asked for, and why it did not get some."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.add_init_script(_WATCH)
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._refused)

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _refused(self, request: Request) -> None:
        self.failed[request.url] = request.failure or ""

    def violations(self) -> list[str]:
        """What the page's content security policy stopped."""
        return list(self.page.evaluate("window.__violations"))

    def axe(self) -> list[str]:
        """What the accessibility rules find, in words."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
        return [
            f"{rule['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def overflow(self) -> list[str]:
        """What is wider than the window, so that the whole page would scroll sideways."""
        return list(
            self.page.evaluate(
                """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
                [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
                .slice(0, 5).map(e => e.outerHTML.slice(0, 160))"""
            )
        )


@contextmanager
def watched(
    browser: Browser, *, width: int = 1280, height: int = 900, scheme: str = "light", script: bool = True
) -> Iterator[Watched]:
    """Open a page of its own, with nothing remembered from others."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    try:
        yield Watched(context.new_page())
    finally:
        context.close()
