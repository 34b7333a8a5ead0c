"""The bases that ship with gate."""

from pathlib import Path

import pytest

from gate.domain.finding import Severity
from gate.policy.lint import lint
from gate.policy.load import load, load_policy

FOLDER = Path(__file__).parents[2] / "policies"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))

COLUMNS = {
    "base-data.yaml": "",
    "base-classification.yaml": ", columns: {target: y, prediction: p}",
    "base-regression.yaml": ", columns: {target: y, prediction: p}",
}


def test_there_is_a_base_for_each_task():
    assert sorted(COLUMNS) == FILES


@pytest.mark.parametrize("name", FILES)
def test_it_is_right_and_nothing_about_it_is_probably_not_meant(name):
    loaded = load(FOLDER / name)
    assert lint(loaded) == []
    assert any(check.severity is Severity.BLOCKER for check in loaded.checks)


@pytest.mark.parametrize("name", FILES)
def test_a_policy_that_extends_it_says_little_and_is_complete(name, tmp_path):
    for base in FILES:
        (tmp_path / base).write_bytes((FOLDER / base).read_bytes())
    path = tmp_path / "mine.yaml"
    task = "task: none\n" if name == "base-data.yaml" else ""
    path.write_text(
        f"policy: gate/v1\nname: mine\nowner: us\napplies_to: {{models: [mine]}}\nextends: [{name}]\n{task}"
        f"data: {{reference: {{mlflow: training}}, current: {{uri: now.parquet}}{COLUMNS[name]}}}\n"
    )
    loaded = load_policy(path)
    assert lint(loaded) == []
    assert "feature_drift" in loaded.lines
