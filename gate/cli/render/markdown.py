"""The verdict as Markdown, for the step summary of a CI run or a comment on a change."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gate.cli.render.reading import (
    Document,
    headline,
    moment,
    most_urgent_first,
    passes,
    policy_place,
    side,
    standing,
    title,
    whose_predictions,
)  # fmt: skip
from gate.cli.render.table import REPORT_ONLY
from gate.domain.plain import plain

_ADDRESS = re.compile(r"https?://[^\s<>()\\\"'`]+")
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def render_markdown(document: Document, url: str | None = None) -> str:
    """Render a verdict as GitHub-flavoured Markdown, with a link to its page on a server where there is one."""
    banner = [] if document["enforced"] else [f"**{REPORT_ONLY}**", ""]
    lines = [*banner, *_head(document), *_findings(document), *_flips(document), *_foot(document, url), *banner]
    return "\n".join(lines).rstrip("\n") + "\n"


def markdown(text: object) -> str:
    """Write text so that Markdown shows it as it is, in a table cell too: no markup, no HTML, no links, no pipes."""
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _PUNCTUATION.sub(r"\\\1", safe)
    # Bare addresses become links, and names behind an @ notify people, unless something stands in between.
    safe = safe.replace("://", ":\\//").replace("www.", "www\\.")
    return re.sub(r"@(?=\w)", "@<!-- -->", safe)


def _head(document: Document) -> Iterator[str]:
    policy = document["policy"]
    yield f"## {markdown(headline(document))}"
    yield ""
    attempt = f", attempt {document['attempt']}" if document["attempt"] else ""
    stage = f"stage {markdown(document['stage'])}{attempt}"
    yield f"- policy {markdown(policy['name'])} ({markdown(policy['source'])}), {stage}"
    if document["champion"]:
        yield f"- champion version {markdown(document['champion']['version'])}"
    overridden = " (data overridden on the command line)" if document["data"]["overridden"] else ""
    yield f"- reference {markdown(side(document['data']['reference']))}"
    yield f"- current {markdown(side(document['data']['current']))}{overridden}"
    if predictions := whose_predictions(document):
        yield f"- predictions {markdown(predictions)}"
    yield ""


def _findings(document: Document) -> Iterator[str]:
    shown = [finding for finding in most_urgent_first(document["findings"]) if finding["status"] != "pass"]
    if shown:
        yield "| status | check | reason | to do | owner | policy |"
        yield "|---|---|---|---|---|---|"
        for finding in shown:
            waiver = f" ({finding['waiver']})" if finding.get("waiver") else ""
            cells = (standing(finding), title(finding), finding["reason"] + waiver, finding["remedy"],
                     finding["owner"], policy_place(document, finding))  # fmt: skip
            yield f"| {' | '.join(map(markdown, cells))} |"
        yield ""
    yield f"{passes(document)}."
    yield ""


def _flips(document: Document) -> Iterator[str]:
    if document["flip"]:
        yield "**What would turn this into a promotion**"
        yield ""
        yield from (f"- {markdown(change)}" for change in document["flip"])
        yield ""


def _foot(document: Document, url: str | None) -> Iterator[str]:
    named = markdown(document["id"])
    linked = f"[{named}](<{url}>)" if url and _ADDRESS.fullmatch(url) else named
    yield f"Valid until {markdown(moment(document['valid_until']))}. Verdict {linked}."
    yield ""
