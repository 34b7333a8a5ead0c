# ruff: noqa: E501  # messages are compared in full

import gzip
import io

import numpy as np
import pandas as pd
import pytest

from gate.domain.columns import Kind
from gate.domain.part import Bins, Grid, Values
from gate.errors import DataError


def types(bench, content, name="a.csv") -> dict[str, str]:
    bench.text(name, content)
    return {column.name: column.type for column in bench.open(name).facts.schema}


def refusal(bench, content, name="a.csv") -> str:
    bench.text(name, content)
    with pytest.raises(DataError) as refused:
        bench.open(name)
    return str(refused.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", "9223372036854775807"], "BIGINT"),
        (["1", ""], "BIGINT"),
        (["9223372036854775808"], "VARCHAR"),  # of no 64 bits: an identifier
        (["12345678901234567890", "1"], "VARCHAR"),
        (["007", "012"], "VARCHAR"),  # codes
        (["007.5"], "VARCHAR"),
        (["+1"], "DOUBLE"),
        (["1_000"], "VARCHAR"),
        (["0x1F"], "VARCHAR"),
        (["1 "], "VARCHAR"),
        (["1", "2.5"], "DOUBLE"),
        (["1e-3", ".5", "-7.", "0", "0.25"], "DOUBLE"),
        (["nan", "inf", "-inf", "1.0"], "DOUBLE"),
        (["1,5"], "VARCHAR"),
        (["true", "False", "TRUE"], "BOOLEAN"),
        (["true", "yes"], "VARCHAR"),
        (["t", "f"], "VARCHAR"),
        (["0", "1"], "BIGINT"),
        (["2026-11-22", "2026-02-28"], "DATE"),
        (["2026-02-30"], "VARCHAR"),
        (["2026-1-5"], "VARCHAR"),
        (["22/11/2026"], "VARCHAR"),
        (["2026-11-22", "2026-11-22 12:00"], "TIMESTAMP"),
        (["2026-11-22T12:00:00.123456"], "TIMESTAMP"),
        (["2026-11-22T25:00:00"], "VARCHAR"),
        (["2026-11-22T12:00:00Z", "2026-11-22 12:00:00+02:00"], "TIMESTAMP WITH TIME ZONE"),
        (["2026-11-22T12:00:00Z", "2026-11-22 12:00:00"], "VARCHAR"),
        (["", ""], "VARCHAR"),
        (["1", "a"], "VARCHAR"),
    ],
)
def test_a_column_has_a_type_if_every_value_has_it(bench, values, expected):
    lines = "".join(f'"{value}",x\n' for value in values)
    assert types(bench, f"v,other\n{lines}")["v"] == expected


def test_the_last_value_of_a_long_file_counts_as_much_as_the_first(bench):
    numbers = "".join(f"{i},{i},,2026-01-01\n" for i in range(5000))
    last = "x,0.5,7,2026-01-01 06:00\n"
    assert types(bench, f"text,decimal,late,when\n{numbers}{last}") == {
        "text": "VARCHAR",
        "decimal": "DOUBLE",
        "late": "BIGINT",
        "when": "TIMESTAMP",
    }


def test_kinds_follow_from_the_types(bench):
    bench.text("a.csv", "i,f,b,s,d,t\n1,0.5,true,a,2026-01-01,2026-01-01T00:00\n")
    kinds = [column.kind for column in bench.open("a.csv").facts.schema]
    assert kinds == [
        Kind.NUMERIC, Kind.NUMERIC, Kind.CATEGORICAL, Kind.CATEGORICAL, Kind.TIMESTAMP, Kind.TIMESTAMP,
    ]  # fmt: skip


def test_a_frame_that_pandas_wrote_is_read_back(bench):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.random(500) < 0.1, np.nan, rng.normal(size=500)),
            "odd": [np.inf, -np.inf, 1e300, 5e-324, -0.0] * 100,
            "text": ['a "quoted", one', "line\nbreak", "ünï", "</script>", "; drop table x"] * 100,
            "flag": rng.random(500) < 0.5,
            "when": pd.date_range("2026-01-01", periods=500, freq="h"),
        }
    )
    frame.to_csv(bench.data / "a.csv", index=False)
    opened = bench.open("a.csv")
    read = opened.sample(500, 0, list(frame.columns))
    pd.testing.assert_frame_equal(read, frame, check_dtype=False)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tabs_gzip_a_mark_and_either_line_end_are_read(bench, newline):
    text = f"\ufeffa\tb{newline}1\tx{newline}2\ty"
    (bench.data / "a.tsv.gz").write_bytes(gzip.compress(text.encode()))
    opened = bench.open("a.tsv.gz")
    assert opened.facts.schema.names == ("a", "b")
    assert opened.facts.rows == 2


