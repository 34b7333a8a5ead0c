from __future__ import annotations

from pathlib import Path

import pytest

from gate.demo.shipped import write_policies
from gate.policy.lint import lint
from gate.policy.load import LoadedPolicy, load

POLICIES = ("bike-first-winter", "bike-full-year", "income", "income-first-days")
BASES = ("base-classification", "base-data", "base-regression")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policies")
    write_policies(folder)
    return folder


def test_the_policies_are_written_beside_the_bases_they_extend(written: Path):
    assert sorted(path.stem for path in written.iterdir()) == sorted((*POLICIES, *BASES))


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_of_the_demo_is_right_and_the_linter_has_nothing_to_say(written: Path, name: str):
    loaded = load(written / f"{name}.yaml")
    assert isinstance(loaded, LoadedPolicy)
    assert lint(loaded) == []
    assert len(loaded.files) > 1  # it extends what gate ships
