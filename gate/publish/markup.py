"""Templates become markup: whatever people wrote is made plain, then escaped; a missing value is an error."""

from __future__ import annotations

from datetime import datetime

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from gate.checks.judging import number, percent
from gate.domain.plain import plain


def environment(loader: BaseLoader) -> Environment:
    """Make the environment of our templates, with the filters that all of them use."""
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else plain("" if value is None else value),
    )
    made.filters.update(moment=moment, number=number, percent=percent)
    return made


def moment(text: str | None) -> str:
    """A time of the document for people: `6 December 2026, 12:00 UTC`."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
