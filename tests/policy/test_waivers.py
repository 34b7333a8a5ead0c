# ruff: noqa: E501  # messages and files are written out in full
from datetime import UTC, datetime

import pytest

from gate.domain.moments import parse_moment
from gate.domain.waiver import Waiver
from gate.errors import PolicyError, UsageError
from gate.policy.waivers import load_waivers

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIGEST = "sha256:" + "ab" * 32
GOOD = {
    "check": "feature_drift",
    "column": "temp",
    "model_digest": f'"{DIGEST}"',
    "reason": "new sensors since 1 November",
    "ticket": "BIKE-412",
    "by": "j.chen",
    "approved_by": "a.roy",
    "granted": "2026-11-20",
    "expires": "2026-12-20",
}


def write(folder, **changes):
    entry = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    text = "- " + "\n  ".join(f"{key}: {value}" for key, value in entry.items()) + "\n"
    (folder / "waivers.yaml").write_text(text)
    return folder


def problems(folder):
    with pytest.raises(PolicyError) as caught:
        load_waivers(folder, NOW)
    return [str(problem).removeprefix(str(folder / "waivers.yaml")) for problem in caught.value.problems]


def test_no_file_is_no_waivers(tmp_path):
    assert load_waivers(tmp_path, NOW) == ()


def test_a_waiver_is_read_with_its_days(tmp_path):
    (waiver,) = load_waivers(write(tmp_path), NOW)
    assert waiver == Waiver(
        check="feature_drift",
        model_digest=DIGEST,
        reason="new sensors since 1 November",
        ticket="BIKE-412",
        by="j.chen",
        approved_by="a.roy",
        granted=datetime(2026, 11, 20, tzinfo=UTC),
        expires=parse_moment("2026-12-20"),
        column="temp",
        place=f"{tmp_path}/waivers.yaml:1",
    )


def test_an_expired_waiver_is_read_since_the_verdict_reports_it(tmp_path):
    (waiver,) = load_waivers(write(tmp_path, granted="2026-01-01", expires="2026-01-20"), NOW)
    assert waiver.expires < NOW


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"approved_by": "j.chen"}, ":7: waiver 1: approved_by: got j.chen, who asked for it; somebody else has to approve"),
        ({"approved_by": "J. Chen"}, ":7: waiver 1: approved_by: got J. Chen, who asked for it; somebody else has to approve"),
        ({"expires": "2026-12-21"}, ":9: waiver 1: expires: got 2026-12-21, allowed is at most 30 days after it was granted, 2026-12-20"),
        ({"expires": "2026-11-19"}, ":9: waiver 1: expires: got 2026-11-19, which is before it was granted, 2026-11-20"),
        ({"granted": "2026-11-23"}, ":8: waiver 1: granted: got 2026-11-23, which is still to come"),
        ({"expires": None}, ":1: waiver 1: 'expires' is missing"),
        ({"approved_by": None}, ":1: waiver 1: 'approved_by' is missing"),
        ({"expires": "never"}, ":9: waiver 1: expires: got the text 'never', allowed is a date such as 2026-11-20"),
        ({"reason": "ok"}, ":4: waiver 1: reason: got the text 'ok', allowed is text of at least 10 characters"),
        ({"model_digest": "abc"}, ":3: waiver 1: model_digest: got the text 'abc', allowed is text that matches ^sha256:[0-9a-f]{64}$"),
        ({"segment": "season=1"}, ":10: waiver 1: segment: a finding is about a column or a segment; keep one of them"),
        ({"colum": "temp"}, ":10: waiver 1: unknown key 'colum'; did you mean 'column'?"),
        ({"check": "3"}, ":1: waiver 1: check: got 3, allowed is text (a number or a word that means something else in YAML goes in quotes)"),
        ({"ticket": "yes"}, ':5: yes is read differently by different readers of YAML; write true, or put it in quotes: "yes"'),
    ],
)  # fmt: skip
def test_a_wrong_waiver_says_what_is_wrong(tmp_path, changes, problem):
    assert problems(write(tmp_path, **changes)) == [problem]


def test_every_problem_of_every_waiver_is_told(tmp_path):
    write(tmp_path, expires="never", by="a.roy")
    text = (tmp_path / "waivers.yaml").read_text()
    (tmp_path / "waivers.yaml").write_text(text + "- nonsense\n- {check: x}\n")
    assert problems(tmp_path) == [
        ":9: waiver 1: expires: got the text 'never', allowed is a date such as 2026-11-20",
        ":10: waiver 2: got the text 'nonsense', allowed is a mapping",
        ":11: waiver 3: 'approved_by' is missing",
        ":11: waiver 3: 'by' is missing",
        ":11: waiver 3: 'expires' is missing",
        ":11: waiver 3: 'granted' is missing",
        ":11: waiver 3: 'model_digest' is missing",
        ":11: waiver 3: 'reason' is missing",
        ":11: waiver 3: 'ticket' is missing",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ": the file is empty"),
        ("waivers: []\n", ":1: got a mapping, allowed is a list of waivers"),
        (
            "- {check: [}\n",
            ":1: not readable as YAML while parsing a flow node: expected the node content, but found '}'",
        ),
    ],
)
def test_a_file_that_is_no_list_of_waivers_is_wrong(tmp_path, text, problem):
    (tmp_path / "waivers.yaml").write_text(text)
    assert problems(tmp_path) == [problem]


def test_an_empty_list_is_no_waivers(tmp_path):
    (tmp_path / "waivers.yaml").write_text("[]\n")
    assert load_waivers(tmp_path, NOW) == ()


def test_a_file_that_cannot_be_read_is_an_error_and_not_an_absence(tmp_path):
    (tmp_path / "waivers.yaml").mkdir()
    with pytest.raises(UsageError) as caught:
        load_waivers(tmp_path, NOW)
    assert str(caught.value) == f"{tmp_path}/waivers.yaml: not a file"
    (tmp_path / "waivers.yaml").rmdir()
    (tmp_path / "waivers.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(UsageError):
        load_waivers(tmp_path, NOW)
