"""`gate diff` and `gate show`, as processes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from click.testing import CliRunner

from gate.cli.app import cli
from gate.cli.render.junit import render_junit
from gate.cli.render.table import render_table
from gate.store.verdicts import SqlVerdictStore

DOCUMENTS = Path(__file__).parent / "documents"
PROMOTE, HOLD, REPORT_ONLY = (str(DOCUMENTS / f"{name}.json") for name in ("promote", "hold-failed", "report-only"))


def test_a_different_decision_exits_1(run):
    ended = run("diff", PROMOTE, HOLD)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == (DOCUMENTS / "promote-to-hold.diff.txt").read_text()


def test_the_same_decision_exits_0(run):
    ended = run("diff", HOLD, REPORT_ONLY, "--format", "json")
    assert (ended.returncode, ended.stderr) == (0, "")
    difference = json.loads(ended.stdout)
    assert difference["inputs"] == [{"what": "enforced", "before": True, "after": False}]
    assert difference["findings"] == []


def test_show_renders_a_file_again(run, document):
    assert run("show", HOLD).stdout == render_table(document("hold-failed"))
    assert run("show", HOLD, "--format", "junit").stdout == render_junit(document("hold-failed"))


def test_a_changed_file_is_no_verdict(run, tmp_path, document):
    (tmp_path / "v.json").write_text(json.dumps(document("hold-failed") | {"decision": "promote", "cause": None}))
    ended = run("show", "v.json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "gate: v.json: was changed after gate wrote it (its digest does not match)\n"


def test_what_is_no_verdict_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "latin.json").write_bytes(b'"\xff"')
    expected = {
        "list.json": "is not a verdict (gate.verdict/v1)",
        "deep.json": "is not JSON",
        "latin.json": "is not JSON",
        "none.json": "is no file, and there are no stored verdicts",
    }
    for name, said in expected.items():
        ended = CliRunner().invoke(cli, ["diff", name, HOLD])
        assert ended.exit_code == 2
        assert said in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_stored_verdict_is_found_by_the_beginning_of_its_id(tmp_path, document, monkeypatch):
    monkeypatch.setenv("GATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    store = SqlVerdictStore(f"sqlite:///{tmp_path / 'gate.db'}")
    for name in ("promote", "hold-failed"):
        stored = document(name)
        store.save(SimpleNamespace(**stored | {"model": SimpleNamespace(**stored["model"])}), stored)
    invoke = CliRunner().invoke
    assert invoke(cli, ["show", "1b9a6d1e"]).stdout == render_table(document("promote"))
    assert invoke(cli, ["diff", "1b9a6d1e", "7d3f0c52"]).exit_code == 1
    missing = invoke(cli, ["show", "ffffffff"])
    assert missing.exit_code == 2
    assert missing.stderr == f"gate: 'ffffffff' is neither a file nor the id of a verdict in {tmp_path} (GATE_HOME)\n"
