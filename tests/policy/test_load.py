import os
from datetime import timedelta
from pathlib import Path

import pytest

from gate.domain.finding import Severity
from gate.domain.moments import parse_moment
from gate.errors import PolicyError, UsageError
from gate.policy.load import LoadedBase, LoadedPolicy, load, load_policy

POLICIES = Path(__file__).parents[1] / "policies"
BAD = sorted(path.name for path in POLICIES.glob("bad.*.yaml"))

MINIMAL = """\
policy: gate/v1
name: small
applies_to: {models: [small]}
task: none
data: {reference: {mlflow: training}, current: {uri: now.parquet}}
checks:
  - {check: schema_match}
"""


@pytest.fixture
def beside(monkeypatch):
    """Stand beside the policies, so that messages name them as a person would."""
    monkeypatch.chdir(POLICIES)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in an empty folder, and write files there by name."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            Path(f"{name}.yaml").write_text(text)
        return Path(f"{next(iter(files))}.yaml")

    return write


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_policy_says_everything_that_is_wrong(beside, name):
    with pytest.raises(PolicyError) as caught:
        load_policy(Path(name))
    expected = Path(name.removesuffix(".yaml") + ".error.txt").read_text()
    assert f"{caught.value}\n" == expected


def test_there_are_many_wrong_policies_each_with_its_message():
    assert len(BAD) >= 35
    assert {name.removesuffix(".yaml") for name in BAD} == {
        path.name.removesuffix(".error.txt") for path in POLICIES.glob("bad.*.error.txt")
    }


def test_a_right_policy_is_its_fields(beside):
    loaded = load_policy(Path("good.yaml"))
    policy = loaded.policy
    assert isinstance(loaded, LoadedPolicy)
    assert (policy.name, policy.task, policy.data.columns.target) == ("pilot", "regression", "cnt")
    assert policy.defaults.min_rows == 300
    assert policy.champion is not None
    assert policy.champion.when_missing == "hold"
    assert policy.verdict.valid_for == timedelta(days=14)
    assert [check.name for check in loaded.checks] == [
        "schema_match",
        "missing_share",
        "row_count",
        "overrides",
        "error",
    ]
    assert loaded.checks == policy.checks
    assert loaded.source == "good.yaml"
    assert loaded.folder == Path()
    assert loaded.files == ("base.yaml", "good.yaml")


def test_each_check_knows_where_it_was_last_said(beside):
    loaded = load_policy(Path("good.yaml"))
    assert loaded.lines["schema_match"] == 6
    assert loaded.origins["schema_match"] == "base.yaml"
    assert loaded.lines["missing_share"] == 11
    assert loaded.origins["missing_share"] == "good.yaml"


def test_the_whole_language_can_be_said(folder):
    path = folder(
        full="""\
policy: gate/v1
name: full
description: Everything there is to say.
owner: the-team
pilot: {started: 2026-09-01, decide_by: 2026-12-31, sponsor: j.doe, department: d, use_case: u, risk: medium}
applies_to: {models: ["bike*", other], tags: {lifecycle: pilot}}
task: classification
data:
  reference: {uri: "mlflow-artifacts:/1/2.parquet", last_rows: 1000}
  current: {uri: "s3://bucket/*.parquet", window: {column: at, last: 36h, until: 2026-11-20}}
  labels: {uri: labels.parquet, on: ride_id, delay: 7d}
  data_digest: content
  columns:
    target: bought
    prediction: predicted
    positive: ">50K"
    score: p_yes
    threshold: 0.5
    timestamp: at
    key: ride_id
    segments: [season]
    categorical: [season]
    numeric: [temp]
    ignore: [instant]
champion: {alias: live, when_missing: skip, predictions: {prediction: old, score: p_old}}
defaults: {confidence: 0.9, min_rows: 50, severity: blocker}
checks:
  - id: good_enough
    check: metric
    metric: roc_auc
    min: 0.8
    warn_below: 0.85
    versus: {champion: {max_decrease: 0.01}}
    segments: {by: [season], min_rows: 100, min: 0.7}
    severity: major
    dimension: business
    owner: somebody
    confidence: point
    min_rows: 100
verdict: {valid_for: 7d}
"""
    )
    policy = load_policy(path).policy
    assert policy.data.current.window is not None
    assert policy.data.current.window.until == parse_moment("2026-11-20")
    assert policy.defaults.severity is Severity.BLOCKER
    (check,) = policy.checks
    assert check.severity is Severity.MAJOR
    assert policy.data.labels is not None
    assert policy.data.labels.delay == timedelta(days=7)


