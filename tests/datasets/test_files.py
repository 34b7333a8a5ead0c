import errno
import os

import pytest

from gate.datasets.files import local_files
from gate.errors import DataError


def refusal(bench, name, **source) -> str:
    with pytest.raises(DataError) as refused:
        bench.open(name, **source)
    return str(refused.value)


def test_a_file_a_glob_a_directory_and_a_file_uri_name_the_same_rows(bench, now):
    bench.parquet("days/a.parquet", {"x": [1, 2]})
    bench.parquet("days/b.parquet", {"x": [3]})
    assert bench.open("days").facts.rows == 3
    assert bench.open("days/*.parquet").facts.rows == 3
    assert bench.open("days/a.parquet").facts.rows == 2
    uri = (bench.data / "days" / "b.parquet").as_uri()
    assert local_files(uri, uri).files[0].name == "b.parquet"


def test_a_directory_is_read_with_its_folders_and_without_markers(bench):
    bench.parquet("lake/season=1/part.parquet", {"x": [1]})
    bench.parquet("lake/season=2/part.parquet", {"x": [2]})
    bench.text("lake/_SUCCESS", "")
    bench.text("lake/.part.parquet.crc", "x")
    bench.text("lake/README.md", "x")
    opened = bench.open("lake")
    assert opened.facts.rows == 2
    assert opened.facts.schema.names == ("x",), "a folder named column=value is a name, and no column"


def test_a_missing_file_says_what_is_nearby(bench):
    bench.parquet("pilot.parquet", {"x": [1]})
    bench.parquet("labels.parquet", {"x": [1]})
    assert refusal(bench, "pilto.parquet") == "pilto.parquet: no such file; nearby is pilot.parquet"
    assert refusal(bench, "zzz") == "zzz: no such file; nearby is labels.parquet, pilot.parquet"
    assert refusal(bench, "no/where.csv") == f"no/where.csv: no such file; the path ends at {bench.data}"


def test_a_glob_without_a_match_and_an_empty_directory_are_no_empty_data(bench):
    bench.parquet("a.parquet", {"x": [1]})
    (bench.data / "empty").mkdir()
    assert refusal(bench, "*.csv") == "*.csv: no file matches; nearby is a.parquet"
    assert refusal(bench, "empty") == "empty: the directory holds no data; gate reads .parquet, .csv and .csv.gz"


def test_a_pipe_and_a_device_are_refused_without_being_opened(bench, now):
    os.mkfifo(bench.data / "pipe.csv")
    expected = "not a regular file (a pipe, a device or a directory)"
    assert refusal(bench, "pipe.csv") == f"pipe.csv: {expected}"
    (bench.data / "zero.csv").symlink_to("/dev/zero")
    assert refusal(bench, "zero.csv") == f"zero.csv: {expected}"


def test_a_link_is_read_through_and_a_dangling_one_is_refused(bench):
    bench.parquet("store/9f.parquet", {"x": [1]})
    (bench.data / "latest.parquet").symlink_to(bench.data / "store" / "9f.parquet")
    (bench.data / "gone.parquet").symlink_to(bench.data / "nowhere.parquet")
    assert bench.open("latest.parquet").facts.rows == 1
    assert refusal(bench, "gone.parquet") == "gone.parquet: cannot be read: No such file or directory"


def test_an_unknown_ending_is_read_by_the_first_bytes_or_refused(bench):
    bench.parquet("part-0001", {"x": [1]})
    bench.text("notes.txt", "x\n1\n")
    assert bench.open("part-0001").facts.rows == 1
    assert refusal(bench, "notes.txt") == (
        "notes.txt: notes.txt is of no known format; gate reads .parquet, .csv and .csv.gz"
    )


def test_formats_are_not_mixed(bench):
    bench.parquet("both/a.parquet", {"x": [1]})
    bench.text("both/b.csv", "x\n1\n")
    assert refusal(bench, "both") == "both: b.csv is csv and a.parquet is parquet; a dataset has files of one format"


def test_a_path_that_the_engine_would_read_as_a_pattern_is_refused(bench):
    path = bench.parquet("a[1].parquet", {"x": [1]})
    assert refusal(bench, "a[1].parquet") == (
        f"a[1].parquet: the path {str(path)!r} has one of * ? [ in it, which names many files; rename it"
    )


