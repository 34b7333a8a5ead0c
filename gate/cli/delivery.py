"""A verdict delivered: the report folder, files in every format, the CI system's summary, stdout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.cli.output import (
    Destination,
    ReportFolder,
    append_step_outputs,
    append_step_summary,
    emit,
    terminal_width,
    wants_colour,
)
from gate.cli.render.json import render_json
from gate.cli.render.junit import render_junit
from gate.cli.render.markdown import render_markdown
from gate.cli.render.table import Page, render_table

if TYPE_CHECKING:
    from gate.flow.keep import Outcome

RENDERERS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "table": render_table,
    "json": render_json,
    "junit": render_junit,
    "markdown": render_markdown,
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a verdict goes, and in which formats: `form` on stdout, `files` as (format, file)."""

    form: str = "table"
    files: tuple[tuple[str, Destination], ...] = ()
    folder: ReportFolder | None = None
    verbose: bool = False

    def prepare(self) -> None:
        """Refuse what cannot be written, before the work rather than after it."""
        for _, file in self.files:
            file.prepare()
        if self.folder:
            self.folder.prepare()

    def report(self, outcome: Outcome) -> Path | None:
        """Write the report, if one is wanted; the path of our own page."""
        return self.folder.write(outcome.report) if self.folder else None

    def write(
        self, document: Mapping[str, Any], page: Path | None = None, previous: str | None = None, *,
        url: str | None = None, server: str | None = None,
    ) -> None:  # fmt: skip
        """Write the files, then what the CI system reads, and stdout last: once it stands there, all is written.

        `previous` is the id of the verdict before this one, to compare with; `url` the verdict's page on a server;
        `server` the address to name in commands that ask it.
        """
        for form, file in self.files:
            file.write(RENDERERS[form](document).encode())
        append_step_summary(render_markdown(document, url))
        decision = document["decision"] if document["enforced"] else "report-only"
        append_step_outputs({"decision": decision, "verdict_id": document["id"], "verdict_url": url or ""})
        if self.form == "json":
            emit(render_json(document))
        else:
            shown = Page(
                terminal_width(), wants_colour(), self.verbose, str(page) if page else None, previous, url, server
            )
            emit(render_table(document, shown))
