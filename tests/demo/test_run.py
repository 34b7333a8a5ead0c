"""The demo from end to end: what is registered, and what gate says of it. Nothing here may be scripted to come true."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest
from click.testing import CliRunner

from gate.cli.app import cli
from gate.cli.demo import command as demo_command
from gate.demo.pilots import PILOTS
from gate.demo.run import ask, demo_settings, prepare
from gate.demo.workspace import Workspace
from gate.flow.keep import Outcome
from gate.flow.ports import Silent
from gate.policy.lint import lint
from gate.policy.load import load_policy

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(prepared: Workspace) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(prepared.tracking_uri, prepared.tracking_uri)


@pytest.fixture(scope="module")
def verdicts(prepared: Workspace) -> dict[str, Outcome]:
    return {pilot.key: ask(pilot, prepared, Silent()) for pilot in PILOTS}


# --- what the team recorded -------------------------------------------------------------------------------------------


def test_the_registry_holds_what_a_careful_team_would_record(client: mlflow.MlflowClient):
    version = client.get_model_version_by_alias("income", "candidate")
    assert (str(version.version), version.tags["owner"]) == ("1", "tax-advice-team")
    assert version.description
    run = client.get_run(version.run_id)
    contexts = {tag.value for used in run.inputs.dataset_inputs for tag in used.tags}
    assert contexts == {"training", "pilot"}


def test_the_metric_is_linked_to_the_data_it_was_measured_on(client: mlflow.MlflowClient):
    version = client.get_model_version_by_alias("bike-demand", "challenger")
    (metric,) = client.get_logged_model(version.source.removeprefix("models:/")).metrics
    assert (metric.key, metric.dataset_name) == ("mae", "bike-demand-training-v2")
    assert 20 < metric.value < 40


def test_the_winter_model_serves_and_its_successor_challenges(client: mlflow.MlflowClient):
    aliases = client.get_registered_model("bike-demand").aliases
    assert {alias: str(version) for alias, version in aliases.items()} == {"champion": "1", "challenger": "2"}


def test_the_faulty_feed_has_its_three_faults(prepared: Workspace):
    known = pd.read_parquet(prepared.data / "income" / "pilot-v1.parquet")
    faulty = pd.read_parquet(prepared.data / "income" / "faulty-feed-v1.parquet")
    assert faulty["occupation"].isna().mean() == pytest.approx(0.3 + 0.7 * known["occupation"].isna().mean(), abs=0.01)
    assert (faulty["capital_gain"] == known["capital_gain"] * 100).all()
    assert set(known) - set(faulty) == {"hours_per_week"}
    assert set(faulty) - set(known) == {"hours_worked", "model_version"}


def test_the_truth_is_known_of_forty_people(prepared: Workspace):
    first_days = pd.read_parquet(prepared.data / "income" / "pilot-v2.parquet")
    assert (len(first_days), int(first_days["income"].notna().sum())) == (3_000, 40)


def test_the_champion_answered_the_same_hours(prepared: Workspace):
    shadow = pd.read_parquet(prepared.data / "bike-demand" / "pilot-v2.parquet")
    assert shadow[["predicted", "champion_predicted"]].notna().all(axis=None)
    assert (shadow["predicted"] != shadow["champion_predicted"]).any()


def test_the_training_data_has_predictions_of_models_that_had_not_seen_it(prepared: Workspace):
    """Otherwise an honest pilot would look worse than it is."""
    known = pd.read_parquet(prepared.data / "bike-demand" / "training-v1.parquet")
    error = (known["predicted"] - known["cnt"]).abs().mean()
    assert error > 10  # the model itself misses the rows it was trained on by 7 on average


def test_a_second_time_nothing_is_trained(prepared: Workspace, heard):
    prepare(prepared, heard)
    assert heard.phases == ["use the models and data of the last demo"]


# --- what gate says ---------------------------------------------------------------------------------------------------


def in_the_way(outcome: Outcome) -> set[tuple[str, str, str]]:
    """(kind, what it is about, status) of everything that holds."""
    return {
        (finding.kind, next(iter(finding.judgement.subject.values()), ""), str(finding.status))
        for finding in outcome.verdict.findings
        if not finding.lets_through
    }


def reasons(outcome: Outcome, check: str) -> list[str]:
    return [finding.judgement.reason for finding in outcome.verdict.findings if finding.check == check]


def test_random_halves_are_promoted(verdicts: dict[str, Outcome]):
    outcome = verdicts["income-random-halves"]
    assert outcome.verdict.is_promotion
    assert outcome.exit_code == 0
    assert in_the_way(outcome) == set()


def test_each_fault_of_the_feed_is_named_with_its_column(verdicts: dict[str, Outcome]):
    outcome = verdicts["income-faulty-feed"]
    assert (outcome.document["decision"], outcome.document["cause"], outcome.exit_code) == ("hold", "failed", 1)
    assert {
        ("missing_share", "occupation", "fail"),
        ("value_range", "capital_gain", "fail"),
        ("feature_drift", "capital_gain", "fail"),
        ("schema_match", "hours_per_week", "fail"),
        ("schema_match", "hours_worked", "fail"),
    } <= in_the_way(outcome)
    assert outcome.document["data"]["overridden"] is True


def test_the_summer_holds_the_winter_model_for_its_weather_and_its_error(verdicts: dict[str, Outcome]):
    outcome = verdicts["bike-first-winter"]
    assert (outcome.document["decision"], outcome.document["cause"]) == ("hold", "failed")
    assert {
        ("feature_drift", "temp", "fail"),
        ("feature_drift", "hum", "fail"),
        ("feature_drift", "windspeed", "fail"),
        ("metric", "", "fail"),
    } <= in_the_way(outcome)
    (error,) = reasons(outcome, "error")
    assert error.startswith("mean absolute error is 80.")


def test_the_window_picks_the_summer(verdicts: dict[str, Outcome]):
    current = verdicts["bike-first-winter"].document["data"]["current"]
    assert (current["rows"], current["until"][:10]) == (2_192, "2011-09-20")


def test_the_full_year_model_is_compared_with_the_champion_on_the_same_rows(verdicts: dict[str, Outcome]):
    outcome = verdicts["bike-full-year"]
    (finding,) = (f for f in outcome.verdict.findings if f.check == "better_than_champion")
    shadow = pd.read_parquet(outcome.document["data"]["current"]["uri"].removeprefix("file://"))
    candidate, champion = ((shadow[c] - shadow["cnt"]).abs().mean() for c in ("predicted", "champion_predicted"))
    assert finding.judgement.measured == pytest.approx((candidate - champion) / champion)
    assert finding.judgement.details["paired"] is True
    assert finding.judgement.interval is not None
    assert outcome.document["champion"]["version"] == "1"


def test_forty_labelled_rows_are_too_few_and_the_verdict_says_how_many_are_missing(verdicts: dict[str, Outcome]):
    outcome = verdicts["income-first-days"]
    assert (outcome.document["decision"], outcome.document["cause"]) == ("hold", "insufficient")
    assert outcome.exit_code == 3
    assert {status for _, _, status in in_the_way(outcome)} == {"insufficient"}
    ranking = next(finding for finding in outcome.verdict.findings if finding.check == "ranking")
    assert ranking.judgement.rows_missing == 460
    assert ranking.judgement.reason.endswith("but on 40 labelled rows only; 500 are needed, 460 more")


def test_every_pilot_is_tied_to_its_model(verdicts: dict[str, Outcome]):
    """By the run that logged the data, or by a column with the version."""
    assert {outcome.document["data"]["predictions"] for outcome in verdicts.values()} == {"bound"}


def test_the_users_own_settings_stay_out_of_the_demo(prepared: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://registry.example")
    monkeypatch.setenv("GATE_HOME", "/nowhere")
    settings = demo_settings(prepared)
    assert (settings.tracking_uri, settings.home) == (prepared.tracking_uri, prepared.home)


# --- what people see --------------------------------------------------------------------------------------------------


def test_the_command_shows_verdicts_reports_and_what_to_try_next(prepared: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(prepared.folder.parent)
    shown = CliRunner().invoke(demo_command, ["--dir", str(prepared.folder)], catch_exceptions=False)
    assert shown.exit_code == 0
    assert (
        """\
