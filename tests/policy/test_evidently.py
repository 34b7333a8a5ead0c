# ruff: noqa: E501  # messages and files are written out in full
import importlib.util
from pathlib import Path

import pytest

from gate.policy.evidently import catalog, complaints

SCRIPT = Path(__file__).parents[2] / "bench" / "evidently_catalog.py"


def test_the_catalogue_is_that_of_the_installed_evidently():
    spec = importlib.util.spec_from_file_location("evidently_catalog", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.CATALOG.read_text() == script.rendered(), "write it again with: python bench/evidently_catalog.py"


def test_the_catalogue_knows_shapes_and_parameters():
    assert catalog()["MissingValueCount"].result == "count"
    assert catalog()["QuantileValue"].parameters["column"].required
    assert catalog()["QuantileValue"].parameters["quantile"].type == "number"
    assert not any(metric.network for metric in catalog().values())


@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("RowCount", {}, None),
        ("QuantileValue", {"column": "a", "quantile": 0.5}, None),
        ("MissingValueCount", {"column": "a"}, "share"),
        ("MAE", {}, "mean"),
        ("F1ByLabel", {}, "yes"),
        ("InRangeValueCount", {"column": "a", "left": 0, "right": 1.5}, "count"),
        ("InListValueCount", {"column": "a", "values": ["x", 1, True]}, "share"),
        ("DriftedColumnsCount", {"columns": ["a"], "per_column_threshold": {"a": 0.1}}, "share"),
        ("ColumnCount", {"column_type": "num"}, None),
    ],
)
def test_what_can_be_measured_is_fine(name, parameters, field):
    assert list(complaints(name, parameters, field)) == []


@pytest.mark.parametrize(
    ("name", "parameters", "field", "complaint"),
    [
        ("MissingValuCount", {}, None, ("metric", "Evidently has no metric 'MissingValuCount'; did you mean 'MissingValueCount'?")),
        ("RowCount", {}, "count", ("field", "the value of RowCount is one number; leave field out")),
        ("RowCount", {"column": "a"}, None, ("parameters", "RowCount has no parameter 'column'; it has none")),
        ("MinValue", {"colum": "a", "column": "a"}, None, ("parameters", "MinValue has no parameter 'colum'; did you mean 'column'?")),
        ("MinValue", {}, None, ("parameters", "MinValue needs the parameter 'column': text")),
        ("MinValue", {"column": 3}, None, ("parameters", "column: got 3, allowed is text")),
        ("QuantileValue", {"column": "a", "quantile": True}, None, ("parameters", "quantile: got true, allowed is number")),
        ("InListValueCount", {"column": "a", "values": "x"}, "share", ("parameters", "values: got the text 'x', allowed is list of true or false or whole number or text")),
        ("DriftedColumnsCount", {"per_column_threshold": {"a": "x"}}, "share", ("parameters", "per_column_threshold: got a mapping, allowed is mapping to number")),
        ("ColumnCount", {"column_type": "numeric"}, None, ("parameters", "column_type: got the text 'numeric', allowed is num | cat | text | datetime | data | id | unknown | list")),
        ("MissingValueCount", {"column": "a"}, None, ("field", "is missing, allowed for MissingValueCount are count and share")),
        ("MissingValueCount", {"column": "a"}, "max", ("field", "got the text 'max', allowed for MissingValueCount are count and share")),
        ("F1ByLabel", {}, None, ("field", "the value of F1ByLabel has a part for each label; name one in field")),
        ("CorrelationMatrix", {}, None, ("metric", "the value of CorrelationMatrix is a table, which no limit can be held against")),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_says_why(name, parameters, field, complaint):
    assert list(complaints(name, parameters, field)) == [complaint]