def test_a_quoted_line_break_in_a_file_of_carriage_returns(bench):
    bench.text("a.csv", 'a,b\r\n1,"x\ny"\r\n2,z\r\n')
    assert list(bench.open("a.csv").parts([Values("b")])[Values("b")].values) == ["x\ny", "z"]


def test_a_header_alone_is_empty_data(bench):
    bench.text("a.csv", "a,b\n")
    opened = bench.open("a.csv")
    assert opened.facts.rows == 0
    assert opened.parts([Bins("a", Grid())])[Bins("a", Grid())].rows == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv line 1: empty; the first line of a CSV file names its columns"),
        ("\n1,2\n", "a.csv line 1: empty; the first line of a CSV file names its columns"),
        ("a,a\n1,2\n", "a.csv line 1: two columns are named 'a' and 'a'"),
        ("a,A\n1,2\n", "a.csv line 1: two columns are named 'a' and 'A'"),
        ("39,State-gov\n50,Private\n", "a.csv line 1: '39' is a value, not the name of a column; gate needs a header line"),
        (",x\n0,1\n", "a.csv line 1: column 1 has no name (an index that was written along? leave it out)"),
        ("a;b\n1;2\n", "a.csv line 1: separated by ';'; gate reads commas and tabs"),
        ('"a\x07",b\n1,2\n', "a.csv line 1: column 1 has a name with control characters: 'a\\x07'"),
        ("a,b\n1,2\n3\n", "a.csv line 3: 1 fields, and the header names 2"),
        ("a,b\n1,2\n3,4,5\n", "a.csv line 3: 3 fields, and the header names 2"),
        ("a,b\n1,2\n3,secret,5\n", "a.csv line 3: 3 fields, and the header names 2"),
        ('a,b\n1,2\n"3,4\n5,6\n', "a.csv line 3: a quote is opened and never closed"),
        (b"a,b\n1,2\n3,\xff\xfe\n", "a.csv line 3: not UTF-8"),
        (b"a,\xff\n1,2\n", "a.csv line 1: not UTF-8"),
        (
            "a,b\n1,2\r\n3,4\n",
            "a.csv: not CSV as RFC 4180 has it (lines that end in different ways, or a quote inside a field)",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(bench, content, message):
    assert refusal(bench, content) == f"a.csv: {message}"


def test_a_file_of_another_header_is_refused(bench):
    (bench.data / "d").mkdir()
    bench.text("d/a.csv", "a,b\n1,2\n")
    bench.text("d/b.csv", "b,a\n1,2\n")
    with pytest.raises(DataError) as refused:
        bench.open("d")
    assert str(refused.value) == "d: the header of b.csv is not that of a.csv"


def test_types_are_those_of_all_files(bench):
    (bench.data / "d").mkdir()
    bench.text("d/a.csv", "a\n1\n")
    bench.text("d/b.csv", "a\n2.5\n")
    opened = bench.open("d")
    assert opened.facts.schema.find("a").type == "DOUBLE"
    assert opened.facts.rows == 2


def test_the_wrong_line_of_the_second_file_is_named(bench):
    (bench.data / "d").mkdir()
    bench.text("d/a.csv", "a,b\n1,2\n")
    bench.text("d/b.csv", "a,b\n1,2\n3\n")
    with pytest.raises(DataError) as refused:
        bench.open("d")
    assert str(refused.value) == "d: b.csv line 3: 1 fields, and the header names 2"


def test_a_broken_gzip_and_a_line_without_end_are_refused(bench):
    good = gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)
    assert refusal(bench, good[: len(good) // 2], "a.csv.gz").startswith("a.csv.gz: a.csv.gz")
    assert refusal(bench, b"no gzip", "b.csv.gz").startswith("b.csv.gz: b.csv.gz line 1: cannot be read")
    line = io.BytesIO()
    line.write(b"a,b\n")
    line.write(b"x" * (9 * 2**20))
    message = refusal(bench, line.getvalue(), "c.csv")
    assert message.startswith("c.csv: c.csv")
    assert len(message) < 200


def test_an_unchanged_file_is_typed_once(bench):
    bench.text("a.csv", "a,b\n1,x\n")
    first = bench.open("a.csv").facts
    assert bench.scans == ["scan a.csv"]
    assert bench.open("a.csv").facts == first
    assert bench.scans == ["scan a.csv"]
