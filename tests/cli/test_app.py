"""The command as a process: what it loads, and how every kind of error ends."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import gate
from gate.cli import app
from gate.cli.app import SUBCOMMANDS, cli, explain
from gate.errors import (
    CandidateError,
    DataError,
    GateError,
    OutOfTimeError,
    PolicyError,
    Problem,
    RegistryError,
    StoreError,
    UsageError,
)

HEAVY = ("alembic", "duckdb", "evidently", "jinja2", "mlflow", "numpy", "pandas", "pyarrow", "pydantic", "re2", "scipy",
         "sklearn", "sqlalchemy", "sqlglot", "httpx", "fastapi", "uvicorn", "dbos", "yaml")  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["check", "--help"],
        ["diff", "--help"],
        ["doctor", "-h"],
        ["wait", "--help"],
        ["serve", "--help"],
        ["worker", "--help"],
    ],
)
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys\nfrom gate.cli.app import main\n"
        f"sys.argv = ['gate', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"


def test_help_lists_every_subcommand_in_order(run):
    ended = run("--help")
    assert ended.returncode == 0
    listed = [line.split()[0] for line in ended.stdout.partition("Commands:")[2].splitlines() if line[2:3].strip()]
    assert listed == list(SUBCOMMANDS)


def test_version(run):
    assert run("--version").stdout == f"gate {gate.__version__}\n"


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_each_subcommand_exists_under_its_name(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name


SECONDS = "is not a number of seconds from above 0 to 604,800 (see gate check --help)"
FORMATS = "is not FORMAT=PATH with a format of table, json, junit, markdown (see gate check --help)"
MODEL_URI = "is not a model URI; write models:/NAME/VERSION or models:/NAME@ALIAS"
KNOWN = "demo, init, check, wait, show, diff, policy, checks, serve, worker, doctor"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("chekc", "no such command 'chekc'; did you mean 'check'? (see gate --help)"),
        ("xyzzy", f"no such command 'xyzzy'; there are {KNOWN} (see gate --help)"),
        ("check", "missing argument 'MODEL_URI' (see gate check --help)"),
        ("check models:/a/1 --format xml",
         "invalid value for '--format': 'xml' is not one of 'table', 'json' (see gate check --help)"),
        ("check models:/a/1 --timeout nan", f"invalid value for '--timeout': 'nan' {SECONDS}"),
        ("check models:/a/1 --timeout 0", f"invalid value for '--timeout': '0' {SECONDS}"),
        ("check models:/a/1 --output yaml=x", f"invalid value for '--output': 'yaml=x' {FORMATS}"),
        ("check models:/a/1 --output json=", f"invalid value for '--output': 'json=' {FORMATS}"),
        ("check models:/bike", f"'models:/bike' {MODEL_URI}"),
        ("check models:/a\x1b[31m/1", f"'models:/a\\x1b[31m/1' {MODEL_URI}"),
        ("check models:/a/1 --output json=no/such/folder.json",
         "no/such/folder.json: cannot be written: No such file or directory"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_2(run, arguments, line):
    ended = run(*arguments.split(" "))
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"gate: {line}\n")


# --- errors ----------------------------------------------------------------------------------------------------------


def missing(module: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named {module!r}", name=module)


INSTALL = (
    "this needs the '{0}' extra of gate (no module named {1!r}); install it with: pip install 'readiness-gate[{0}]'"
)
DEBUG = "(run with GATE_DEBUG=1 for the traceback)"
TWO_PROBLEMS = PolicyError([Problem("b.yaml", 3, "two"), Problem("a.yaml", None, "one\x1b[0m")])


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("stage: no such stage"), 2, "gate: stage: no such stage"),
        (CandidateError("models:/x/1: no such model"), 2, "gate: models:/x/1: no such model"),
        (RegistryError("registry: unreachable"), 4, "gate: registry: unreachable"),
        (DataError("data.csv: ragged\nrow"), 4, "gate: data.csv: ragged\\nrow"),
        (StoreError("gate.db: disk full"), 4, "gate: gate.db: disk full"),
        (GateError("something"), 4, "gate: something"),
        (OutOfTimeError("timed out"), 5, "gate: timed out"),
        (TWO_PROBLEMS, 2, "a.yaml: one\\x1b[0m\nb.yaml:3: two"),
        (KeyError("boom"), 4, f"gate: internal error: KeyError: 'boom' {DEBUG}"),
        (missing("duckdb.x"), 2, f"gate: {INSTALL.format('evaluate', 'duckdb')}"),
        (missing("sklearn"), 2, f"gate: {INSTALL.format('demo', 'sklearn')}"),
        (missing("gate.no"), 4, f"gate: internal error: ModuleNotFoundError: No module named 'gate.no' {DEBUG}"),
    ],
)
def test_an_error_is_one_clear_line_and_its_exit_code(error, code, text, capsys, monkeypatch):
    monkeypatch.delenv("GATE_DEBUG", raising=False)
    assert explain(error) == code
    assert capsys.readouterr() == ("", f"{text}\n")


def test_a_bug_shows_its_traceback_on_request(capsys, monkeypatch):
    monkeypatch.setenv("GATE_DEBUG", "1")
    assert explain(ZeroDivisionError("division by zero")) == 4
    assert (
        capsys.readouterr().err
        == "ZeroDivisionError: division by zero\ngate: internal error: ZeroDivisionError: division by zero\n"
    )


@pytest.fixture
def broken(monkeypatch):
    """A subcommand that raises what the test wants, run through the group."""

    def start(error: BaseException) -> int:
        @click.command("check")
        def command() -> None:
            raise error

        monkeypatch.setattr(app.LazyGroup, "get_command", lambda *_: command)
        return CliRunner().invoke(cli, ["check"]).exit_code

    return start


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (RuntimeError("x"), 4), (RegistryError("x"), 4), (click.exceptions.Exit(3), 3),
     (RecursionError("deep"), 4), (MemoryError(), 4)],
)  # fmt: skip
def test_however_a_command_ends_the_exit_code_is_documented(broken, error, code):
    assert broken(error) == code


def test_a_reader_that_goes_away_sees_no_traceback():
    ended = subprocess.run(
        f"{sys.executable} -m gate --help | head -c 1", shell=True, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
