"""Server-sent events, however they arrive."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.client.events import GarbledError, Told, read_events

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20)
EVENTS = st.lists(
    st.tuples(st.integers(0, 10**9), st.sampled_from(["queued", "phase", "rows"]),
              st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.none()), max_size=3)),
    max_size=8,
)  # fmt: skip


def written(events) -> bytes:
    return "".join(
        f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n" for number, kind, data in events
    ).encode()


@given(EVENTS, st.lists(st.integers(0, 2_000), max_size=6), st.booleans())
def test_events_are_the_same_however_the_bytes_are_cut(events, cuts, windows):
    content = written(events).replace(b"\n", b"\r\n") if windows else written(events)
    places = [0, *sorted(cut for cut in cuts if cut < len(content)), len(content)]
    chunks = [content[start:end] for start, end in pairwise(places)]
    assert list(read_events(chunks)) == [Told(*event) for event in events]


@given(EVENTS, st.integers(1, 40))
def test_an_event_that_was_cut_off_is_dropped(events, lost):
    whole = written(events)
    told = list(read_events([whole[: max(0, len(whole) - lost)]]))
    assert told == [Told(*event) for event in events[: len(told)]]
    assert len(told) < len(events) or not events


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_whatever_arrives_is_events_or_garbled(chunks):
    with suppress(GarbledError):
        assert all(isinstance(told, Told) for told in read_events(chunks))


def test_a_comment_is_a_heartbeat_and_unknown_fields_are_nothing():
    assert list(read_events([b": still here\n\nretry: 2000\n\nfoo\n\n"])) == [Told()]


def test_data_that_is_no_object_is_empty():
    told = list(read_events([b'event: a\ndata: [1]\n\nevent: b\ndata: {\n\nevent: c\ndata: {"x":\ndata: 1}\n\n']))
    assert told == [Told(None, "a"), Told(None, "b"), Told(None, "c", {"x": 1})]


@pytest.mark.parametrize("number", ["", "-1", "1e3", "٣", "9" * 30])
def test_a_number_that_is_none_is_not_taken_for_one(number):
    assert list(read_events([f"id: {number}\nevent: a\n\n".encode()])) == [Told(None, "a")]


@pytest.mark.parametrize("content", [b"data: " + b"x" * (2**20 + 1), b"\xff\n", b"data: xxxxxxxx\n" * 140_000])
def test_what_is_too_long_or_no_text_is_garbled(content):
    with pytest.raises(GarbledError):
        list(read_events([content]))
