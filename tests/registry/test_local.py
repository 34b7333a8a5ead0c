"""Folders on this machine: regular files only, whatever stands in the way."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gate.errors import CandidateError
from gate.registry.local import LocalFolder


def paths(folder: Path) -> list[str]:
    return [file.path for file in LocalFolder(folder).files()]


def test_files_are_listed_with_posix_paths_and_sizes(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"123")
    (tmp_path / ".hidden").write_bytes(b"")
    assert [(file.path, file.size_bytes) for file in LocalFolder(tmp_path).files()] == [(".hidden", 0), ("a/b/c", 3)]


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    assert paths(tmp_path / "absent") == []


def link_to_a_file(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def link_to_a_folder(path: Path) -> None:
    path.symlink_to("/etc")


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize("make", [link_to_a_file, link_to_a_folder, dangling_link, fifo, unix_socket])
def test_what_is_no_regular_file_is_refused(tmp_path, make):
    (tmp_path / "sub").mkdir()
    make(tmp_path / "sub" / "odd")
    with pytest.raises(CandidateError) as caught:
        paths(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: 'sub/odd' is a link, a device or nested too deeply; only regular files are read, because only "
        "their bytes can be vouched for"
    )


@pytest.mark.parametrize("make", [link_to_a_file, fifo])
def test_a_file_swapped_after_the_listing_is_not_opened(tmp_path, make):
    make(tmp_path / "weights")
    with pytest.raises(CandidateError), LocalFolder(tmp_path).open("weights"):
        pass


def test_a_folder_swapped_for_a_link_after_the_listing_is_not_entered(tmp_path):
    (tmp_path / "sub").symlink_to("/etc")
    with pytest.raises(CandidateError), LocalFolder(tmp_path).open("sub/passwd"):
        pass


def test_a_folder_nested_without_end_is_refused(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 65)
    deep.mkdir(parents=True)
    with pytest.raises(CandidateError, match="nested too deeply"):
        paths(tmp_path)


def test_a_name_that_is_no_text_is_refused(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    with pytest.raises(CandidateError) as caught:
        paths(tmp_path)
    assert str(caught.value) == rf"{tmp_path}: the file name b'\xff' is not UTF-8"


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to("/etc")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(CandidateError):
            paths(tmp_path)
        with pytest.raises(CandidateError), LocalFolder(tmp_path).open("a/link"):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
