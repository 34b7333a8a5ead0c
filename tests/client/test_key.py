"""The key by which a job that runs again finds what it has asked for."""

from __future__ import annotations

from itertools import islice

import pytest

from gate.client.key import ci_run, is_ci, keys_for

GITHUB = {
    "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b",
    "GITHUB_RUN_ID": "17", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "gate",
}  # fmt: skip
GITLAB = {
    "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.com", "CI_PROJECT_ID": "5",
    "CI_PROJECT_PATH": "a/b", "CI_PIPELINE_ID": "17", "CI_JOB_NAME": "gate", "CI_JOB_ID": "99",
}  # fmt: skip
BODY = {"model": "models:/x/1", "stage": None, "report_only": False}


def first(environment, body=BODY):
    return next(keys_for(body, environment))


@pytest.mark.parametrize(
    ("environment", "change"), [(GITHUB, {"GITHUB_RUN_ATTEMPT": "2"}), (GITLAB, {"CI_JOB_ID": "100"})]
)
def test_a_job_that_runs_again_has_the_same_key(environment, change):
    assert first(environment | change) == first(environment)


@pytest.mark.parametrize(
    "change", [{"GITHUB_REPOSITORY": "a/c"}, {"GITHUB_RUN_ID": "18"}, {"GITHUB_JOB": "other"},
               {"GITHUB_SERVER_URL": "https://github.example.com"}],
)  # fmt: skip
def test_another_run_or_job_has_another_key(change):
    assert first(GITHUB | change) != first(GITHUB)


def test_another_question_has_another_key():
    assert first(GITHUB, BODY | {"stage": "shadow"}) != first(GITHUB)
    assert first(GITHUB, BODY | {"report_only": True}) != first(GITHUB)


def test_the_names_of_a_run_cannot_run_into_one_another():
    assert first(GITHUB | {"GITHUB_RUN_ID": "1", "GITHUB_JOB": "7a"}) != first(
        GITHUB | {"GITHUB_RUN_ID": "17", "GITHUB_JOB": "a"}
    )


def test_further_keys_are_numbered_and_come_to_an_end():
    keys = list(keys_for(BODY, GITLAB))
    assert keys[1:3] == [f"{keys[0]}#2", f"{keys[0]}#3"]
    assert len(keys) == len(set(keys)) == 11
    assert all(key.isascii() and key.isprintable() and len(key) <= 255 for key in keys)


def test_the_last_key_is_left_to_chance_so_that_a_job_that_ran_often_gets_an_evaluation():
    (*named, last), (*again, other) = keys_for(BODY, GITHUB), keys_for(BODY, GITHUB)
    assert named == again
    assert last != other


@pytest.mark.parametrize("environment", [{}, {"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}])
def test_where_a_run_has_no_name_keys_are_left_to_chance(environment):
    assert ci_run(environment) is None
    assert len({*islice(keys_for(BODY, environment), 3), *islice(keys_for(BODY, environment), 3)}) == 6


@pytest.mark.parametrize(
    ("environment", "is_one"),
    [({}, False), ({"CI": ""}, False), ({"CI": "false"}, False), ({"CI": "0"}, False), ({"CI": "true"}, True),
     ({"CI": "1"}, True), (GITHUB, True), ({"JENKINS_URL": "x", "BUILD_NUMBER": "3"}, True)],
)  # fmt: skip
def test_a_ci_system_is_known_by_its_variables(environment, is_one):
    assert is_ci(environment) is is_one
