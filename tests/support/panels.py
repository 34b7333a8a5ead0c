"""What a dashboard shows, and what it asks for it."""

from __future__ import annotations

from collections.abc import Iterator


def panels(dashboard: dict) -> Iterator[dict]:
    """Every panel that shows something."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def queries(dashboard: dict) -> Iterator[tuple[str, str]]:
    """Every query, of panels and of marks on them, with where it stands."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for mark in dashboard["annotations"]["list"]:
        yield mark["name"], mark["expr"]
