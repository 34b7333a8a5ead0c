"""docs/deploy.md: what it tells to type, and what it says of the settings."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest

from gate.wiring.settings import _SETTINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text()


def test_the_lines_that_make_the_secrets_make_them(tmp_path):
    (lines,) = re.findall(r"```sh\n(mkdir -m 700 -p secrets\n.*?)docker compose up", PAGE, re.DOTALL)
    done = subprocess.run(
        ["bash", "-euc", lines], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    if "openssl" in done.stderr:
        pytest.skip("needs openssl, which is not installed: apt-get install openssl")
    assert (done.returncode, done.stderr) == (0, "")
    made = {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}
    assert set(made) == {"postgres_password", "grafana_password", "gate_database"}
    assert made["postgres_password"] != made["grafana_password"]
    assert made["gate_database"] == f"postgresql+psycopg://gate:{made['postgres_password']}@postgres:5432/gate"
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "secrets").iterdir()} == {0o644}


def test_secrets_are_kept_out_of_the_repository_and_the_image():
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "!secrets" not in (ROOT / ".dockerignore").read_text()


def test_every_setting_is_in_the_table_with_its_default():
    rows = [line.split("|")[1:4] for line in PAGE.splitlines() if line.startswith("| `")]
    told = {name: default.strip() for names, default, _ in rows for name in re.findall(r"`([A-Z_]+)`", names)}
    for setting in _SETTINGS.values():
        if not setting.variable.startswith("MLFLOW"):
            assert setting.variable in told, setting.variable
    same = {each.variable for each in _SETTINGS.values() if told.get(each.variable) == f"`{each.default}`"}
    assert same >= {
        "GATE_EVALUATION_SECONDS", "GATE_QUEUE_SECONDS", "GATE_POLL_SECONDS", "GATE_KEEP_DAYS", "GATE_CLIENT_POLICIES",
        "GATE_METRICS_STATE", "GATE_WORKER_NAME", "GATE_REGISTRY_SECONDS", "GATE_POLICIES", "GATE_DATA_ROOTS",
    }  # fmt: skip


def test_links_to_other_pages_lead_somewhere():
    for file in (ROOT / "docs" / "deploy.md", *(ROOT / "docs" / "runbooks").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
            assert (file.parent / target).exists(), (file.name, target)
