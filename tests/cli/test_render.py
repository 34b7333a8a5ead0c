"""Every format, compared in full with files that a person has read; and hostile text, which must stay text."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.cli.render.diff import render_diff
from gate.cli.render.json import render_json
from gate.cli.render.junit import render_junit
from gate.cli.render.markdown import markdown, render_markdown
from gate.cli.render.reading import most_urgent_first
from gate.cli.render.table import REPORT_ONLY, Page, render_table
from gate.flow.diff import diff

DOCUMENTS = Path(__file__).parent / "documents"
NAMES = sorted(path.stem for path in DOCUMENTS.glob("*.json"))
TEXT_FORMATS = {"table.txt": render_table, "junit.xml": render_junit, "markdown.md": render_markdown}


def golden(name: str) -> str:
    return (DOCUMENTS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", TEXT_FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_a_document_renders_as_written_down(document, name, suffix):
    assert TEXT_FORMATS[suffix](document(name)) == golden(f"{name}.{suffix}")


def test_the_verbose_table_lists_passes_the_report_and_the_verdict_before(document):
    page = Page(verbose=True, report="build/report/index.html", previous=document("promote")["id"])
    assert render_table(document("hold-failed"), page) == golden("hold-failed.verbose.txt")


def test_a_difference_renders_as_written_down(document):
    assert render_diff(diff(document("promote"), document("hold-failed"))) == golden("promote-to-hold.diff.txt")


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name != "hostile"])
def test_the_table_fits_in_80_columns(document, name):
    for line in render_table(document(name)).splitlines():
        assert len(line) <= 80 or "  gate " in line  # a command is never wrapped: it is there to be copied


def test_the_decision_is_the_first_line(document):
    assert render_table(document("promote")).startswith("PROMOTE bike-demand version 2\n")
    assert render_table(document("hold-failed")).startswith("HOLD bike-demand version 2: a check failed\n")


def test_report_only_stands_first_and_last(document):
    lines = render_table(document("report-only")).splitlines()
    assert lines[0] == lines[-1] == REPORT_ONLY


def test_what_holds_comes_before_what_is_waived(document):
    statuses = [(f["status"], f["waived"]) for f in most_urgent_first(document("hold-failed")["findings"])]
    assert statuses == [
        ("fail", False),
        ("fail", True),
        ("warn", False),
        ("pass", False),
        ("pass", False),
        ("pass", False),
    ]


def test_nothing_is_cut_off(document):
    unwrapped = " ".join(render_table(document("hold-failed")).split())
    for finding in document("hold-failed")["findings"]:
        if finding["status"] != "pass":
            assert finding["reason"] in unwrapped
            assert finding["remedy"] in unwrapped
            assert finding["owner"] in unwrapped


def test_without_colour_there_is_no_escape_and_with_colour_the_words_are_the_same(document):
    plain = render_table(document("hold-failed"))
    coloured = render_table(document("hold-failed"), Page(colour=True))
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == plain.split()


def test_wide_characters_count_twice(document):
    wide = document("promote")
    wide["policy"]["source"] = "鬱 " * 60
    lines = render_table(wide).splitlines()
    assert max(len(line) + line.count("鬱") for line in lines if "鬱" in line) <= 80


# --- hostile text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("render", [*TEXT_FORMATS.values(), render_json])
def test_nothing_reaches_the_terminal_raw(document, render):
    text = render(document("hostile"))
    assert all(char == "\n" or char.isprintable() for char in text)
    assert not re.search(r"##[A-Za-z]*\[", text)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_wrapped_line_never_begins_a_workflow_command(document):
    hostile = document("promote")
    for length in range(200):
        hostile["policy"]["source"] = "x" * length + " ::error::x ##[group]y"
        for line in render_table(hostile).splitlines():
            assert not line.lstrip().startswith(("::", "##["))


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_the_document_back(document, name):
    text = render_json(document(name))
    assert json.loads(text) == document(name)
    assert text.endswith("}\n")


def test_json_has_no_place_for_nan(document):
    with pytest.raises(ValueError, match="JSON compliant"):
        render_json(document("promote") | {"attempt": float("nan")})


def test_a_table_cell_stays_one_cell(document):
    rows = [line for line in render_markdown(document("hostile")).splitlines() if line.startswith("| FAIL")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 7


@given(st.text())
def test_markdown_leaves_no_markup_alive(text):
    shown = markdown(text)
    assert "\n" not in shown
    assert "<" not in shown.replace("<!-- -->", "")
    assert not re.search(r"(?<!\\)(\\\\)*[|`\[\]*_]", shown)
    assert "://" not in shown


# --- JUnit -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_junit_is_red_exactly_when_the_verdict_holds(document, name):
    suites = ET.fromstring(render_junit(document(name)).split("?>", 1)[1])
    is_red = suites.attrib["failures"] != "0" or suites.attrib["errors"] != "0"
    assert is_red == (document(name)["decision"] == "hold")
    assert len(suites.findall(".//testcase")) == int(suites.attrib["tests"]) == len(document(name)["findings"])


def test_a_hold_that_no_finding_explains_is_red(document):
    empty = document("hold-insufficient") | {"findings": []}
    suite = ET.fromstring(render_junit(empty).split("?>", 1)[1])
    assert suite.attrib["errors"] == "1"
    error = suite.find(".//error")
    assert error is not None
    assert error.attrib["message"] == "HOLD bike-demand version 2: there is not enough evidence"


@given(st.text(st.characters(codec=None)))
def test_junit_is_well_formed_whatever_the_names(text):
    hostile = json.loads((DOCUMENTS / "hostile.json").read_text(encoding="utf-8"))
    hostile["findings"][0]["reason"] = f"x{text}"
    hostile["findings"][0]["subject"] = {"column": text}
    ET.fromstring(render_junit(hostile).split("?>", 1)[1])
