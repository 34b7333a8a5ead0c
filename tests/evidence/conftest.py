"""Two frames as the two sides of an evaluation: written as parquet, read by the real datasets."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest

from gate.datasets.duck import DuckDatasets
from gate.domain.columns import Kind
from gate.domain.dataset import Source
from gate.domain.evidence import Reading
from gate.domain.need import Need
from gate.domain.scope import Roles, Scope, Task
from gate.evidence.gather import EvidentlyEvidence
from gate.flow.ports import Dataset, Gathered

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """Two opened datasets and the scope that they are measured in."""

    scope: Scope
    reference: Dataset
    current: Dataset

    def gather(self, *needs: Need, report: bool = False) -> Gathered:
        return EvidentlyEvidence().gather(needs, self.scope, self.reference, self.current, now=NOW, report=report)

    def read(self, need: Need) -> Reading:
        return self.gather(need).evidence[need]


PairOf = Callable[..., Pair]


@pytest.fixture(scope="module")
def pair_of(tmp_path_factory: pytest.TempPathFactory) -> PairOf:
    """Make a Pair: pair_of(reference, current, task="regression", kinds={"season": Kind.CATEGORICAL}, target="y")."""
    folder, numbers = tmp_path_factory.mktemp("sides"), itertools.count()

    def opened(frame: pd.DataFrame) -> Dataset:
        file = folder / f"{next(numbers)}.parquet"
        frame.to_parquet(file)
        datasets = DuckDatasets(folder / "home", folder=folder)
        return datasets.open(Source(str(file)), now=NOW)

    def make(
        reference: pd.DataFrame, current: pd.DataFrame, *, task: Task = "none", kinds: dict[str, Kind] | None = None,
        has_champion: bool = False, **roles: object,
    ) -> Pair:  # fmt: skip
        sides = opened(reference), opened(current)
        pinned = {column.name: column.kind for side in reversed(sides) for column in side.facts.schema}
        scope = Scope(
            task=task, roles=Roles(**roles), reference=sides[0].facts.schema, current=sides[1].facts.schema,
            kinds=pinned | (kinds or {}), has_champion=has_champion,
        )  # fmt: skip
        return Pair(scope, *sides)

    return make
