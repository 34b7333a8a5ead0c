"""The page says what the verdict says, holds no script whatever the names, and loads nothing."""

from __future__ import annotations

import copy
from html.parser import HTMLParser

import pytest

from gate.domain.picture import Pictures
from gate.publish.page import render_page

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "article", "footer"),
    *("h1", "h2", "h3", "p", "span", "strong", "code", "pre", "br", "a", "ul", "li", "dl", "dt", "dd", "div"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption"),
    *("svg", "desc", "polygon", "polyline", "line", "rect", "circle", "text"),
}
VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Collects elements, attributes and text, and checks that everything that opens closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def assert_inert(page: str) -> Outline:
    outline = Outline(page)
    assert {tag for tag, _ in outline.elements} <= ELEMENTS
    for tag, attributes in outline.elements:
        assert not any(name.startswith("on") or name in ("style", "srcdoc", "src") for name in attributes)
        if "href" in attributes:
            assert tag == "a"
            assert str(attributes["href"]).startswith("./")
    policies = [a["content"] for t, a in outline.elements if t == "meta" and "http-equiv" in a]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    ]
    assert "url(" not in page
    assert "@import" not in page
    return outline


@pytest.mark.parametrize("name", ["promote", "hold-failed", "hold-insufficient", "hold-error", "report-only"])
def test_a_page_says_all_of_its_verdict(document, pictures, name):
    verdict = document(name)
    outline = assert_inert(render_page(verdict, pictures))
    assert outline.text.startswith(verdict["decision"].upper())
    for finding in verdict["findings"]:
        assert " ".join(finding["reason"].split()) in outline.text
        assert finding["remedy"] in outline.text
        assert finding["reproduce"] in outline.text
    for change in verdict["flip"]:
        assert change in outline.text
    for digest in (verdict["digest"], verdict["model"]["digest"], verdict["policy"]["digest"]):
        assert digest in outline.text


def test_what_stands_in_the_way_comes_first(document, pictures):
    text = Outline(render_page(document("hold-failed"), pictures)).text
    places = [text.index(part) for part in ("temp moved", "season moved", "mae is 52.1", "hum moved")]
    assert places == sorted(places)


def test_a_drift_finding_has_both_distributions_its_days_and_its_segments(document, pictures):
    outline = Outline(render_page(document("hold-failed"), pictures))
    assert "Distance per day: over the limit since 3 November 2026" in outline.text
    assert "fall 4,000 0.5 over winter 900 0.02 summer 3 not measured" in outline.text
    assert "fall 50 % 90 % +40.0 points spring 50 % 10 % -40.0 points" in outline.text
    labels = [str(a["aria-label"]) for tag, a in outline.elements if tag == "svg" and "aria-label" in a]
    assert "temp: reference and current" in labels
    assert "season: reference and current" in labels
    assert "temp: wasserstein by day" in labels


def test_every_drawing_can_be_read_aloud(document, pictures):
    outline = Outline(render_page(document("hold-failed"), pictures))
    for tag, attributes in outline.elements:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or (attributes["role"] == "img" and attributes["aria-label"])
    assert outline.count("th") > 0
    assert all("scope" in attributes for tag, attributes in outline.elements if tag == "th")
    assert ("html", {"lang": "en"}) in outline.elements


def test_the_categories_of_the_finding_stand_in_for_a_missing_drawing(document):
    text = Outline(render_page(document("hold-failed"), Pictures())).text
    assert "fall 26 % 61 % +35.0 points summer 25 % 4 % -21.0 points" in text


def test_report_only_stands_first_and_last(document, pictures):
    text = Outline(render_page(document("report-only"), pictures)).text
    banner = "REPORT ONLY: this verdict enforces nothing and is no promotion"
    assert text.removeprefix("HOLD bike-demand version 2 ").startswith(banner)
    assert text.endswith(banner)
    assert banner not in Outline(render_page(document("hold-failed"), pictures)).text


def test_hostile_names_are_text(document, hostile_pictures):
    page = render_page(document("hostile"), hostile_pictures, beside=['"><script>x</script>.html', "evidently.html"])
    outline = assert_inert(page)
    assert "a|b</script><script>alert(1)</script>\\u202egpj\\x1b[31m\\n::set-output" in outline.text
    assert all(char == "\n" or char.isprintable() for char in page)


def test_any_text_anywhere_in_a_verdict_is_inert(document, hostile_pictures):
    """Put the attack into every string of the document, one document at a time for keys and for values."""
    attack = "</style></title></script>--><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"

    def poisoned(value, key=""):
        match value:
            case dict():
                return {k: poisoned(v, k) for k, v in value.items()}
            case list():
                return [poisoned(v, key) for v in value]
            case str() if key not in ("status", "severity", "decision"):
                return attack
            case _:
                return value

    verdict = poisoned(copy.deepcopy(document("hold-failed")))
    verdict["findings"][0]["details"] = {attack: {attack: [attack, 1, None, True]}, "moved": [[attack, 0.1, 0.2]]}
    outline = assert_inert(render_page(verdict, hostile_pictures))
    assert "{{7*7}}" in outline.text


def test_it_links_to_the_files_beside_it(document):
    page = render_page(document("promote"), Pictures(), beside=["evidently.html", "evidently.json"])
    links = [attributes["href"] for tag, attributes in Outline(page).elements if tag == "a"]
    assert links == ["./evidently.html", "./evidently.json"]


def test_a_large_report_stays_small_enough_to_open(document, pictures):
    verdict = document("hold-failed")
    verdict["findings"] *= 100
    assert len(render_page(verdict, pictures)) < 4_000_000
