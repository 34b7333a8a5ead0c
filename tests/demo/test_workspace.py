from __future__ import annotations

import json

import pytest

from gate.demo.workspace import Workspace
from gate.errors import UsageError


def test_a_folder_that_is_not_there_is_made(workspace: Workspace):
    workspace.begin()
    assert sorted(path.name for path in workspace.folder.iterdir()) == [
        ".gate-demo.json", "data", "home", "policies", "registry", "reports",
    ]  # fmt: skip


def test_an_unfinished_demo_is_not_current(workspace: Workspace):
    workspace.begin()
    assert not workspace.is_current


def test_a_finished_demo_is_current(workspace: Workspace):
    workspace.begin()
    workspace.finish()
    assert workspace.is_current


def test_a_demo_that_was_moved_is_not_current(workspace: Workspace):
    workspace.begin()
    workspace.finish()
    moved = Workspace(workspace.folder.rename(workspace.folder.with_name("moved")))
    assert not moved.is_current


@pytest.mark.parametrize("stamp", ["", "{", "[]", "null", json.dumps({"made_by": "an older version"})])
def test_a_stamp_of_something_else_is_not_current(workspace: Workspace, stamp: str):
    workspace.begin()
    (workspace.folder / ".gate-demo.json").write_text(stamp, encoding="utf-8")
    assert not workspace.is_current


def test_files_of_somebody_else_are_never_touched(workspace: Workspace):
    workspace.folder.mkdir()
    precious = workspace.folder / "data" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        workspace.begin()
    assert str(caught.value) == (
        f"{workspace.folder}: holds files that the demo did not make; name another folder with --dir"
    )
    assert precious.read_text(encoding="utf-8") == "years of work"


def test_an_empty_folder_is_taken(workspace: Workspace):
    workspace.folder.mkdir()
    workspace.begin()
    workspace.finish()
    assert workspace.is_current


def test_what_an_earlier_demo_left_is_cleared(workspace: Workspace):
    workspace.begin()
    old = workspace.reports / "old.html"
    old.write_text("old", encoding="utf-8")
    workspace.begin()
    assert not old.exists()


def test_a_file_is_no_folder(workspace: Workspace):
    workspace.folder.write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        workspace.begin()
    assert str(caught.value) == f"{workspace.folder}: is a file; name a folder for the demo with --dir"
