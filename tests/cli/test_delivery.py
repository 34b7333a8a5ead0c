"""One verdict, delivered everywhere it was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.cli.delivery import Delivery
from gate.cli.output import Destination, ReportFolder
from gate.cli.render.json import render_json
from gate.cli.render.junit import render_junit
from gate.cli.render.markdown import render_markdown
from gate.cli.render.table import Page, render_table
from gate.domain.picture import Pictures
from gate.errors import UsageError
from gate.flow.keep import Outcome
from gate.flow.ports import Gathered, ReportFiles
from gate.publish.report import report_files


@pytest.fixture(autouse=True)
def _no_summary(monkeypatch):
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)


def test_every_format_goes_to_its_file_and_stdout_has_the_result_only(document, tmp_path, capsys):
    verdict = document("hold-failed")
    paths = {form: tmp_path / form for form in ("table", "json", "junit", "markdown")}
    delivery = Delivery("json", tuple((form, Destination(path)) for form, path in paths.items()))
    delivery.prepare()
    delivery.write(verdict)
    assert capsys.readouterr() == (render_json(verdict), "")
    assert paths["table"].read_text() == render_table(verdict)
    assert paths["json"].read_text() == render_json(verdict)
    assert paths["junit"].read_text() == render_junit(verdict)
    assert paths["markdown"].read_text() == render_markdown(verdict)


def test_the_table_names_the_report_and_the_verdict_before(document, capsys):
    verdict = document("promote")
    Delivery(verbose=True).write(verdict, Path("build/index.html"), "0123456789ab")
    page = Page(verbose=True, report="build/index.html", previous="0123456789ab")
    assert capsys.readouterr().out == render_table(verdict, page)


def test_a_step_of_github_actions_gets_its_summary(document, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    Delivery("json").write(document("hold-failed"))
    assert (tmp_path / "summary.md").read_text() == render_markdown(document("hold-failed")) + "\n"
    assert json.loads(capsys.readouterr().out) == document("hold-failed")


def test_one_place_that_cannot_be_written_refuses_all_of_it(tmp_path):
    delivery = Delivery("table", (("json", Destination(tmp_path / "missing" / "v.json")),))
    with pytest.raises(UsageError):
        delivery.prepare()


def test_the_report_folder_holds_evidently_and_our_page(document, tmp_path):
    gathered = Gathered({}, ReportFiles({"evidently.html": b"<html>", "evidently.json": b"{}"}), Pictures())
    drawn = report_files(document("promote"), gathered)
    page = Delivery(folder=ReportFolder(tmp_path)).report(Outcome(None, document("promote"), gathered, drawn))
    assert page == tmp_path / "index.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidently.html", "evidently.json", "index.html"]
    assert '<a href="./evidently.html">evidently.html</a>' in drawn["index.html"].decode()


def test_without_a_folder_there_is_no_report(document):
    assert Delivery().report(Outcome(None, document("promote"), Gathered({}))) is None


def test_a_step_output_of_a_report_only_verdict_says_no_promotion(document, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    Delivery("json").write(document("report-only"))
    assert (tmp_path / "outputs").read_text().splitlines()[0] == "decision=report-only"
