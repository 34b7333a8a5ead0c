from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gate.datasets.dataset import DuckDataset
from gate.datasets.duck import DuckDatasets
from gate.domain.dataset import Source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Bench:
    """A GATE_HOME, a folder for data, and datasets whose scans are counted."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.data = folder / "data"
        self.data.mkdir()
        self.scans: list[str] = []

    def datasets(self, **options) -> DuckDatasets:
        return DuckDatasets(self.home, progress=self.scans.append, **options)

    def open(self, name: str, **source) -> DuckDataset:
        """Open what lies in the data folder under this name, as a person who stands in that folder would."""
        return self.datasets().open(Source(name, path=str(self.data / name), **source), now=NOW)

    def parquet(self, name: str, columns: dict | pa.Table | pd.DataFrame, **options) -> Path:
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(columns, pd.DataFrame):
            columns = pa.Table.from_pandas(columns, preserve_index=False)
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
        return path

    def text(self, name: str, content: str | bytes) -> Path:
        path = self.data / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def now() -> datetime:
    return NOW