PILOT                         VERDICT   WHY
income 1, random halves       PROMOTE   nothing is in the way
income 1, a faulty feed       HOLD      a check failed
bike-demand 1, the summer     HOLD      a check failed
bike-demand 2, a shadow run   HOLD      a check failed
income 2, its first days      HOLD      there is not enough evidence
"""
        in shown.stdout
    )
    for pilot in PILOTS:
        page = Path("demo/reports") / pilot.key / "index.html"
        assert str(page) in shown.stdout
        assert page.is_file()
    assert "gate init models:/income@candidate --output demo/my-income.yaml" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines() if "MLFLOW_TRACKING_URI" not in line)


# --- gate init on the same registry -----------------------------------------------------------------------------------


@pytest.fixture
def as_a_user(prepared: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", prepared.tracking_uri)
    monkeypatch.setenv("GATE_HOME", str(prepared.home))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def gate(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_init_writes_a_policy_that_promotes_what_is_good(as_a_user: Path):
    code, stdout, _ = gate("init", "models:/income@candidate", "--target", "income")
    assert code == 0
    path = as_a_user / "policies" / "income.yaml"
    loaded = load_policy(path)
    assert lint(loaded) == []
    assert loaded.policy.data.columns.positive == ">50K"
    assert loaded.policy.data.current.mlflow == "pilot"
    assert "Then: gate check models:/income/1 --policy policies/income.yaml" in stdout
    code, _, _ = gate("check", "models:/income/1")
    assert code == 0


def test_init_says_why_a_limit_is_above_the_usual_one(as_a_user: Path):
    """Random halves of 2,067 hours lie further apart than those of a large reference."""
    code, _, _ = gate("init", "models:/bike-demand/1", "--output", "p.yaml", "--target", "cnt", "--current", "served")
    assert code == 0
    text = (as_a_user / "p.yaml").read_text(encoding="utf-8")
    assert "Random halves of the reference, 1,033 rows each" in text
    assert "current: {uri: served}" in text
    assert load_policy(as_a_user / "p.yaml").policy.task == "regression"


def test_init_never_overwrites_a_policy(as_a_user: Path):
    path = as_a_user / "mine.yaml"
    path.write_text("mine", encoding="utf-8")
    code, _, stderr = gate("init", "models:/income/1", "--output", "mine.yaml")
    assert code == 2
    assert (
        stderr == "gate: mine.yaml: is there already; name another file with --output, or overwrite it with --force\n"
    )
    assert path.read_text(encoding="utf-8") == "mine"


def test_init_names_the_columns_there_are_when_one_is_not(as_a_user: Path):
    code, _, stderr = gate("init", "models:/bike-demand/1", "--target", "rentals")
    assert code == 2
    assert stderr.splitlines()[-1] == (
        "gate: --target: the reference has no column 'rentals'; it has instant, timestamp, season, hr, weekday, "
        "workingday, weathersit, temp, hum, windspeed, cnt, predicted"
    )
    assert not (as_a_user / "policies").exists()


def test_relative_data_of_init_is_found_from_the_policys_folder(as_a_user: Path):
    code, _, _ = gate("init", "models:/income/1", "--current", "pilot/now.parquet", "--target", "income")
    assert code == 0
    text = (as_a_user / "policies" / "income.yaml").read_text(encoding="utf-8")
    assert 'current: {uri: "../pilot/now.parquet"}' in text
