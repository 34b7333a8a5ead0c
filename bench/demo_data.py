"""Make the parquet files of the demo from the two CSV files they come from: `python bench/demo_data.py FOLDER`.

FOLDER holds `adult.csv` and `bike_sharing_hour.csv`, whose digests stand below. `?` is a missing value in Adult; dates
become dates; nothing else is changed.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

TARGET = Path(__file__).parents[1] / "gate" / "demo" / "data"
SOURCES = {
    "adult.csv": "3b8a6abd697a6623ef2ccbffc3e2802e167e7fdaa853003d3bd557b0ce7f5d2a",
    "bike_sharing_hour.csv": "11e08374c448229649b93e64c7442558b93d516a008804bd70bdb8c82333c434",
}


def convert(source: Path, target: Path) -> None:
    """Write one CSV file as parquet, after checking that it is the file it should be."""
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != SOURCES[source.name]:
        raise SystemExit(f"{source}: expected sha256 {SOURCES[source.name]}, got {found}")
    options = csv.ConvertOptions(null_values=["?"], strings_can_be_null=True)
    table = csv.read_csv(source, convert_options=options)
    # Without metadata of the writer's pandas or arrow, the bytes depend on the rows alone.
    pq.write_table(table.replace_schema_metadata(None), target, compression="zstd", compression_level=19)
    print(f"{target.name}: {table.num_rows:,} rows, {target.stat().st_size / 1024:.0f} KiB, {digest(target)}")


def digest(path: Path) -> str:
    """The sha256 of a file, as it stands in `gate/demo/data/README.md`."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    convert(folder / "adult.csv", TARGET / "adult.parquet")
    convert(folder / "bike_sharing_hour.csv", TARGET / "bike_sharing_hour.parquet")
    print(f"written with pyarrow {pa.__version__}")
