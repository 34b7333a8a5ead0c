"""Whose predictions: bound only where the run or every row says so."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from gate.domain.candidate import Candidate
from gate.domain.columns import Column, Kind, Schema
from gate.domain.dataset import DatasetFacts, Source
from gate.flow.records import whose_predictions

CANDIDATE = Candidate("bike", "2", "sha256:aa", "run", "m-1", "models:/m-1")


@dataclass
class Rows:
    """A dataset that knows its versions."""

    values: tuple[str, ...] | None = None
    count: int = 10
    facts: DatasetFacts = field(init=False)

    def __post_init__(self) -> None:
        columns = () if self.values is None else (Column("model_version", "VARCHAR", Kind.CATEGORICAL),)
        self.facts = DatasetFacts("x", "sha256:bb", self.count, Schema(columns))

    def versions(self, column: str) -> tuple[str, ...]:
        return self.values or ()


def ask(rows: Rows, *, on_run: bool = False):
    return whose_predictions(CANDIDATE, rows, Source("x", on_run=on_run))


def test_data_logged_on_the_run_is_bound():
    assert ask(Rows(), on_run=True) == "bound"


def test_data_from_anywhere_is_unbound():
    assert ask(Rows()) == "unbound"


@pytest.mark.parametrize("version", ["2", "bike/2", "models:/bike/2"])
def test_a_version_column_that_names_the_candidate_throughout_binds(version: str):
    assert ask(Rows((version,))) == "bound"


def test_one_row_of_another_version_is_foreign_even_on_the_run():
    assert ask(Rows(("2", "1")), on_run=True) == ("1",)


def test_a_row_without_a_version_is_foreign():
    assert ask(Rows(("2", ""))) == ("",)


def test_no_rows_bind_nothing():
    assert ask(Rows((), count=0)) == "unbound"