def test_every_check_can_be_a_key(beside):
    assert len(set(load_policy(Path("good.yaml")).checks)) == 5


def test_a_file_without_applies_to_is_a_base(beside):
    loaded = load(Path("base.yaml"))
    assert type(loaded) is LoadedBase
    with pytest.raises(PolicyError) as caught:
        load_policy(Path("base.yaml"))
    assert str(caught.value) == (
        "base.yaml: this is a base: without applies_to it is extended by policies and judges nothing itself"
    )


def test_applies_to_of_a_base_is_not_inherited(folder):
    child = "policy: gate/v1\nname: child\nextends: [parent.yaml]\n"
    assert type(load(folder(child=child, parent=MINIMAL))) is LoadedBase


def test_no_file_is_no_policy(folder):
    with pytest.raises(UsageError) as caught:
        load_policy(Path("nowhere.yaml"))
    assert str(caught.value) == "nowhere.yaml: no such file; `gate init MODEL_URI` writes a policy"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_without_waiting_for_it(folder, make):
    make("odd.yaml")
    with pytest.raises(PolicyError) as caught:
        load_policy(Path("odd.yaml"))
    assert str(caught.value) == "odd.yaml: cannot be read: not a file"


def test_a_huge_file_is_refused_unread(folder):
    path = Path("huge.yaml")
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert str(caught.value) == "huge.yaml: larger than 256 KiB, the most that is read"


def test_a_chain_of_bases_has_an_end(folder):
    files = {"p0": MINIMAL.replace("task", "extends: [p1.yaml]\ntask")}
    for number in range(1, 9):
        files[f"p{number}"] = f"policy: gate/v1\nname: p{number}\nextends: [p{number + 1}.yaml]\n"
    files["p9"] = "policy: gate/v1\nname: p9\n"
    with pytest.raises(PolicyError) as caught:
        load_policy(folder(**files))
    assert str(caught.value) == "p7.yaml:3: extends[0]: more than 8 files deep"


def test_a_base_of_two_bases_is_read_once(folder):
    top = MINIMAL.replace("task", "extends: [left.yaml, right.yaml]\ntask")
    side = "policy: gate/v1\nname: side\nextends: [root.yaml]\n"
    root = "policy: gate/v1\nname: root\nchecks:\n  - {check: row_count, min: 1}\n"
    assert load_policy(folder(top=top, left=side, right=side, root=root)).files == (
        "root.yaml", "left.yaml", "right.yaml", "top.yaml",
    )  # fmt: skip


# --- the digest -------------------------------------------------------------------------------------------------------


def test_the_digest_is_of_the_bytes_and_not_of_the_place(folder, tmp_path):
    path = folder(one=MINIMAL, two=MINIMAL)
    digest = load_policy(path).digest
    assert digest.startswith("sha256:")
    assert len(digest) == 71
    assert load_policy(Path("two.yaml")).digest == digest
    assert load_policy(tmp_path / "one.yaml").digest == digest


@pytest.mark.parametrize(
    "changed",
    [MINIMAL + "# a comment\n", MINIMAL.replace("schema_match", "schema_match "), MINIMAL.replace("now", "now2")],
    ids=["comment", "blank", "value"],
)
def test_any_changed_byte_is_another_digest(folder, changed):
    assert load_policy(folder(one=changed)).digest != load_policy(folder(two=MINIMAL)).digest


def test_a_changed_base_is_another_digest(folder):
    child = MINIMAL.replace("task", "extends: [base.yaml]\ntask")
    base = "policy: gate/v1\nname: base\nchecks:\n  - {check: row_count, min: 1}\n"
    before = load_policy(folder(child=child, base=base)).digest
    assert load_policy(folder(child=child, base=base + "\n")).digest != before
