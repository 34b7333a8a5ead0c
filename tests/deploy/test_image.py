"""The Dockerfile, read: no engine builds it here. Its steps are those that `make` runs, with the same locked files."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNNING = ("gate", "mlflow")


@dataclass(frozen=True)
class Step:
    word: str
    rest: str


def stages() -> dict[str, list[Step]]:
    """The instructions of each stage, with continued lines joined and comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found: dict[str, list[Step]] = {"": []}
    current = ""
    for line in joined.splitlines():
        if line.strip():
            word, rest = line.split(maxsplit=1)
            if word == "FROM":
                current = rest.split(" AS ")[1]
                found[current] = []
            found[current].append(Step(word, rest))
    return found


@pytest.fixture(scope="module")
def image() -> dict[str, list[Step]]:
    return stages()


def of(steps: list[Step], word: str) -> list[str]:
    return [step.rest for step in steps if step.word == word]


def test_it_has_the_stages_that_compose_builds(image):
    assert list(image) == ["", "installer", "gate-installed", "mlflow-installed", "mlflow", "gate"]
    assert list(image)[-1] == "gate", "what is built when nobody names a target"


def test_everything_is_installed_by_hash_and_nothing_else_is(image):
    installs = [part.strip() for steps in image.values() for run in of(steps, "RUN") for part in run.split("&&")
                if "pip install" in part]  # fmt: skip
    assert len(installs) == 4
    for command in installs:
        locked = re.search(r"--requirement (requirements/\w+\.txt)$", command)
        if locked:
            assert "--require-hashes" in command
            assert_has_hashes(ROOT / locked[1])
        else:
            assert command.endswith("--no-deps --no-build-isolation --offline .")
    assert "http" not in " ".join(installs)


def assert_has_hashes(file: Path) -> None:
    text = file.read_text()
    pins = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
    assert pins
    for block in re.split(r"^(?=[\w.\[\]-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block[:80]
    assert "://" not in text


def test_what_is_copied_exists_and_reaches_the_build(image):
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for steps in image.values():
        for copied in of(steps, "COPY"):
            if copied.startswith("--from="):
                continue
            for source in copied.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert any(Path(source).match(pattern) for pattern in allowed), source
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


@pytest.mark.parametrize("stage", RUNNING)
def test_it_runs_as_a_user_without_rights_from_a_base_without_tools(image, stage):
    assert of(image[stage], "FROM") == [f"${{PYTHON}} AS {stage}"]
    (user,) = of(image[stage], "USER")
    assert re.fullmatch(r"1000\d:1000\d", user)
    assert user.split(":")[0] in of(image[stage], "RUN")[0]
    words = [step.word for step in image[stage]]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in ("RUN", "COPY"))
    assert "VOLUME" not in words
    assert "ADD" not in words


@pytest.mark.parametrize("stage", RUNNING)
def test_its_health_check_is_python_that_parses(image, stage):
    (check,) = of(image[stage], "HEALTHCHECK")
    command = json.loads(check.split(" CMD ")[1])
    assert command[:2] == ["python", "-c"]
    ast.parse(command[2])


@pytest.mark.parametrize("stage", RUNNING)
def test_it_says_what_it_is(image, stage):
    labels = " ".join(of(image[stage], "LABEL"))
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in labels
    assert "org.opencontainers.image.title=" in labels


def test_it_serves_by_default(image):
    assert json.loads(of(image["gate"], "CMD")[0]) == ["gate", "serve"]
    assert not of(image["gate"], "ENTRYPOINT"), "compose runs other commands"
    environment = of(image["gate"], "ENV")[0]
    for setting in ("GATE_HOME=/var/lib/gate", "GATE_HOST=0.0.0.0", "PYTHONDONTWRITEBYTECODE=1"):
        assert setting in environment


def test_mlflow_is_the_version_that_is_tested():
    versions = {re.search(r"^mlflow==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)[1]
                for name in ("mlflow.txt", "dev.txt")}  # fmt: skip
    assert len(versions) == 1
