"""Our own report page: one HTML file, no script, nothing loaded from anywhere.

Everything in it that people wrote (names, values, reasons) is shown through `plain` and escaped; the page's own policy
(`default-src 'none'`) would stop a script even if one got in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import PackageLoader, Template

from gate.domain.picture import Pictures
from gate.publish.findings import CAUSES, show_findings
from gate.publish.markup import environment


def render_page(document: Mapping[str, Any], pictures: Pictures, *, beside: Sequence[str] = ()) -> str:
    """Render a verdict document with its pictures as one HTML page.

    Args:
        document: the verdict, `gate.verdict/v1`.
        pictures: what there is to draw; findings about a column get that column's drawings.
        beside: names of the files in the same folder, to link to.
    """
    findings = show_findings(document, pictures)
    return template().render(
        document=document,
        cause=CAUSES.get(str(document["cause"]), ""),
        urgent=[shown for shown in findings if not shown.is_pass],
        passed=[shown for shown in findings if shown.is_pass],
        beside=beside,
        engine=", ".join(f"{name} {version}" for name, version in document["engine"].items()),
    )


@cache
def template() -> Template:
    """The page and what it imports, compiled: once in a process, with the first report or before it."""
    made = environment(PackageLoader("gate.publish"))
    for name in made.list_templates():
        made.get_template(name)
    return made.get_template("page.html.j2")
