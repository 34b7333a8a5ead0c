"""`gate demo`: real models getting real verdicts."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gate.cli.output import ReportFolder, emit, terminal_width, wants_colour
from gate.cli.render.reading import headline, most_urgent_first, passes, stands_in_the_way, title
from gate.cli.render.table import Page
from gate.domain.plain import plain

if TYPE_CHECKING:
    from gate.demo.pilots import Pilot
    from gate.demo.workspace import Workspace

_MOST_REASONS = 8


@click.command("demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"),
              show_default=True, help="The folder for registry, data, policies and reports.")  # fmt: skip
def command(folder: Path) -> None:
    """Show real models getting real verdicts, on data that ships with gate.

    Trains small models, registers them in an MLflow registry in a folder of its own, and judges five pilots exactly as
    `gate check` does. Nothing is scripted: the verdicts are what the data gives. Exits 0 whatever they are.
    """
    from gate.demo.pilots import PILOTS
    from gate.demo.run import ask, prepare
    from gate.demo.workspace import Workspace
    from gate.telemetry.progress import Progress, is_live

    workspace = Workspace(folder.expanduser().absolute())
    answers = []
    with Progress(sys.stderr, live=is_live(sys.stderr)) as progress:
        prepare(workspace, progress)
        for pilot in PILOTS:
            outcome = ask(pilot, workspace, progress)
            reports = ReportFolder(workspace.reports / pilot.key)
            reports.prepare()
            answers.append(Answer(pilot, outcome.document, reports.write(outcome.report)))
    page = Page(width=terminal_width(), colour=wants_colour())
    emit("\n".join([*details(answers, page), *overview(answers, page), "", *next_lines(workspace, page), ""]))


@dataclass(frozen=True, slots=True)
class Answer:
    """A pilot, its verdict and the page of its report."""

    pilot: Pilot
    document: Mapping[str, Any]
    report: Path


def details(answers: Iterable[Answer], page: Page) -> Iterator[str]:
    """Each verdict: what happened, the answer, every reason that stands in the way, and where the report is."""
    for answer in answers:
        document = answer.document
        yield page.ink(headline(document), document["decision"], bold=True)
        yield from page.labelled("pilot", answer.pilot.story)
        findings = most_urgent_first(document["findings"])
        in_the_way = [finding for finding in findings if stands_in_the_way(finding)]
        noted = [finding for finding in findings if finding["status"] != "pass" and finding not in in_the_way]
        good = [finding for finding in findings if finding["status"] == "pass" and finding["kind"] == "metric"]
        yield from _reasons("in the way", in_the_way, page)
        yield from _reasons("noted", noted, page)
        yield from _reasons("good", good, page)
        yield from page.labelled("", f"{passes(document)} in all")
        yield from page.labelled("report", shown_path(answer.report))
        yield ""


def _reasons(label: str, findings: list[Mapping[str, Any]], page: Page) -> Iterator[str]:
    for number, finding in enumerate(findings[:_MOST_REASONS]):
        text = f"{title(finding)}: {plain(finding['reason'])}"
        yield from page.labelled(label if number == 0 else "", text)
    if len(findings) > _MOST_REASONS:
        yield from page.labelled("", f"and {len(findings) - _MOST_REASONS} more, in the report")


def overview(answers: Iterable[Answer], page: Page) -> Iterator[str]:
    """All verdicts at a glance."""
    yield page.ink(f"{'PILOT':<30}{'VERDICT':<10}WHY", bold=True)
    for answer in answers:
        _, _, why = headline(answer.document).partition(": ")
        decision = str(answer.document["decision"])
        yield f"{answer.pilot.title:<30}{page.ink(f'{decision.upper():<10}', decision)}{why or 'nothing is in the way'}"


def next_lines(workspace: Workspace, page: Page) -> Iterator[str]:
    """What to try now that there is a registry with models in it."""
    policies = shlex.quote(shown_path(workspace.policies))
    own_policy = shlex.quote(shown_path(workspace.folder / "my-income.yaml"))
    yield page.ink("What to try next", bold=True)
    yield f"  export MLFLOW_TRACKING_URI={shlex.quote(workspace.tracking_uri)}"
    gate = _command()
    yield f"  {gate} check models:/bike-demand@challenger --policy {policies}"
    yield f"  {gate} init models:/income@candidate --output {own_policy}"
    yield f"  {gate} checks feature_drift"
    yield from (f"  {line}" for line in page.wrapped(
        f"Change a limit in {policies} and check again. Remove {shown_path(workspace.folder)} when you are done.", 2,
    ))  # fmt: skip


def _command() -> str:
    """How to call gate from this shell: by name if it is on the path, else by its file."""
    called = Path(sys.argv[0])
    return "gate" if shutil.which("gate") or called.name != "gate" else shlex.quote(shown_path(called))


def shown_path(path: Path) -> str:
    """A path as a person would type it: from here if it is below, else absolute."""
    here = os.path.relpath(path)
    return str(path) if here.startswith("..") else here
