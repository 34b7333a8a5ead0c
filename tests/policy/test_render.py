# ruff: noqa: E501  # messages and files are written out in full
from pathlib import Path

import pytest

from gate.policy.load import load, load_policy
from gate.policy.render import as_yaml

POLICIES = Path(__file__).parents[1] / "policies"


def test_shows_the_merged_policy_with_where_each_check_comes_from(monkeypatch):
    monkeypatch.chdir(POLICIES)
    loaded = load_policy(Path("good.yaml"))
    assert (
        as_yaml(loaded)
        == f"""\
# digest: {loaded.digest}
# from base.yaml
# from good.yaml
policy: gate/v1
name: pilot
applies_to:
  models:
    - bike*
task: regression
data:
  reference:
    mlflow: training
  current:
    uri: pilot/*.parquet
  columns:
    target: cnt
    prediction: predicted
champion:
  alias: champion
  when_missing: hold
defaults:
  min_rows: 300
checks:
  # base.yaml:6
  - check: schema_match
    severity: blocker
  # good.yaml:11
  - check: missing_share
    max: 0.01
  # base.yaml:8
  - check: row_count
    min: 100
  # base.yaml:9
  - check: row_share
    id: overrides
    column: decision
    equals: overridden
    max: 0.1
  # good.yaml:12
  - check: metric
    id: error
    metric: mae
    max: 60.0
    warn_above: 50.0
    versus:
      champion:
        max_increase: 2%
"""
    )


@pytest.mark.parametrize(
    "text", ["yes", "010", "1:30", "on", "null", "~", "2026-11-20", ">50K", "a: b", "#x", "é", "1e3", "- x", "'", '"', "a\tb"]
)  # fmt: skip
def test_what_is_shown_can_be_read_again(tmp_path, text):
    path, again = tmp_path / "one.yaml", tmp_path / "again.yaml"
    quoted = text.replace('"', '\\"').replace("\t", "\\t")
    path.write_text(
        f"""policy: gate/v1
name: odd
applies_to: {{models: [odd]}}
task: none
data: {{reference: {{mlflow: training}}, current: {{uri: x, window: {{column: at, last: 7d, until: 2026-11-20}}}}}}
checks:
  - {{check: row_share, column: "{quoted}", equals: "{quoted}", max: 0.00001}}
"""
    )
    loaded = load(path)
    again.write_text(as_yaml(loaded))
    assert load(again).policy == loaded.policy
