from __future__ import annotations

import json

import pytest

from gate.evidence.inert import inert_html

HOSTILE = "</script><img src=x onerror=alert(1)>"


def page(*lines):
    return "\n".join(["<html>", "<head>", "<script>", *lines, "</script>", "</head>", "<body>1 < 2</body>", "</html>"])


def test_a_value_cannot_end_the_script_and_means_the_same_to_it():
    data = json.dumps({"name": HOSTILE})
    line = inert_html(page(f"    var data = {data};")).split("\n")[3]
    assert "<" not in line
    assert json.loads(line.removeprefix("    var data = ").removesuffix(";")) == {"name": HOSTILE}


def test_the_body_and_evidentlys_own_code_stay_as_they_are():
    made = inert_html(page("    var a = {};", "if (a < b) run();"))
    assert "if (a < b) run();" in made
    assert "<body>1 < 2</body>" in made


@pytest.mark.parametrize("text", ["", "<html><head></head></html>", page("no data here")])
def test_a_page_that_looks_unlike_evidentlys_is_not_called_safe(text):
    with pytest.raises(ValueError, match=r"^Evidently's page has no "):
        inert_html(text)
