"""The badge says no more than the newest verdict does today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import HOSTILE

from gate.domain.verdict import Decision
from gate.server.badge import draw_badge
from gate.server.view.standing import Answer

SVG = "{http://www.w3.org/2000/svg}"


def read(picture: str | bytes) -> tuple[str, list[str]]:
    """Title and texts of a badge."""
    root = ET.fromstring(picture)
    return str(root.findtext(f"{SVG}title")), [str(text.text) for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("name", "query", "texts", "title"),
    [
        ("income", "", ["gate pilot", "promote"], "gate, pilot: income version 7: promote"),
        ("churn-uplift", "", ["gate pilot", "stale"], "gate, pilot: churn-uplift version 2: stale"),
        ("fraud-score", "", ["gate pilot", "report only"], "gate, pilot: fraud-score version 2: report only"),
        ("bike-demand", "", ["gate wave-1", "hold"], "gate, wave-1: bike-demand version 2: hold"),
        ("bike-demand", "?stage=pilot", ["gate pilot", "hold"], "gate, pilot: bike-demand version 2: hold"),
        ("income", "?stage=wave-1", ["gate wave-1", "none"], "gate, wave-1: income: no verdict"),
        ("nobody", "", ["gate", "none"], "gate: nobody: no verdict"),
    ],
)
def test_a_badge_says_where_the_model_stands(shelved, name, query, texts, title):
    answer = shelved.client.get(f"/models/{name}/badge.svg{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert read(answer.content) == (title, texts)


def test_a_badge_is_asked_for_each_time_and_sent_only_when_it_changed(shelved):
    first = shelved.client.get("/models/income/badge.svg")
    assert first.headers["cache-control"] == "no-cache, max-age=0"
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert first.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    again = shelved.client.get("/models/income/badge.svg", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shelved.client.head("/models/income/badge.svg").status_code == 200


def test_a_badge_turns_when_another_verdict_is_given(another_gate):
    gate = another_gate()
    at = datetime.now(UTC).replace(microsecond=0)
    days = {"evaluated_at": at, "valid_until": at + timedelta(days=1)}
    gate.service.judge(name="toy-d", decision=Decision.PROMOTE, **days)
    assert read(gate.client.get("/models/toy-d/badge.svg").content)[1] == ["gate pilot", "promote"]
    gate.service.judge(name="toy-d")
    assert read(gate.client.get("/models/toy-d/badge.svg").content)[1] == ["gate pilot", "hold"]


@given(st.text(), st.sampled_from(Answer), st.text())
def test_any_text_makes_a_picture_of_two_texts(label, answer, title):
    _, texts = read(draw_badge(label, answer, title))
    assert texts[1] == str(answer)
    assert len(texts) == 2


def test_a_hostile_stage_is_text(shelved):
    picture = shelved.client.get("/models/nobody/badge.svg", params={"stage": HOSTILE}).content
    kinds = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()}
    assert kinds == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert b"<script" not in picture
    assert "\\u202egpj" in read(picture)[0]
