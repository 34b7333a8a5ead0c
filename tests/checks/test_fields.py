"""Types of fields."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from gate.checks.fields import Bytes, Duration, Names, Pattern, size


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 KB"), (400_001_000, "400 MB"), (1_234_567_890, "1.235 GB"), (2e12, "2 TB")],
)
def test_sizes_have_a_sensible_unit(size_bytes, text):
    assert size(size_bytes) == text


def test_a_length_of_time_survives_a_round_trip():
    adapter = TypeAdapter(Duration)
    assert adapter.dump_python(adapter.validate_python("36h"), mode="json") == "36h"
    assert adapter.json_schema()["type"] == "string"


@pytest.mark.parametrize("value", ["a", {"a": 1}, None, [1], [""]])
def test_names_are_a_list_of_texts(value):
    with pytest.raises(ValidationError):
        TypeAdapter(Names).validate_python(value)


def test_a_bad_pattern_is_an_error_of_the_field_and_prints_nothing(capfd):
    with pytest.raises(ValidationError, match=r"got '\[', allowed is an RE2 regular expression \(missing \]: \[\)"):
        TypeAdapter(Pattern).validate_python("[")
    assert capfd.readouterr() == ("", "")


def test_a_pattern_that_explodes_elsewhere_is_harmless():
    import re2

    assert re2.search(TypeAdapter(Pattern).validate_python("(a+)+$"), "a" * 50_000 + "b") is None


def test_sizes_are_whole_bytes_in_the_schema_too():
    assert TypeAdapter(Bytes).json_schema()["examples"] == ["500MB"]
