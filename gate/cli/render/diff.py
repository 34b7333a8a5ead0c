"""The difference of two verdicts, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gate.checks.judging import number
from gate.cli.render.reading import moment, standing
from gate.cli.render.table import PLAIN_PAGE, Page
from gate.domain.plain import plain


def render_diff(difference: Mapping[str, Any], page: Page = PLAIN_PAGE) -> str:
    """Render a `gate.diff/v1` document."""
    before, after = difference["before"], difference["after"]
    lines = [
        page.ink(f"{_answer(before)} -> {_answer(after)}", after["decision"], bold=True),
        "",
        *page.labelled("before", f"{plain(before['id'])}, {moment(before['evaluated_at'])}"),
        *page.labelled("after", f"{plain(after['id'])}, {moment(after['evaluated_at'])}"),
        *_inputs(difference["inputs"], page),
        *_findings(difference["findings"], page),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _answer(verdict: Mapping[str, Any]) -> str:
    cause = f" ({plain(verdict['cause'])})" if verdict["cause"] else ""
    return plain(verdict["decision"]).upper() + cause


def _inputs(inputs: list[Mapping[str, Any]], page: Page) -> Iterator[str]:
    yield ""
    if not inputs:
        yield "The inputs are the same."
        return
    yield page.ink("Inputs that changed", bold=True)
    for change in inputs:
        text = f"{change['what']}: {_value(change['before'])} -> {_value(change['after'])}"
        first, *rest = page.wrapped(text, 4)
        yield f"  - {first}"
        yield from (f"    {line}" for line in rest)


def _findings(findings: list[Mapping[str, Any]], page: Page) -> Iterator[str]:
    yield ""
    if not findings:
        yield "The findings are the same."
        return
    yield page.ink("Findings that changed", bold=True)
    for change in findings:
        yield from _finding(change, page)


def _finding(change: Mapping[str, Any], page: Page) -> Iterator[str]:
    what = ", ".join(map(plain, change["subject"].values()))
    named = f"{plain(change['check'])}({what})" if what else plain(change["check"])
    ended = change["after"] or change["before"]
    first, *rest = page.wrapped(f"{named}: {_transition(change)}", 4)
    yield f"  - {page.ink(first, ended['status'])}"
    yield from (f"    {line}" for line in rest)
    yield from (f"    {line}" for line in page.wrapped(plain(ended["reason"]), 4))


def _transition(change: Mapping[str, Any]) -> str:
    was, now = change["before"], change["after"]
    match change["change"]:
        case "appeared":
            return f"new, {standing(now)}"
        case "vanished":
            return f"gone, was {standing(was)}"
        case "status":
            return f"{standing(was)} -> {standing(now)}{_numbers(was, now)}"
        case "limit":
            return f"limit {_limit(was['limit'])} -> {_limit(now['limit'])}{_numbers(was, now)}"
        case _:
            return f"{standing(now)}{_numbers(was, now)}"


def _numbers(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = was["measured"], now["measured"]
    return "" if old == new else f", {_value(old)} -> {_value(new)}"


def _limit(limit: Mapping[str, float] | None) -> str:
    return ", ".join(f"{side} {number(value)}" for side, value in (limit or {}).items()) or "none"


def _value(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case str() if value.startswith("sha256:"):
            return value[: len("sha256:") + 12]
        case _:
            return plain(value)
