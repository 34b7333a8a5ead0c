"""The verdict for people at a terminal: the decision, what failed first, what would change it, what to do next."""

from __future__ import annotations

import shlex
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from gate.cli.render.reading import (
    Document,
    headline,
    moment,
    most_urgent_first,
    passes,
    policy_place,
    side,
    standing,
    stands_in_the_way,
    title,
    whose_predictions,
)  # fmt: skip
from gate.domain.plain import plain

REPORT_ONLY = "REPORT ONLY: this verdict enforces nothing and is no promotion"

_COLOURS: Mapping[str, str] = {
    "promote": "green", "hold": "red", "pass": "green", "warn": "yellow", "fail": "red", "insufficient": "yellow",
    "error": "magenta",
}  # fmt: skip
_LABEL = 13  # columns of a label, so that every text begins at the same place
_NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Page:
    """How to draw: the width in columns, colours or none, whether to list what passed, and where the report is."""

    width: int = 80
    colour: bool = False
    verbose: bool = False
    report: str | None = None
    previous: str | None = None  # id of the verdict before this one on the same model, to compare with
    url: str | None = None  # of the verdict's page on a server
    server: str | None = None  # named by the commands to try next, where GATE_URL does not name it

    def ink(self, text: str, word: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        """Colour `text` as `word` asks (a status or a decision), if colours are wanted at all."""
        if not self.colour:
            return text
        return click.style(text, fg=_COLOURS.get(word or ""), bold=bold or None, dim=dim or None)

    def wrapped(self, text: str, indent: int) -> list[str]:
        """Break `text` at blanks to the width, each line indented. A word longer than a line stays whole."""
        return _wrap(text, max(self.width, _NARROWEST) - indent)

    def labelled(self, label: str, text: str) -> Iterator[str]:
        """Lay out `text` beside its label."""
        for number, line in enumerate(self.wrapped(text, _LABEL + 2)):
            shown = self.ink(label.ljust(_LABEL), dim=True) if number == 0 else " " * _LABEL
            yield f"  {shown}{line}"


PLAIN_PAGE = Page()


def render_table(document: Document, page: Page = PLAIN_PAGE) -> str:
    """Render a verdict for a terminal. Nothing is cut off: long text wraps."""
    banner = [] if document["enforced"] else [page.ink(REPORT_ONLY, "warn", bold=True)]
    lines = [
        *banner,
        *_head(document, page),
        *_findings(document, page),
        *_flips(document, page),
        *_foot(document, page),
        *banner,
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(document: Document, page: Page) -> Iterator[str]:
    for line in page.wrapped(headline(document), 0):
        yield page.ink(line, document["decision"], bold=True)
    yield ""
    policy, champion, predictions = document["policy"], document["champion"], whose_predictions(document)
    attempt = f", attempt {document['attempt']}" if document["attempt"] else ""
    stage = f"stage {plain(document['stage'])}{attempt}"
    yield from page.labelled("policy", f"{plain(policy['name'])} ({plain(policy['source'])}), {stage}")
    if champion:
        yield from page.labelled("champion", f"version {plain(champion['version'])}")
    overridden = " (data overridden on the command line)" if document["data"]["overridden"] else ""
    yield from page.labelled("reference", side(document["data"]["reference"]))
    yield from page.labelled("current", side(document["data"]["current"]) + overridden)
    if predictions:
        yield from page.labelled("predictions", predictions)
    yield ""


def _findings(document: Document, page: Page) -> Iterator[str]:
    for finding in most_urgent_first(document["findings"]):
        if finding["status"] != "pass":
            yield from _finding(document, finding, page)
            yield ""
    passed = [finding for finding in document["findings"] if finding["status"] == "pass"]
    if page.verbose:
        for finding in passed:
            yield from _labelled_status(finding, title(finding), page)
            yield from (" " * (_LABEL + 2) + line for line in page.wrapped(plain(finding["reason"]), _LABEL + 2))
    else:
        hint = " (-v lists them)" if passed else ""
        yield f"{page.ink('PASS'.ljust(_LABEL), 'pass' if passed else None)}  {passes(document)}{hint}"
    yield ""


def _finding(document: Document, finding: Document, page: Page) -> Iterator[str]:
    yield from _labelled_status(finding, title(finding), page)
    indent = " " * (_LABEL + 2)
    texts = [plain(finding["reason"])]
    if finding.get("waiver"):
        texts.append(plain(finding["waiver"]))
    if finding["remedy"]:
        texts.append(f"to do: {plain(finding['remedy'])}")
    for text in texts:
        yield from (indent + line for line in page.wrapped(text, len(indent)))
    origin = ", ".join(filter(None, (
        str(finding["severity"]), plain(finding["owner"]) if finding["owner"] else "", policy_place(document, finding),
    )))  # fmt: skip
    yield from (page.ink(indent + line, dim=True) for line in page.wrapped(origin, len(indent)))


def _labelled_status(finding: Document, text: str, page: Page) -> Iterator[str]:
    """The status in its column and the title beside it; a long status gets a line of its own."""
    status = standing(finding)
    label = page.ink(status.ljust(_LABEL), finding["status"], bold=stands_in_the_way(finding))
    first, *rest = page.wrapped(text, _LABEL + 2)
    if len(status) > _LABEL:
        yield label
        label = " " * _LABEL
    yield f"{label}  {page.ink(first, bold=True)}"
    yield from (" " * (_LABEL + 2) + page.ink(line, bold=True) for line in rest)


def _flips(document: Document, page: Page) -> Iterator[str]:
    if not document["flip"]:
        return
    yield page.ink("What would turn this into a promotion", bold=True)
    for change in document["flip"]:
        first, *rest = page.wrapped(plain(change), 4)
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)
    yield ""


def _foot(document: Document, page: Page) -> Iterator[str]:
    yield from page.labelled("valid until", moment(document["valid_until"]))
    yield from page.labelled("verdict", plain(document["id"]))
    if page.report:
        yield from page.labelled("report", plain(page.report))
    if page.url:
        yield from page.labelled("page", plain(page.url))
    short = plain(document["id"])[:8]
    there = f" --server {shlex.quote(page.server)}" if page.server else ""
    compare = f"gate diff {plain(page.previous)[:8]} {short}{there}" if page.previous else ""
    listing = "" if page.verbose else f"gate show {short} -v{there}"
    again = next((plain(finding["reproduce"]) for finding in document["findings"] if finding["reproduce"]), "")
    for number, command in enumerate(filter(None, (listing, compare, again and f"{again}{there}"))):
        label = page.ink(("" if number else "next").ljust(_LABEL), dim=True)
        yield f"  {label}{command}"  # never wrapped: a command is there to be copied


def _wrap(text: str, width: int) -> list[str]:
    """Break at blanks only, counting wide characters (as in Chinese or Japanese) as two columns."""
    if text.isascii():
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
        return lines or [""]
    lines, line = [], ""
    for word in text.split():
        joined = f"{line} {word}" if line else word
        if line and _columns(joined) > width:
            lines.append(line)
            joined = word
        line = joined
    return [*lines, line]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
