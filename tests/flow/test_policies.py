from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.domain.candidate import Candidate
from gate.domain.evaluation import ClientPolicy
from gate.errors import ClientPolicyError, PolicyError, UsageError
from gate.flow.policies import PolicyShelf
from gate.policy.match import PolicySet

MORNING, NOON, NIGHT = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (6, 12, 22))
TOY = Candidate("toy", "1", "sha256:0", None, None, "s3://x")

POLICY = """\
policy: gate/v1
name: {name}
applies_to: {{models: ["{model}"]}}
task: none
data: {{reference: {{mlflow: training}}, current: {{uri: now.parquet}}}}
checks:
  - {{check: missing_share, max: 0.05}}
"""
STRICTER = """\
policy: gate/v1
name: mine
applies_to: {models: [toy]}
extends: [toy.yaml]
checks:
  - {check: missing_share, max: 0.01}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Path("policies")
    made.mkdir()
    (made / "toy.yaml").write_text(POLICY.format(name="toy", model="toy"))
    (made / "other.yaml").write_text(POLICY.format(name="other", model="other"))
    return made


def names(policies: PolicySet) -> list[str]:
    return [policy.policy.name for policy in policies.policies]


def test_a_good_change_replaces_the_whole_set(folder):
    shelf = PolicyShelf(folder, MORNING)
    before = shelf.status().digest
    (folder / "third.yaml").write_text(POLICY.format(name="third", model="third"))
    shelf.refresh(NOON)
    assert names(shelf.current()) == ["other", "third", "toy"]
    assert (shelf.status().ok, shelf.status().at, shelf.status().problems) == (True, NOON, ())
    assert shelf.status().digest != before


def test_a_broken_change_keeps_the_last_good_set_and_says_so_until_it_is_mended(folder):
    heard = []
    shelf = PolicyShelf(folder, MORNING, heard=lambda ok, at: heard.append((ok, at)))
    good = shelf.status().digest
    (folder / "toy.yaml").write_text("policy: gate/v1\nnme: toy\n")
    for moment in (NOON, NIGHT):  # a second look at the same broken file is no good news
        shelf.refresh(moment)
        assert names(shelf.current()) == ["other", "toy"]
        assert shelf.status().ok is False
        assert (shelf.status().at, shelf.status().digest) == (MORNING, good)
        assert any(problem.startswith("policies/toy.yaml:2: ") for problem in shelf.status().problems)
    (folder / "toy.yaml").write_text(POLICY.format(name="toy", model="toy"))
    shelf.refresh(NIGHT)
    assert (shelf.status().ok, shelf.status().problems, shelf.status().digest) == (True, (), good)
    assert heard == [(True, MORNING), (False, MORNING), (False, MORNING), (True, NIGHT)]


def test_a_base_that_lies_elsewhere_is_watched_too(folder):
    Path("base.yaml").write_text("policy: gate/v1\nname: base\nchecks:\n  - {check: missing_share, max: 0.5}\n")
    text = POLICY.format(name="toy", model="toy")
    (folder / "toy.yaml").write_text(text.replace("checks:", "extends: [../base.yaml]\nchecks:"))
    shelf = PolicyShelf(folder, MORNING)
    Path("base.yaml").write_text("policy: gate/v1\nname: base\nchecks:\n  - {check: missing_share, max: 0.01}\n")
    shelf.refresh(NOON)
    assert not shelf.status().ok  # toy is looser now than what it extends
    Path("base.yaml").unlink()
    shelf.refresh(NIGHT)
    assert not shelf.status().ok


@pytest.mark.parametrize("ruin", ["empty", "gone"])
def test_a_folder_that_loses_its_policies_is_a_broken_change(folder, ruin):
    shelf = PolicyShelf(folder, MORNING)
    for file in folder.iterdir():
        file.unlink()
    if ruin == "gone":
        folder.rmdir()
    shelf.refresh(NOON)
    assert names(shelf.current()) == ["other", "toy"]
    assert not shelf.status().ok


def test_a_limit_that_nothing_exceeds_is_a_broken_change_too(folder):
    shelf = PolicyShelf(folder, MORNING)
    (folder / "toy.yaml").write_text(POLICY.format(name="toy", model="toy").replace("0.05", "1"))
    shelf.refresh(NOON)
    assert not shelf.status().ok


def test_a_server_does_not_begin_with_broken_policies(folder):
    (folder / "toy.yaml").write_text("nme: toy\n")
    with pytest.raises(PolicyError):
        PolicyShelf(folder, MORNING)


def test_a_server_does_not_begin_without_policies(tmp_path):
    with pytest.raises(UsageError) as caught:
        PolicyShelf(tmp_path / "none", MORNING)
    assert str(caught.value) == (
        f"{tmp_path / 'none'}: no such folder of policies; set GATE_POLICIES, or write one with gate init"
    )
    with pytest.raises(UsageError) as caught:
        PolicyShelf(tmp_path, MORNING)
    assert str(caught.value) == f"{tmp_path}: holds no policy that applies to a model; gate init MODEL_URI writes one"


def judged_by(shelf: PolicyShelf, text: str, candidate: Candidate = TOY):
    brought = shelf.tightened(ClientPolicy("mine.yaml", text))
    current = shelf.current()
    return PolicySet(current.place, current.policies, brought).only(candidate)


def test_a_stricter_policy_of_a_client_judges_where_that_is_allowed(folder):
    policy = judged_by(PolicyShelf(folder, MORNING, client_policies="tighten"), STRICTER)
    assert (policy.source, policy.checks[0].max, policy.folder) == ("mine.yaml", 0.01, folder)


def test_a_client_brings_no_policy_unless_that_is_allowed(folder):
    with pytest.raises(ClientPolicyError) as caught:
        judged_by(PolicyShelf(folder, MORNING), STRICTER)
    assert str(caught.value) == (
        "mine.yaml: this server judges by its own policies alone; ask without --policy, "
        "or have it set client_policies: tighten"
    )


def test_a_looser_policy_of_a_client_is_refused_under_its_own_name(folder):
    with pytest.raises(PolicyError) as caught:
        judged_by(PolicyShelf(folder, MORNING, client_policies="tighten"), STRICTER.replace("0.01", "0.5"))
    assert str(caught.value) == (
        "mine.yaml:6: missing_share.max: got 0.5, but policies/toy.yaml:7 has 0.05, and it may only be lowered; "
        "to check something beside it, give this one an id of its own"
    )


def test_a_policy_that_extends_none_of_ours_is_refused(folder):
    (folder / "base.yaml").write_text("policy: gate/v1\nname: base\n")
    text = POLICY.format(name="mine", model="toy") + "extends: [base.yaml]\n"
    with pytest.raises(ClientPolicyError) as caught:
        judged_by(PolicyShelf(folder, MORNING, client_policies="tighten"), text)
    assert str(caught.value) == "mine.yaml: extends none of this server's policies; they are other.yaml, toy.yaml"


def test_a_policy_that_extends_the_one_of_another_model_is_no_way_around_ones_own(folder):
    shelf = PolicyShelf(folder, MORNING, client_policies="tighten")
    with pytest.raises(UsageError) as caught:
        judged_by(shelf, STRICTER.replace("toy.yaml", "other.yaml"))
    assert str(caught.value) == "mine.yaml: models:/toy/1 is judged by policies/toy.yaml, which this does not extend"


def test_a_policy_of_a_client_for_another_model_is_refused(folder):
    shelf = PolicyShelf(folder, MORNING, client_policies="tighten")
    with pytest.raises(UsageError) as caught:
        judged_by(shelf, STRICTER.replace("[toy]", "[tin]"))
    assert str(caught.value) == "mine.yaml: this policy is for models tin; the candidate is toy"


@pytest.mark.parametrize("base", ["../secret.yaml", "/etc/passwd", "sub/secret.yaml", "../policies/../secret.yaml"])
def test_a_client_reads_no_file_of_the_server_beside_its_policies(folder, base):
    Path("secret.yaml").write_text("password: hunter2\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "secret.yaml").write_text("password: hunter2\n")
    with pytest.raises(PolicyError) as caught:
        judged_by(PolicyShelf(folder, MORNING, client_policies="tighten"), STRICTER.replace("toy.yaml", base))
    assert "hunter2" not in str(caught.value)
    assert "password" not in str(caught.value)
    assert any(str(problem).startswith("mine.yaml:4: extends[0]: ") for problem in caught.value.problems)


def test_the_name_of_a_clients_file_is_no_path(folder):
    shelf = PolicyShelf(folder, MORNING, client_policies="tighten")
    assert shelf.tightened(ClientPolicy("../../other/toy.yaml", STRICTER)).source == "toy.yaml"


def test_a_broken_change_is_logged_once_and_the_mended_one_too(folder, caplog):
    caplog.set_level("INFO")
    shelf = PolicyShelf(folder, MORNING)
    (folder / "toy.yaml").write_text("nme: toy\n")
    for _ in range(3):
        shelf.refresh(NOON)
    (folder / "toy.yaml").write_text(POLICY.format(name="toy", model="toy"))
    shelf.refresh(NIGHT)
    levels = [(record.levelname, record.getMessage().split(":")[0]) for record in caplog.records]
    assert levels == [
        ("ERROR", "policies are not reloaded, the last good set judges on"),
        ("INFO", "2 policies are loaded"),
    ]
