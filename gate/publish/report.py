"""The files of a report: Evidently's, and our own page that links to them."""

from __future__ import annotations

from collections.abc import Mapping

from gate.flow.ports import OWN_PAGE, Gathered
from gate.publish.page import render_page


def report_files(document: Mapping[str, object], gathered: Gathered) -> dict[str, bytes]:
    """Everything that belongs into the folder of a report, by file name."""
    files = dict(gathered.report.files)
    page = render_page(document, gathered.pictures, beside=sorted(files))
    return files | {OWN_PAGE: page.encode()}
