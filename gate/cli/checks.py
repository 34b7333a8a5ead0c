"""`gate checks`: which kinds of checks there are, and what one of them requires."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Sequence

import click

from gate.checks.catalog import check_kinds
from gate.checks.explain import Explanation, Parameter, explain, shared_parameters
from gate.domain.finding import Dimension
from gate.errors import UsageError

_WIDTH = 80


@click.command("checks")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    r"""List the kinds of checks, or explain one of them.

    \b
    gate checks
    gate checks feature_drift
    """
    click.echo("\n".join(_listing() if kind is None else _explained(kind)))


def _listing() -> Iterator[str]:
    kinds = [explain(kind) for kind in check_kinds().values()]
    for dimension in Dimension:
        yield from _block(str(dimension), [one for one in kinds if one.dimension is dimension and not one.is_implicit])
    yield from _block("judged without being named", [one for one in kinds if one.is_implicit])
    yield "gate checks KIND explains one of them."


def _block(title: str, kinds: Sequence[Explanation]) -> Iterator[str]:
    if not kinds:
        return
    yield click.style(title, bold=True)
    for one in kinds:
        yield f"  {one.kind:<17}  {one.line}"
    yield ""


def _explained(kind: str) -> Iterator[str]:
    kinds = check_kinds()
    if kind not in kinds:
        close = difflib.get_close_matches(kind, kinds, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`gate checks` lists them"
        raise UsageError(f"unknown check kind {kind!r}; {hint}")
    one = explain(kinds[kind])
    named = ", judged without being named in a policy" if one.is_implicit else ""
    yield f"{click.style(one.kind, bold=True)}  ({one.dimension}{named})"
    for paragraph in one.text.split("\n\n"):
        yield ""
        yield textwrap.fill(paragraph.replace("\n", " "), _WIDTH, break_on_hyphens=False)
    if one.is_implicit:
        return
    yield from ("", click.style("Parameters", bold=True))
    yield from _table(one.parameters)
    yield from ("", click.style("Every check also takes", bold=True))
    yield from _table([shared for shared in shared_parameters() if shared.name != "check"])
    yield from ("", click.style("Example", bold=True), textwrap.indent(one.example.rstrip(), "  "))


def _table(parameters: Sequence[Parameter]) -> Iterator[str]:
    for one in parameters:
        default = "required" if one.default is None else f"default {one.default}"
        text = f"{one.allowed}; {default}; {one.tightening}"
        yield textwrap.fill(f"{one.name}: {text}", _WIDTH, initial_indent="  ", subsequent_indent=" " * 6)
