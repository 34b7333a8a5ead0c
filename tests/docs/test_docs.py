"""What the documentation shows is what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.domain.verdict import EXIT_CODES
from gate.errors import GateError, OutOfTimeError, UsageError
from gate.policy.load import load_policy

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "gate" / "demo" / "data" / "README.md")
)  # fmt: skip
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> Iterator[str]:
    for block in _FENCE.finditer(page.read_text(encoding="utf-8")):
        if block["language"] == language:
            yield block["body"]


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_the_readme_shows_the_help_as_it_is():
    shown = next(block for block in blocks(ROOT / "README.md", "") if block.startswith("$ gate --help\n"))
    assert shown.removeprefix("$ gate --help\n") == run(sys.executable, "-m", "gate", "--help").stdout


def commands() -> list[tuple[str, str]]:
    """Every line of a page's shell and CI blocks that calls gate: (page, the words after `gate`)."""
    found = set()
    for page in PAGES:
        for language in ("", "yaml"):
            for block in blocks(page, language):
                for line in block.splitlines():
                    call = re.match(r"^[\s\-]*(?:run: )?gate (?P<words>[a-z].*)$", line)
                    if call:
                        found.add((relative(page), call["words"]))
    return sorted(found)


@pytest.mark.parametrize(("page", "words"), commands())
def test_every_command_that_is_shown_exists_with_its_options(page: str, words: str):
    name, *rest = words.split()
    shown = run(sys.executable, "-m", "gate", name, "--help")
    assert shown.returncode == 0, f"{page}: gate {words}"
    for option in (word.partition("=")[0] for word in rest if word.startswith("--")):
        assert option in shown.stdout, f"{page}: gate {words}"


def test_commands_are_found():
    assert ("README.md", "check models:/churn/3 --report report") in commands()


@pytest.mark.parametrize(
    "target", ["demo", "test", "check", "format", "lint", "types", "layers", "bench", "lock", "clean"]
)
def test_make_help_lists_what_there_is(target: str):
    assert re.search(
        rf"^  make {target} ", run("make", "--no-print-directory", "-C", str(ROOT), "help").stdout, re.MULTILINE
    )


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_targets_of_make_that_are_named_exist(page: Path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{relative(page)}: make {target}"


def policies() -> list[tuple[str, str]]:
    return [
        (relative(page), block)
        for page in PAGES
        for block in blocks(page, "yaml")
        if block.startswith("policy: gate/v1")
    ]


@pytest.mark.parametrize(("page", "text"), policies())
def test_every_policy_that_is_shown_is_right(page: str, text: str, tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    load_policy(path)


def test_policies_are_found():
    assert {page for page, _ in policies()} >= {"README.md", "docs/policies.md"}


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-decides.md"])
def test_the_exit_codes_are_those_of_the_program(page: str):
    shown = re.findall(r"^\| (\d) \|", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    codes = {*EXIT_CODES.values(), UsageError.exit_code, GateError.exit_code, OutOfTimeError.exit_code}
    assert [int(code) for code in shown] == sorted(codes)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{relative(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_that_are_named_exist(page: Path):
    for name in re.findall(
        r"`((?:gate|bench|docs|tests|policies|requirements)/[\w./-]+\.\w+)`", page.read_text("utf-8")
    ):
        assert (ROOT / name).exists() or name.startswith("policies/"), f"{relative(page)}: {name}"


def test_the_picture_of_the_layers_shows_every_layer():
    picture = next(blocks(ROOT / "docs" / "architecture.md", "mermaid"))
    layers = {path.name for path in (ROOT / "gate").iterdir() if (path / "__init__.py").is_file()}
    assert {layer for layer in layers if re.search(rf"\b{layer}\[", picture)} == layers
