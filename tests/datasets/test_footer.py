import pyarrow as pa
import pytest

from gate.datasets import footer
from gate.domain.columns import Kind
from gate.domain.part import Bins, DistinctRows, Grid, Values
from gate.errors import DataError


def refusal(bench, name) -> str:
    with pytest.raises(DataError) as refused:
        bench.open(name)
    return str(refused.value)


def test_empty_data_opens(bench):
    bench.parquet("none.parquet", {"x": pa.array([], pa.float64()), "s": pa.array([], pa.string())})
    opened = bench.open("none.parquet")
    assert opened.facts.rows == 0
    parts = opened.parts([Bins("x", Grid()), Values("s"), DistinctRows(())])
    assert parts[Bins("x", Grid())].rows == 0
    assert parts[Values("s")].rows == 0
    assert parts[DistinctRows(())] == 0


def test_a_file_without_rows_beside_one_with_rows_opens(bench):
    bench.parquet("d/a.parquet", {"x": pa.array([], pa.float64())})
    bench.parquet("d/b.parquet", {"x": [1.0]})
    assert bench.open("d").facts.rows == 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda b: b"", "a.parquet is empty; a parquet file has a footer at least"),
        (lambda b: b[:-20], "a.parquet is no readable parquet file: it is damaged or cut short"),
        (lambda b: b[: len(b) // 2], "a.parquet is no readable parquet file: it is damaged or cut short"),
        (lambda b: b"hello, world, this is text", "a.parquet is no readable parquet file: it is damaged or cut short"),
        (lambda b: b"PAR1" + b"\xff" * 50 + b"PAR1", "a.parquet is no readable parquet file: "),
        (lambda b: b[:-40] + b"\xff" * 30 + b[-10:], "a.parquet is no readable parquet file: "),
    ],
    ids=["empty", "cut", "half", "fake", "magic only", "footer overwritten"],
)
def test_a_damaged_file_is_one_clear_line(bench, damage, reason):
    path = bench.parquet("a.parquet", {"x": list(range(1000))})
    path.write_bytes(damage(path.read_bytes()))
    message = refusal(bench, "a.parquet")
    assert message.startswith(f"a.parquet: {reason}")
    assert "\n" not in message
    assert str(bench.data) not in message


def test_the_damaged_one_of_many_files_is_named(bench):
    bench.parquet("d/a.parquet", {"x": [1]})
    bench.text("d/b.parquet", "not parquet at all")
    assert refusal(bench, "d").startswith("d: b.parquet is no readable parquet file")


def test_damaged_pages_under_a_good_footer_are_no_number(bench):
    path = bench.parquet("a.parquet", {"x": [i * 0.7 for i in range(5000)]}, compression="snappy", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    path.write_bytes(content)
    opened = bench.open("a.parquet")
    with pytest.raises(DataError) as refused:
        opened.parts([Bins("x", Grid())])
    assert str(refused.value).startswith("a.parquet: cannot be read: ")


def test_files_of_different_columns_are_refused(bench):
    bench.parquet("types/a.parquet", {"x": [1.0]})
    bench.parquet("types/b.parquet", {"x": ["1"]})
    bench.parquet("names/a.parquet", {"x": [1.0]})
    bench.parquet("names/b.parquet", {"x": [1.0], "y": [1]})
    assert refusal(bench, "types") == (
        "types: the files differ: column 'x' is DOUBLE in a.parquet and VARCHAR in b.parquet"
    )
    assert (
        refusal(bench, "names") == "names: the files differ: column 'y' is absent in a.parquet and BIGINT in b.parquet"
    )


def test_the_order_of_columns_may_differ_between_files(bench):
    bench.parquet("d/a.parquet", {"x": [1.0], "s": ["a"]})
    bench.parquet("d/b.parquet", {"s": ["b"], "x": [2.0]})
    opened = bench.open("d")
    assert list(opened.parts([Values("s")])[Values("s")].values) == ["a", "b"]


def test_names_that_the_engine_cannot_tell_apart_are_refused(bench):
    bench.parquet("a.parquet", {"Temp": [1.0], "temp": [2.0]})
    bench.parquet("b.parquet", pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]))
    assert refusal(bench, "a.parquet") == "a.parquet: columns 'Temp' and 'temp' differ in no more than their case"
    assert refusal(bench, "b.parquet") == "b.parquet: columns 'x' and 'x' differ in no more than their case"


def test_nested_columns_are_named_and_not_measured(bench):
    table = pa.table({"n": [{"a": 1, "b": [1, 2]}], "l": [[1]], "blob": [b"x"], "after": [1.0]})
    bench.parquet("a.parquet", table)
    opened = bench.open("a.parquet")
    kinds = {column.name: (column.type, column.kind) for column in opened.facts.schema}
    assert kinds == {
        "n": ("STRUCT", Kind.OTHER),
        "l": ("LIST", Kind.OTHER),
        "blob": ("BLOB", Kind.OTHER),
        "after": ("DOUBLE", Kind.NUMERIC),
    }
    parts = opened.parts([Values("n"), Bins("blob", Grid()), Values("after"), DistinctRows(())])
    assert parts[Values("n")].reason == "column 'n' is stored as STRUCT, which is not measured"
    assert parts[Bins("blob", Grid())].reason == "column 'blob' is stored as BLOB, which is not measured"
    assert parts[Values("after")].total == 1
    assert parts[DistinctRows(())] == 1


def test_more_columns_than_gate_takes_on_are_refused_by_the_footer(bench):
    bench.parquet("wide.parquet", {f"c{i}": [0] for i in range(footer.MOST_COLUMNS + 1)})
    assert refusal(bench, "wide.parquet") == "wide.parquet: 5,001 columns, more than the 5,000 that gate takes on"


def test_more_rows_than_gate_takes_on_are_refused_by_the_footer(bench, monkeypatch):
    monkeypatch.setattr(footer, "MOST_ROWS", 10)
    bench.parquet("ten.parquet", {"x": [0] * 10})
    bench.parquet("eleven.parquet", {"x": [0] * 11})
    assert bench.open("ten.parquet").facts.rows == 10
    assert refusal(bench, "eleven.parquet") == "eleven.parquet: 11 rows, more than the 10 that gate takes on"


def test_a_file_without_columns_is_refused(bench):
    bench.parquet("a.parquet", pa.table({}))
    assert refusal(bench, "a.parquet") == (
        "a.parquet: a.parquet is no readable parquet file: Need at least one non-root column in the file"
    )


def test_a_column_that_never_had_a_value_is_all_missing(bench):
    bench.parquet("a.parquet", {"x": pa.nulls(3), "y": [1, 2, 3]})
    parts = bench.open("a.parquet").parts([Values("x"), Bins("x", Grid()), DistinctRows(("x",))])
    assert (parts[Values("x")].nulls, parts[Values("x")].total) == (3, 0)
    assert (parts[Bins("x", Grid())].nulls, parts[Bins("x", Grid())].finite) == (3, 0)
    assert parts[DistinctRows(("x",))] == 1


def test_an_encrypted_or_foreign_footer_never_opens(bench):
    bench.text("a.parquet", b"PARE" + b"\0" * 100 + b"PARE")
    assert refusal(bench, "a.parquet").startswith("a.parquet: a.parquet is no readable parquet file")
