"""The jobs of docs/ci.md and of the README, run as the CI system runs them, against a real gate server."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from server import GateServer, clean

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODELS = {"promote": "toy", "hold": "held"}


def blocks(page: str) -> list[str]:
    return FENCE.findall((ROOT / page).read_text(encoding="utf-8"))


def job(page: str, system: str) -> Any:
    """The first job on a page that asks a server, as YAML gives it."""
    for block in blocks(page):
        if "GATE_URL" in block and ("runs-on" in block or "- run:" in block) is (system == "github"):
            return yaml.safe_load(block)
    raise AssertionError(f"{page}: there is no job for {system} that asks a server")


@dataclass(frozen=True)
class Runner:
    """A machine of a CI system: a folder, and a PATH on which `gate` is this one and `pip` only notes its words."""

    folder: Path
    server: GateServer
    model: str

    def run(self, script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script as both systems do: bash, ended by the first command that fails."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self._named(script)], cwd=self.folder,
            env=self._base() | environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def value(self, text: str) -> str:
        """A value of the job's environment, its expressions filled in as the system would."""
        return re.sub(r"\$\{\{ vars\.GATE_URL \}\}|https://gate\.example\.com", self.server.url, str(text))

    @property
    def installed(self) -> list[str]:
        """What was asked of pip."""
        return (self.folder / "pip.txt").read_text().splitlines()

    def _named(self, script: str) -> str:
        return re.sub(r"models:/[a-z-]+", f"models:/{self.model}", script)

    def _base(self) -> dict[str, str]:
        tools = self.folder / "bin"
        if not tools.exists():
            tools.mkdir()
            (tools / "pip").write_text(f'#!/bin/sh\necho "$@" >> {self.folder}/pip.txt\n')
            (tools / "gate").write_text(f'#!/bin/sh\nexec {sys.executable} -m gate "$@"\n')
            for tool in tools.iterdir():
                tool.chmod(0o755)
        kept = {name: value for name, value in clean().items() if name != "NO_COLOR"}
        return kept | {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder)}


@pytest.fixture(params=MODELS)
def decision(request) -> str:
    return request.param


@pytest.fixture
def runner(tmp_path: Path, gate_server: GateServer, decision: str) -> Runner:
    return Runner(tmp_path, gate_server, MODELS[decision])


def steps_of(found: Any) -> Iterator[dict[str, Any]]:
    yield from found if isinstance(found, list) else found["jobs"]["gate"]["steps"]


def github(runner: Runner, found: Any, run_id: str) -> tuple[int, str]:
    """Run the steps of a job on a GitHub runner, until one fails; its exit code and all that was printed."""
    summary = runner.folder / "summary.md"
    summary.touch()
    variables = {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_JOB": "gate",
        "GITHUB_REPOSITORY": "pilots/demand", "GITHUB_RUN_ID": run_id, "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(runner.folder / "output"),
    }  # fmt: skip
    printed = ""
    for step in steps_of(found):
        if "run" not in step:
            continue
        stated = {name: runner.value(value) for name, value in step.get("env", {}).items()}
        done = runner.run(step["run"], variables | stated)
        printed += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, printed
    return 0, printed


def gitlab(runner: Runner, found: Any, pipeline: str) -> tuple[int, str]:
    """Run the script of a job on a GitLab runner."""
    variables = {
        "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.com", "CI_PROJECT_ID": "7",
        "CI_PROJECT_PATH": "pilots/demand", "CI_PIPELINE_ID": pipeline, "CI_JOB_NAME": "gate", "CI_JOB_ID": "70",
    }  # fmt: skip
    stated = {name: runner.value(value) for name, value in found["gate"].get("variables", {}).items()}
    done = runner.run("\n".join(found["gate"]["script"]), variables | stated)
    return done.returncode, done.stdout + done.stderr


def results(runner: Runner, decision: str, code: int, printed: str) -> str:
    """What any job leaves: the exit code, the verdict, its files; the address of its page."""
    assert code == {"promote": 0, "hold": 1}[decision], printed
    assert f"{decision.upper()} {runner.model} version 1" in printed
    assert runner.installed == ["install readiness-gate"]
    suite = ET.parse(runner.folder / "gate.xml").getroot().find("testsuite")
    assert (int(suite.attrib["failures"]) > 0) is (decision == "hold")
    assert "<html" in (runner.folder / "gate-report" / "index.html").read_text(encoding="utf-8")
    assert "::" not in printed.replace("models:/", "")  # nothing that a CI system would take for a command
    return re.search(rf"page +({runner.server.url}/verdicts/\S+)", printed)[1]


@pytest.mark.parametrize("page", ["docs/ci.md", "README.md"])
def test_the_job_for_github_actions(runner: Runner, decision: str, page: str):
    code, printed = github(runner, job(page, "github"), f"1-{page}-{decision}")
    url = results(runner, decision, code, printed)
    summary = (runner.folder / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith(f"## {decision.upper()} {runner.model} version 1")
    assert f"(<{url}>)" in summary


@pytest.mark.parametrize("page", ["docs/ci.md", "README.md"])
def test_the_job_for_gitlab(runner: Runner, decision: str, page: str):
    found = job(page, "gitlab")
    code, printed = gitlab(runner, found, f"1-{page}-{decision}")
    results(runner, decision, code, printed)
    artifacts = found["gate"]["artifacts"]
    assert artifacts["when"] == "always"
    for path in (*artifacts["paths"], artifacts["reports"]["junit"]):
        assert (runner.folder / path).exists()


def test_what_is_kept_of_a_job_for_github_is_what_it_wrote(runner: Runner, decision: str):
    found = job("docs/ci.md", "github")
    github(runner, found, f"2-{decision}")
    upload = next(step for step in steps_of(found) if "upload-artifact" in step.get("uses", ""))
    assert upload["if"] == "always()"
    for path in upload["with"]["path"].split():
        assert (runner.folder / path).exists()


@pytest.mark.parametrize(("system", "needs"), [("github", "gate"), ("gitlab", ["gate"])])
def test_a_deployment_waits_for_the_gate(system: str, needs: object):
    found = job("docs/ci.md", system)
    assert (found["jobs"] if system == "github" else found)["deploy"]["needs"] == needs


def test_only_what_could_not_be_decided_is_retried():
    assert job("docs/ci.md", "gitlab")["gate"]["retry"] == {"max": 2, "exit_codes": [4]}


def test_a_job_that_runs_again_asks_anew_once_its_evaluation_is_over(runner: Runner, decision: str):
    found = job("docs/ci.md", "gitlab")
    pages = [results(runner, decision, *gitlab(runner, found, f"3-{decision}")) for _ in range(1)]
    (runner.folder / "pip.txt").unlink()
    pages.append(results(runner, decision, *gitlab(runner, found, f"3-{decision}")))
    assert pages[0] != pages[1]
