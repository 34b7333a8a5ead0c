"""From requests to statements: what runs together, and that one column never breaks another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import duckdb
from sqlglot import exp

from gate.datasets.parts.answering import Arrays, Rows, Unanswered, guarded, refuse_many_groups
from gate.datasets.parts.bins import bins_arm, cut_at_k, read_bins
from gate.datasets.parts.counts import answer_count
from gate.datasets.parts.grid import fit_grids
from gate.datasets.parts.outcomes import answer_outcome
from gate.datasets.parts.values import read_values, values_arm
from gate.datasets.storage import Family, family
from gate.domain.columns import Kind
from gate.domain.evidence import Missing
from gate.domain.part import Bins, ClassLoss, Confusion, ErrorSums, GridOf, PartRequest, ScoreBins, Split, Values
from gate.statistics.parts import Part

MOST_ARMS = 100
"""Columns in one statement: beyond, planning costs more than what is shared."""

R = TypeVar("R", GridOf, Bins, Values)


def answer(rows: Rows, requests: Iterable[PartRequest], total: int) -> dict[PartRequest, Part | Missing]:
    """Answer every request.

    Args:
        rows: where the rows are attached.
        requests: what is asked, each once.
        total: the number of rows, which is known.

    Raises:
        DataError: the files cannot be read.
    """
    answers: dict[PartRequest, Part | Missing] = {}
    together: dict[tuple[type, bool], list[GridOf | Bins | Values]] = {}
    groups = _Groups(rows)
    for request in requests:
        refused = groups.refusal(getattr(request, "split", None))
        if refused is not None:
            answers[request] = refused
        elif isinstance(request, GridOf | Bins | Values):
            together.setdefault((type(request), getattr(request, "split", None) is not None), []).append(request)
        else:
            answers[request] = _alone(rows, request)
    for some in together.values():
        answers |= _in_batches(rows, some, total)
    return answers


class _Groups:
    """Which splits have too many groups, each counted once."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: dict[Split, Missing | None] = {}

    def refusal(self, split: Split | None) -> Missing | None:
        if split is None:
            return None
        if split not in self._known:
            found = guarded(self._rows, f"a split by {split.column!r}", lambda: refuse_many_groups(self._rows, split))
            self._known[split] = found
        return self._known[split]


def _alone(rows: Rows, request: PartRequest) -> Part | Missing:
    what = f"{type(request).__name__} of {_column(request)!r}"
    if isinstance(request, Confusion | ScoreBins | ClassLoss | ErrorSums):
        return guarded(rows, what, lambda: answer_outcome(rows, request))
    assert not isinstance(request, GridOf | Bins | Values)
    return guarded(rows, what, lambda: answer_count(rows, request))


def _column(request: PartRequest) -> str:
    return getattr(request, "column", None) or getattr(request, "target", None) or "rows"


def _in_batches(
    rows: Rows, requests: Sequence[GridOf | Bins | Values], total: int
) -> dict[PartRequest, Part | Missing]:
    """Run requests of one shape in as few statements as is good.

    Texts read as numbers may fail, so they run alone from the start; so does each one of a batch that failed.
    """
    answers: dict[PartRequest, Part | Missing] = {}
    sound = [r for r in requests if not _may_fail(rows, r)]
    for start in range(0, len(sound), MOST_ARMS):
        batch = sound[start : start + MOST_ARMS]
        try:
            answers |= _statement(rows, batch, total)
        except duckdb.Error:
            continue
    for request in requests:
        if request not in answers:
            what = f"{type(request).__name__} of {request.column!r}"
            answers[request] = guarded(rows, what, _only(rows, request, total))
    return answers


def _only(rows: Rows, request: GridOf | Bins | Values, total: int) -> Callable[[], Part]:
    def run() -> Part:
        found = _statement(rows, [request], total)[request]
        if isinstance(found, Missing):
            raise Unanswered(found.reason)
        return found

    return run


def _may_fail(rows: Rows, request: GridOf | Bins | Values) -> bool:
    column = rows.schema.find(request.column)
    if column is None or column.kind is Kind.OTHER:
        return True
    return family(column) is Family.TEXT and not isinstance(request, Values)


def _statement(rows: Rows, batch: Sequence[GridOf | Bins | Values], total: int) -> dict[PartRequest, Part | Missing]:
    """Answer requests of one shape by one statement."""
    grids = [r for r in batch if isinstance(r, GridOf)]
    if grids:
        return dict(fit_grids(rows, grids, total))
    arms: list[exp.Expr] = [
        bins_arm(rows, r, k) if isinstance(r, Bins) else values_arm(rows, r, k)
        for k, r in enumerate(batch)
        if not isinstance(r, GridOf)
    ]
    cut: Sequence[Arrays] = cut_at_k(rows.fetch(*arms), len(batch))
    answers: dict[PartRequest, Part | Missing] = {}
    for request, arrays in zip(batch, cut, strict=True):
        if isinstance(request, Bins):
            answers[request] = read_bins(rows, request, arrays)
        elif isinstance(request, Values):
            answers[request] = read_values(request, arrays)
    return answers
