"""Where results go: stdout, files that are named beforehand, the report folder, the CI system's summary."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from gate.errors import GateError, UsageError
from gate.flow.ports import OWN_PAGE


@dataclass(frozen=True, slots=True)
class Destination:
    """A file that a result goes to."""

    path: Path

    def prepare(self) -> None:
        """Show that the file can be written, and remove what an earlier run left there.

        A pipeline that reads the file after a run without a verdict must not find the verdict of last time.
        """
        try:
            if _is_special(self.path):
                return
            with tempfile.NamedTemporaryFile(dir=self.path.resolve().parent, prefix=".gate-"):
                pass
            if self.path.is_dir():
                raise UsageError(f"{self.path}: is a folder, a file is needed")
            self.path.resolve().unlink(missing_ok=True)
        except OSError as wrong:
            raise UsageError(f"{self.path}: cannot be written: {wrong.strerror}") from wrong

    def write(self, content: bytes) -> None:
        """Write the whole content or none of it."""
        try:
            if _is_special(self.path):
                self.path.write_bytes(content)
                return
            target = self.path.resolve()
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".gate-", delete=False) as draft:
                draft.write(content)
            Path(draft.name).chmod(0o666 & ~_umask())
            Path(draft.name).replace(target)
        except OSError as wrong:
            raise GateError(f"{self.path}: cannot be written: {wrong.strerror}") from wrong


@dataclass(frozen=True, slots=True)
class ReportFolder:
    """The folder of `--report`."""

    path: Path

    def prepare(self) -> None:
        """Make the folder, and remove the page of an earlier run."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as wrong:
            raise UsageError(f"{self.path}: cannot be made a folder: {wrong.strerror}") from wrong
        Destination(self.path / OWN_PAGE).prepare()

    def write(self, files: Mapping[str, bytes]) -> Path:
        """Write all files; the path of our own page."""
        for name, content in files.items():
            if Path(name).name != name:
                raise GateError(f"{name}: a report file needs a plain name: this is a bug in gate")
            Destination(self.path / name).write(content)
        return self.path / OWN_PAGE


def emit(text: str) -> None:
    """Write a result to stdout. A reader that went away is no error; a full disk is."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_stdout()
    except UnicodeEncodeError:
        # A terminal of another age: show what it can, escape the rest, rather than no verdict.
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as wrong:
        abandon_stdout()
        raise GateError(f"stdout: the result cannot be written: {wrong.strerror}") from wrong


def abandon_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush cannot change the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def append_step_summary(markdown: str) -> None:
    """Append to the summary of a GitHub Actions step, if this is one. A copy: failing costs a line, no verdict."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(markdown + "\n")
    except OSError as wrong:
        click.echo(f"gate: the step summary cannot be written: {wrong.strerror}", err=True)


def append_step_outputs(values: Mapping[str, str]) -> None:
    """Set the outputs of a GitHub Actions step, if this is one. Failing costs a line: an output left unset is no yes.

    A value with a line end goes between marks that nobody can guess, else it could set outputs of its own.
    """
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        return
    lines = []
    for name, value in values.items():
        if len(value.splitlines()) > 1 or value.endswith(("\n", "\r")):
            mark = f"gate-{uuid.uuid4().hex}"
            lines.append(f"{name}<<{mark}\n{value}\n{mark}\n")
        else:
            lines.append(f"{name}={value}\n")
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="\n") as outputs:
            outputs.write("".join(lines))
    except OSError as wrong:
        click.echo(f"gate: the step outputs cannot be written: {wrong.strerror}", err=True)


def wants_colour() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody said no (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int:
    """The width to lay out for: that of the terminal within what reads well, 80 where there is none."""
    if not sys.stdout.isatty():
        return 80
    return min(max(os.get_terminal_size(sys.stdout.fileno()).columns, 60), 100)


def _is_special(path: Path) -> bool:
    """Whether the path is a device or a pipe, which is written to as it stands."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
