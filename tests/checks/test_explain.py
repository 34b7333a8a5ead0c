"""Kinds explain themselves, and the policy reference says the same."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gate.checks.catalog import check_kinds, policy_kinds
from gate.checks.explain import Parameter, explain, shared_parameters

ROOT = Path(__file__).parents[2]


def test_a_kind_says_what_its_keys_may_be():
    explanation = explain(check_kinds()["metric"])
    parameters = {one.name: one for one in explanation.parameters}
    assert parameters["max"] == Parameter("max", "number", "nothing", "may only be lowered")
    assert parameters["average"].allowed == "macro, micro, weighted"
    assert parameters["metric"].default is None
    assert parameters["versus.champion.max_increase"] == Parameter(
        "versus.champion.max_increase", "number or share such as 2%", "nothing", "may only be lowered, in the same unit"
    )
    assert "severity" not in parameters
    assert "severity" in {one.name for one in shared_parameters()}


@pytest.mark.parametrize("kind", policy_kinds())
def test_every_key_is_in_words(kind):
    for one in explain(check_kinds()[kind]).parameters:
        assert one.allowed
        assert "{'" not in one.allowed + (one.default or "")


def test_the_policy_reference_is_current():
    script = runpy.run_path(str(ROOT / "bench" / "policy_reference.py"))
    assert script["main"](["--check"]) == 0, "write it anew: python bench/policy_reference.py"


def test_the_policy_reference_has_every_kind():
    text = (ROOT / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    assert all(f"### {kind}\n" in text for kind in check_kinds())
