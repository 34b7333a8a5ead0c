"""A few of the requests that `make fuzz` sends by the thousand."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_no_made_up_request_ends_in_5xx_or_in_what_the_document_does_not_describe(tmp_path, capsys):
    script = runpy.run_path(str(ROOT / "bench" / "fuzz.py"))
    result = tmp_path / "fuzz.json"
    code = script["main"](["--cases", "12", "--result", str(result)])
    figures = json.loads(result.read_text())
    assert code == 0, capsys.readouterr().out
    assert figures["operations"] >= 16
    assert figures["cases_per_operation"] >= 12
    assert (figures["failures"], figures["errors_5xx"]) == (0, 0)


def test_the_api_page_is_current():
    script = runpy.run_path(str(ROOT / "bench" / "api_reference.py"))
    assert script["main"](["--check"]) == 0, "write it anew: python bench/api_reference.py"


def test_the_api_page_has_every_operation_and_every_problem(gate):
    from gate.server.problem import CATALOGUE

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    paths = gate.get("/v1/openapi.json").json()["paths"]
    for operation in (one for item in paths.values() for one in item.values()):
        assert f"\n### {operation['operationId']}\n" in page
    for word in CATALOGUE:
        assert f"\n### {word}\n" in page
