"""The base install is enough to ask a server: nothing of the extras is imported on the way."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from wire import ID, Pretender, Wire, verdict
from wire import wire as opened

import gate

PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))

# Finds no module that the base install does not bring.
BLOCK = """\
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {blocked!r} else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
sys.argv = ["gate", *{words!r}]
from gate.cli.app import main
main()
"""


def base() -> set[str]:
    """The distributions of the base install, with all that they need."""
    found: set[str] = set()
    open_ = list(PYPROJECT["project"]["dependencies"])
    while open_:
        requirement = open_.pop()
        name = re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")
        if "extra ==" not in requirement and name not in found:
            found.add(name)
            with suppress(PackageNotFoundError):  # it is for another Python
                open_ += requires(name) or []
    return found


def blocked() -> list[str]:
    """Every top-level module that is installed here and would not be there."""
    kept = base() | {"readiness-gate"}
    return sorted(
        module
        for module, owners in packages_distributions().items()
        if not {owner.lower().replace("_", "-") for owner in owners} & kept
    )


@pytest.fixture
def wire() -> Iterator[Wire]:
    with opened() as listening:
        yield listening


@pytest.fixture
def bare(tmp_path: Path, wire: Wire):
    """Run `gate WORDS...` as if only the base were installed."""
    hidden = blocked()

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", BLOCK.format(blocked=hidden, words=words)], cwd=tmp_path, capture_output=True,
            text=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GATE_URL": wire.url, **variables},
        )  # fmt: skip

    return run


def test_what_is_hidden_is_all_of_the_extras():
    assert {"sqlalchemy", "mlflow", "numpy", "pandas", "duckdb", "evidently", "jinja2", "fastapi", "dbos", "scipy",
            "pyarrow", "sqlglot", "prometheus_client", "uvicorn"} <= set(blocked())  # fmt: skip
    assert not {"click", "httpx", "pydantic", "yaml", "re2", "rfc8785"} & set(blocked())


def test_a_verdict_can_be_asked_for_waited_for_and_shown(bare, wire: Wire, tmp_path: Path):
    wire.answer = Pretender(verdict("hold-failed"))
    asked = bare("check", "models:/bike-demand/2", "--report", "out", "--output", "junit=gate.xml", CI="true")
    assert (asked.returncode, asked.stdout.splitlines()[0]) == (1, "HOLD bike-demand version 2: a check failed")
    assert (tmp_path / "gate.xml").is_file()
    assert (tmp_path / "out" / "index.html").is_file()
    assert bare("wait", ID).returncode == 1
    assert bare("show", ID[:8]).stdout.splitlines()[0] == "HOLD bike-demand version 2: a check failed"
    assert bare("diff", ID[:8], ID[:8]).returncode == 0


def test_the_doctor_looks_at_the_server(bare, wire: Wire):
    wire.answer = Pretender()
    looked = bare("doctor")
    assert looked.returncode == 0, looked.stdout
    assert re.search(rf"^ok    server +{wire.url} is ready, gate {gate.__version__}$", looked.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "extra"),
    [(("check", "models:/a/1"), "evaluate"), (("init", "models:/a/1"), "evaluate"), (("serve",), "server"),
     (("worker",), "server")],
)  # fmt: skip
def test_what_needs_more_says_how_to_get_it(bare, words: tuple[str, ...], extra: str):
    ended = bare(*words, GATE_URL="")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"gate: this needs the '{extra}' extra of gate (no module named ")
    assert ended.stderr.endswith(f"; install it with: pip install 'readiness-gate[{extra}]'\n")


@pytest.mark.parametrize("words", [("policy", "schema"), ("checks",), ("checks", "feature_drift"), ("--help",)])
def test_policies_can_be_written(bare, words: tuple[str, ...]):
    assert bare(*words).returncode == 0
