from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pandas as pd
import pytest

from gate.demo.sources import adult, between, bike


def test_adult_is_the_published_census():
    people = adult()
    assert people["income"].value_counts().to_dict() == {"<=50K": 24_720, ">50K": 7_841}


def test_question_marks_of_the_census_are_missing_values():
    missing = adult().isna().sum()
    assert missing[missing > 0].to_dict() == {"workclass": 1_836, "occupation": 1_843, "native_country": 583}


def test_the_order_of_the_census_is_random_and_always_the_same():
    first = adult()
    pd.testing.assert_frame_equal(first, adult())
    assert first["fnlwgt"].head(3).tolist() != [77_516, 83_311, 215_646]  # as published


def test_bike_is_the_published_count_of_two_years():
    hours = bike()
    assert (len(hours), int(hours["cnt"].sum())) == (17_379, 3_292_679)
    assert hours["timestamp"].is_monotonic_increasing
    assert (str(hours["timestamp"].min()), str(hours["timestamp"].max())) == (
        "2011-01-01 00:00:00",
        "2012-12-31 23:00:00",
    )


def test_between_takes_its_first_moment_and_leaves_its_last():
    january = between(bike(), "2011-01-01 00:00", "2011-01-01 02:00")
    assert [str(moment) for moment in january["timestamp"]] == ["2011-01-01 00:00:00", "2011-01-01 01:00:00"]


@pytest.mark.parametrize("name", ["adult.parquet", "bike_sharing_hour.parquet"])
def test_the_attribution_names_the_bytes_that_are_shipped(name: str):
    data = files("gate.demo") / "data"
    digest = hashlib.sha256((data / name).read_bytes()).hexdigest()
    text = (data / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"`{re.escape(name)}` \| `{digest}`", text)
    assert "CC BY 4.0" in text
