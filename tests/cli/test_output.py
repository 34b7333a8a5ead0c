from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.cli.output import Destination, ReportFolder, append_step_outputs, append_step_summary
from gate.errors import GateError, UsageError


def test_a_file_is_written_whole(tmp_path):
    file = Destination(tmp_path / "verdict.json")
    file.prepare()
    assert list(tmp_path.iterdir()) == []
    file.write(b"{}")
    assert (tmp_path / "verdict.json").read_bytes() == b"{}"
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]


def test_the_verdict_of_last_time_is_gone_before_the_work_begins(tmp_path):
    (tmp_path / "verdict.json").write_text('{"decision": "promote"}')
    Destination(tmp_path / "verdict.json").prepare()
    assert not (tmp_path / "verdict.json").exists()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "verdict.json").symlink_to(tmp_path / "real" / "v.json")
    file = Destination(tmp_path / "verdict.json")
    file.prepare()
    file.write(b"{}")
    assert (tmp_path / "verdict.json").is_symlink()
    assert (tmp_path / "real" / "v.json").read_bytes() == b"{}"


@pytest.mark.parametrize("path", ["missing/verdict.json", "file/verdict.json"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as raised:
        Destination(tmp_path / path).prepare()
    assert str(raised.value).startswith(f"{tmp_path / path}: cannot be written: ")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError) as raised:
        Destination(tmp_path).prepare()
    assert str(raised.value) == f"{tmp_path}: is a folder, a file is needed"


def test_a_device_is_written_as_it_stands():
    Destination(Path(os.devnull)).prepare()
    Destination(Path(os.devnull)).write(b"x")


def test_a_report_folder_is_made_and_its_old_page_removed(tmp_path):
    folder = ReportFolder(tmp_path / "a" / "b")
    folder.prepare()
    (tmp_path / "a" / "b" / "index.html").write_text("old")
    folder.prepare()
    assert not (tmp_path / "a" / "b" / "index.html").exists()
    assert folder.write({"index.html": b"new", "evidently.json": b"{}"}) == tmp_path / "a" / "b" / "index.html"
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["evidently.json", "index.html"]


def test_a_report_file_cannot_leave_the_folder(tmp_path):
    with pytest.raises(GateError, match="this is a bug in gate"):
        ReportFolder(tmp_path).write({"../escape.html": b""})
    assert not (tmp_path.parent / "escape.html").exists()


def test_the_step_summary_is_appended(tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    append_step_summary("## PROMOTE\n")
    assert summary.read_text() == "before\n## PROMOTE\n\n"


def test_a_step_summary_that_cannot_be_written_costs_a_line_only(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    append_step_summary("## PROMOTE\n")
    assert capsys.readouterr().err == "gate: the step summary cannot be written: Is a directory\n"


def outputs_of(text: str) -> dict[str, str]:
    """Read a file of outputs as GitHub's runner does."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, mark, value = re.fullmatch(r"([^=<]+)(=|<<)(.*)", line).groups()
        if mark == "=":
            found[name] = value
        else:
            found[name] = "\n".join(iter(lines.__next__, value))
    return found


@given(st.dictionaries(st.sampled_from(["decision", "verdict_id", "verdict_url"]), st.text(max_size=40)))
def test_step_outputs_read_back_as_they_were_whatever_they_hold(values):
    values = {name: value.encode("utf-8", "replace").decode() for name, value in values.items()}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        outputs = Path(folder) / "outputs"
        outputs.write_text("before=1\n")
        patch.setenv("GITHUB_OUTPUT", str(outputs))
        append_step_outputs(values)
        assert outputs_of(outputs.read_bytes().decode()) == {"before": "1", **values}


def test_a_line_end_in_a_value_sets_no_output_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    append_step_outputs({"decision": "hold", "verdict_url": "x\ndecision=promote"})
    found = outputs_of((tmp_path / "outputs").read_text())
    assert found == {"decision": "hold", "verdict_url": "x\ndecision=promote"}


def test_step_outputs_that_cannot_be_written_cost_a_line_only(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path))
    append_step_outputs({"decision": "promote"})
    assert capsys.readouterr().err == "gate: the step outputs cannot be written: Is a directory\n"
    monkeypatch.delenv("GITHUB_OUTPUT")
    append_step_outputs({"decision": "promote"})
    assert capsys.readouterr().err == ""


def emit_in_a_process(command: str) -> subprocess.CompletedProcess:
    code = textwrap.dedent("""
        import sys
        from gate.cli.output import emit
        from gate.errors import GateError
        try:
            emit("Größe 鬱\\n" + "x" * 200_000 + "\\n")
        except GateError as wrong:
            print(wrong, file=sys.stderr)
            sys.exit(4)
        sys.exit(3)
    """)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.format(python=f'{sys.executable} -c "$CODE"')],
        env=os.environ | {"CODE": code}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_reader_that_went_away_does_not_change_the_exit_code():
    ended = emit_in_a_process("{python} | head -c 2")
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_full_disk_is_no_verdict():
    ended = emit_in_a_process("{python} > /dev/full")
    assert (ended.returncode, ended.stderr) == (4, "stdout: the result cannot be written: No space left on device\n")


def test_an_old_terminal_gets_escapes_rather_than_nothing():
    ended = emit_in_a_process("PYTHONIOENCODING=ascii {python}")
    assert ended.returncode == 3
    assert ended.stdout.startswith("Gr\\xf6\\xdfe \\u9b31\n")