@pytest.mark.parametrize("uri", ["file://elsewhere/etc/passwd", "file:relative.csv", "file:///x.csv?y=1"])
def test_a_file_uri_is_an_absolute_local_path(uri):
    with pytest.raises(DataError) as refused:
        local_files(uri, uri)
    assert str(refused.value) == (f"{uri}: a file URI has no host, query or fragment; write file:///absolute/path")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_no_path_at_all_is_refused(path):
    with pytest.raises(DataError) as refused:
        local_files(path, path)
    assert str(refused.value) == f"{path!r}: a path is not empty and has no NUL character"


def test_a_file_that_changes_while_it_is_read_is_refused(bench):
    from gate.domain.part import Values

    path = bench.parquet("a.parquet", {"x": ["a", "b"]})
    opened = bench.open("a.parquet")
    bench.parquet("a.parquet", {"x": ["a", "b", "c"]})
    assert path.exists()
    with pytest.raises(DataError) as refused:
        opened.parts([Values("x")])
    assert str(refused.value) == "a.parquet: a.parquet changed while it was read; ask again when it is complete"


def test_linked_folders_are_read_through(bench):
    bench.parquet("store/9f/part.parquet", {"x": [1, 2]})
    bench.parquet("lake/a/part.parquet", {"x": [3]})
    (bench.data / "lake" / "b").symlink_to(bench.data / "store" / "9f")
    for name in ("lake", "lake/**", "lake/**/*.parquet", "lake/*/*.parquet", "lake/?/part.parquet"):
        assert bench.open(name).facts.rows == 3, name


@pytest.mark.parametrize("name", ["lake", "lake/**/*.parquet"])
def test_two_paths_to_one_folder_are_refused(bench, name):
    bench.parquet("lake/a/part.parquet", {"x": [3]})
    link = bench.data / "lake" / "b"
    for target, other in ((bench.data / "lake" / "a", "lake/a"), (bench.data / "lake", "lake")):
        link.symlink_to(target)
        assert refusal(bench, name) == (
            f"{name}: {bench.data / other} and {link} are one folder, whose rows would count twice; remove the link"
        )
        link.unlink()


@pytest.mark.parametrize("name", ["lake", "lake/**/*.parquet", "lake/*/*.parquet"])
def test_a_folder_that_cannot_be_read_is_an_error(bench, monkeypatch, name):
    bench.parquet("lake/a/part.parquet", {"x": [3]})
    closed = bench.data / "lake" / "b"
    closed.mkdir()
    refuse_entry(monkeypatch, closed)
    assert refusal(bench, name) == f"{name}: {closed} cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["lake", "lake/*/*.parquet"])
def test_a_linked_folder_that_is_gone_is_an_error(bench, name):
    bench.parquet("lake/a/part.parquet", {"x": [3]})
    link = bench.data / "lake" / "b"
    link.symlink_to(bench.data / "gone")
    assert refusal(bench, name) == f"{name}: {link} cannot be read: No such file or directory"


def test_a_pattern_matches_as_a_shell_does(bench):
    for name in ("a.parquet", ".hidden.parquet", "sub/b.parquet", ".sub/c.parquet", "sub/deep/d.parquet"):
        bench.parquet(f"d/{name}", {"x": [1]})
    bench.text("d/notes.txt", "x")

    def found(pattern: str) -> list[str]:
        return [file.name for file in local_files(str(bench.data / pattern), pattern).files]

    assert found("d/*.parquet") == ["a.parquet"]
    assert found("d/.*.parquet") == [".hidden.parquet"]
    assert found("d/*/*.parquet") == ["sub/b.parquet"]
    assert found("d/**/*.parquet") == ["a.parquet", "sub/b.parquet", "sub/deep/d.parquet"]
    assert found("d/**/**/d.parquet") == ["sub/deep/d.parquet"]
    assert found("d/[a-c].parquet") == ["a.parquet"]
    assert found("d/s*/**") == ["sub/b.parquet", "sub/deep/d.parquet"]
    assert found("?/sub/deep/d.parquet") == ["d/sub/deep/d.parquet"]


def refuse_entry(monkeypatch, closed) -> None:
    """Close a folder to everybody, also to a superuser, who runs tests in containers."""
    for listing in ("scandir", "listdir"):
        real = getattr(os, listing)

        def refusing(path=".", real=real):
            if str(path) == str(closed):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return real(path)

        monkeypatch.setattr(os, listing, refusing)
