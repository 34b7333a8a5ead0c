import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gate.cli.app import cli

POLICIES = Path(__file__).parents[1] / "policies"

FINE = """\
policy: gate/v1
name: fine
owner: us
applies_to: {models: [fine]}
task: none
data: {reference: {mlflow: training}, current: {uri: now.parquet}}
checks:
  - {check: schema_match, severity: blocker}
"""


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """Run `gate policy ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        return CliRunner().invoke(cli, ["policy", *args])

    return run


def test_lint_of_a_fine_policy_says_so_and_ends_with_0(gate):
    Path("fine.yaml").write_text(FINE)
    result = gate("lint", "fine.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 file, 0 errors, 0 warnings\n")


def test_lint_warns_and_ends_with_0(gate):
    Path("fine.yaml").write_text(FINE.replace("owner: us\n", ""))
    result = gate("lint", "fine.yaml")
    assert result.exit_code == 0
    assert result.stdout == "fine.yaml:1: warning: owner is missing: nobody answers for the outcome after launch\n"
    assert result.stderr == "1 file, 0 errors, 1 warning\n"


def test_lint_of_a_wrong_policy_ends_with_2(gate):
    Path("wrong.yaml").write_text(FINE.replace("schema_match", "schema_mach"))
    result = gate("lint", "wrong.yaml")
    assert result.exit_code == 2
    assert result.stdout == "wrong.yaml:8: unknown check kind 'schema_mach'; did you mean 'schema_match'?\n"
    assert result.stderr == "1 file, 1 error, 0 warnings\n"


def test_lint_of_a_limit_that_never_holds_ends_with_2(gate):
    Path("loose.yaml").write_text(FINE + "  - {check: missing_share, max: 1.0}\n")
    result = gate("lint", "loose.yaml")
    assert result.exit_code == 2
    assert (
        result.stdout == "loose.yaml:9: error: missing_share.max: a share is never above 1: 1 lets everything through\n"
    )


def test_lint_looks_into_a_folder_waivers_included_and_says_what_a_base_has_wrong_once(gate):
    Path("policies").mkdir()
    for name in ("one", "two"):
        Path("policies", f"{name}.yaml").write_text(FINE.replace("task", "extends: [base.yaml]\ntask"))
    Path("policies", "base.yaml").write_text("policy: gate/v1\nname: b\ncheks: []\n")
    Path("policies", "waivers.yaml").write_text("{}\n")
    result = gate("lint")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "policies/base.yaml:3: unknown key 'cheks'; did you mean 'checks'?",
        "policies/waivers.yaml:1: got a mapping, allowed is a list of waivers",
    ]
    assert result.stderr == "4 files, 2 errors, 0 warnings\n"


@pytest.mark.parametrize("path", ["nowhere.yaml", "empty"])
def test_lint_of_nothing_is_an_error(gate, path):
    Path("empty").mkdir()
    result = gate("lint", path)
    assert result.exit_code == 2
    assert "gate init MODEL_URI" in result.stderr


def test_what_is_hostile_in_a_file_does_not_reach_the_terminal(gate):
    Path("odd.yaml").write_text(FINE.replace("schema_match", '"\\e[31mred"'))
    result = gate("lint", "odd.yaml")
    assert result.exit_code == 2
    assert "\x1b" not in result.output


def test_show_prints_the_merged_policy_with_its_digest(gate, monkeypatch):
    monkeypatch.chdir(POLICIES)
    result = gate("show", "good.yaml")
    assert result.exit_code == 0
    assert re.match(
        r"# digest: sha256:[0-9a-f]{64}\n# from base.yaml\n# from good.yaml\npolicy: gate/v1\n", result.stdout
    )
    assert "  # base.yaml:8\n  - check: row_count\n    min: 100\n" in result.stdout


def test_show_of_a_wrong_policy_says_what_is_wrong(gate):
    Path("wrong.yaml").write_text("policy: gate/v1\n")
    result = gate("show", "wrong.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "wrong.yaml:1: 'name' is missing\n")


def test_schema_prints_json(gate):
    result = gate("schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "gate/v1 policy"
