"""Which kinds there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gate.checks import catalog
from gate.checks.catalog import check_kinds, policy_kinds


def test_kinds_are_the_modules_by_name():
    assert all(check.kind == check.__module__.rpartition(".")[2] == kind for kind, check in check_kinds().items())
    assert list(check_kinds()) == sorted(check_kinds())


def test_a_policy_names_what_is_not_judged_anyway():
    assert set(check_kinds()) - set(policy_kinds()) == {
        "champion", "distinct_data", "label_coverage", "predictions", "skipped_columns", "undated_rows",
    }  # fmt: skip


def test_a_module_without_a_check_is_a_mistake():
    with pytest.raises(TypeError, match=r"gate\.checks\.storage must define exactly one check, found 0"):
        catalog._only_check("storage")


def test_kinds_load_without_the_evaluation_libraries():
    heavy = "numpy pandas duckdb evidently mlflow sqlalchemy pyarrow scipy"
    code = (
        "import sys; from gate.checks.catalog import check_kinds; check_kinds();"
        f"print(sorted(set('{heavy}'.split()) & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
