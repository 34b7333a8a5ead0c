"""Datasets: where rows are, which of them count, and what is known once they are opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gate.domain.columns import Schema

REGISTRY_SCHEMES = ("runs:", "models:", "mlflow-artifacts:")
"""How the URIs of artifacts begin that the registry keeps and hands out."""


class Side(StrEnum):
    """The two datasets of an evaluation."""

    REFERENCE = "reference"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Window:
    """The rows of `last` before `until` by the time in `column`; `until` None is the moment of the evaluation.

    Half open at the old end: until - last < time <= until.
    """

    column: str
    last: timedelta
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LateLabels:
    """Truth that arrives later: joined to the rows by `on`. Rows younger than `delay` are not labelled yet."""

    uri: str
    on: str
    delay: timedelta


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of one side are. At most one of `window` and `last_rows`.

    `uri` is what people see (and what stands in the verdict); `path` is where the bytes are if that is elsewhere,
    for example after the registry downloaded an artifact.
    """

    uri: str
    window: Window | None = None
    last_rows: int | None = None
    labels: LateLabels | None = None
    path: str | None = None
    timestamp: str | None = None  # the time of a row, where no window names one: for `last_rows` and the labels' delay
    on_run: bool = False  # logged on the candidate's own run: its predictions are bound to the candidate


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is known of an opened dataset before any column is measured."""

    uri: str
    digest: str  # of the manifest of its files and the resolved window; `none` where the source has no bytes
    rows: int
    schema: Schema
    since: datetime | None = None
    until: datetime | None = None
    content: str = ""  # of the bytes of its files and the resolved window, without names and labels; "" without bytes
    undated: int = 0  # rows that are in no window because their time is null
