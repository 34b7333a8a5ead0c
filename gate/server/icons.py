"""Small drawings that stand beside a word, never for it."""

from __future__ import annotations

from markupsafe import Markup

_PATHS = {
    "promote": '<circle cx="8" cy="8" r="7"/><path d="M4.8 8.3l2.2 2.2 4.3-4.6"/>',
    "hold": '<path d="M5.1 1.2h5.8l3.9 3.9v5.8l-3.9 3.9H5.1l-3.9-3.9V5.1z"/>'
    '<path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8"/>',
    "stale": '<circle cx="8" cy="8" r="7"/><path d="M8 4v4.3l2.8 1.7"/>',
    "report only": '<path d="M1 8c1.7-3 4-4.5 7-4.5S13.3 5 15 8c-1.7 3-4 4.5-7 4.5S2.7 11 1 8z"/>'
    '<circle cx="8" cy="8" r="2.2"/>',
    "none": '<circle cx="8" cy="8" r="7" stroke-dasharray="2.5 2.5"/><path d="M5 8h6"/>',
    "queued": '<path d="M4 1.5h8M4 14.5h8M4.5 1.5c0 4 7 5 7 6.5s-7 2.5-7 6.5"/>'
    '<path d="M11.5 1.5c0 4-7 5-7 6.5s7 2.5 7 6.5"/>',
    "running": '<circle cx="8" cy="8" r="7"/><path d="M6.5 5l4.5 3-4.5 3z"/>',
    "error": '<path d="M8 1.5l7 13H1z"/><path d="M8 6v4M8 12v.3"/>',
    "cancelled": '<circle cx="8" cy="8" r="7"/><path d="M3.2 12.8l9.6-9.6"/>',
}
_SAME = {"done": "promote", "insufficient": "none", "fail": "hold", "warn": "error", "pass": "promote"}


def icon(word: object) -> Markup:
    """Draw what belongs to a word; an unknown one gets the icon of nothing. It only repeats the word: it is silent."""
    path = _PATHS.get(_SAME.get(str(word), str(word)), _PATHS["none"])
    return Markup(f'<svg class="icon" aria-hidden="true" viewBox="0 0 16 16">{path}</svg>')  # noqa: S704  # from above
