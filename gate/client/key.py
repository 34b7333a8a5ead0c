"""The Idempotency-Key: by which a job that runs again finds the evaluation that it has already asked for."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import rfc8785

_MOST_ROUNDS = 10

# How CI systems name one run of one job: (how the system is known, what tells runs apart). The attempt is left out on
# purpose: a job that is run again joins the evaluation that its first attempt left running.
_SYSTEMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "github": ("GITHUB_ACTIONS", ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_JOB")),
    "gitlab": ("GITLAB_CI", ("CI_SERVER_URL", "CI_PROJECT_ID", "CI_PROJECT_PATH", "CI_PIPELINE_ID", "CI_JOB_NAME")),
    "azure": ("TF_BUILD", ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID", "SYSTEM_JOBNAME")),
    "buildkite": ("BUILDKITE", ("BUILDKITE_PIPELINE_ID", "BUILDKITE_BUILD_ID", "BUILDKITE_STEP_ID")),
    "circleci": ("CIRCLECI", ("CIRCLE_PROJECT_ID", "CIRCLE_WORKFLOW_ID", "CIRCLE_JOB")),
    "jenkins": ("JENKINS_URL", ("JENKINS_URL", "JOB_NAME", "BUILD_NUMBER", "STAGE_NAME")),
}  # fmt: skip


def keys_for(body: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Keys to ask by, one after the other: the next is for when the one before names what is long over.

    In a job of a known CI system they follow from the run, the job and what is asked; elsewhere from chance. The last
    one is always left to chance: a job that was run again many times still gets an evaluation.
    """
    run = ci_run(environment)
    if run is None:
        yield from (uuid.uuid4().hex for _ in range(3))
        return
    digest = hashlib.sha256(rfc8785.dumps({"run": list(run), "body": dict(body)})).hexdigest()
    yield digest
    yield from (f"{digest}#{number}" for number in range(2, _MOST_ROUNDS + 1))
    yield uuid.uuid4().hex


def ci_run(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """What names this run of this job: the system and its own names; None where it cannot be told from another."""
    for system, (mark, names) in _SYSTEMS.items():
        if environment.get(mark):
            named = tuple(environment.get(name, "") for name in names)
            run_id = named[-2]
            return (system, *named) if run_id else None
    return None


def is_ci(environment: Mapping[str, str]) -> bool:
    """Whether this is a job of a CI system, known or not."""
    return environment.get("CI", "").lower() not in ("", "0", "false") or ci_run(environment) is not None
