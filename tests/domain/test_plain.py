from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.domain.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("temp", "temp"),
        ("Größe 鬱 é 🚲", "Größe 鬱 é 🚲"),
        ("red\x1b[31m", "red\\x1b[31m"),
        ("a\nb\r\tc\x00", "a\\nb\\r\\tc\\x00"),
        ("gpj.\u202etxt\u200b", "gpj.\\u202etxt\\u200b"),
        ("\x9b2J", "\\x9b2J"),
        ("line\u2028end", "line\\u2028end"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", ": :error::x"),
        ("ratio ::set-output", "ratio : :set-output"),
        ("std::vector", "std::vector"),
        ("a ##vso[task.complete]", "a # #vso[task.complete]"),
        ("##[error]", "# #[error]"),
        ("## heading", "## heading"),
        (12, "12"),
    ],
)
def test_hostile_text_shows_as_what_it_is(text, shown):
    assert plain(text) == shown


@given(st.text(st.characters(codec=None)))
def test_the_result_is_one_printable_line_without_commands(text):
    shown = plain(text)
    assert shown.isprintable()
    assert "##[" not in shown
    assert not any(word.startswith("::") for word in shown.split(" "))


@given(st.text(st.characters(codec=None)))
def test_showing_twice_changes_nothing_more(text):
    assert plain(plain(text)) == plain(text)
