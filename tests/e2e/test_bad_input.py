"""Whatever is wrong with a policy, a dataset or an argument: the documented exit code, one clear line, no traceback."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from toy import Pilot, frame

CHECK = ("check", "models:/toy/1")
Prepare = Callable[[Pilot], Sequence[str] | None]


def edit(old: str, new: str) -> Prepare:
    """Break the policy by replacing `old`."""

    def prepare(pilot: Pilot) -> None:
        text = pilot.policy.read_text()
        assert old in text, f"{old!r} is not in the policy any more"
        pilot.policy.write_text(text.replace(old, new, 1))

    return prepare


def write_policy(raw: bytes | str) -> Prepare:
    def prepare(pilot: Pilot) -> None:
        pilot.policy.write_bytes(raw if isinstance(raw, bytes) else raw.encode())

    return prepare


def current(make: Callable[[pd.DataFrame], pd.DataFrame]) -> Prepare:
    """Break the current data."""

    def prepare(pilot: Pilot) -> None:
        make(pd.read_parquet(pilot.current)).to_parquet(pilot.current)

    return prepare


def current_bytes(change: Callable[[bytes], bytes]) -> Prepare:
    def prepare(pilot: Pilot) -> None:
        pilot.current.write_bytes(change(pilot.current.read_bytes()))

    return prepare


def csv(text: str | bytes) -> Prepare:
    """Give a CSV file as the current data."""

    def prepare(pilot: Pilot) -> Sequence[str]:
        path = pilot.folder / "data" / "current.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return (*CHECK, "--current", str(path))

    return prepare


def words(*arguments: str) -> Prepare:
    return lambda _: arguments


def with_words(prepare: Prepare, *arguments: str) -> Prepare:
    def both(pilot: Pilot) -> Sequence[str]:
        prepare(pilot)
        return arguments

    return both


def environment(**variables: str) -> Prepare:
    def prepare(pilot: Pilot) -> None:
        pilot.environment.update(variables)

    return prepare


def checks(text: str) -> Prepare:
    """Replace the checks of the policy, and what follows them."""

    def prepare(pilot: Pilot) -> None:
        pilot.policy.write_text(pilot.policy.read_text().split("checks:")[0] + text)

    return prepare


def second_policy(pilot: Pilot) -> None:
    (pilot.folder / "policies" / "other.yaml").write_text(pilot.policy.read_text())


def no_policies(pilot: Pilot) -> None:
    pilot.policy.unlink()


def no_reference(pilot: Pilot) -> None:
    pilot.reference.unlink()


def a_directory_without_files(pilot: Pilot) -> Sequence[str]:
    (pilot.folder / "empty").mkdir()
    return (*CHECK, "--current", "empty")


def a_fifo(pilot: Pilot) -> Sequence[str]:
    os.mkfifo(pilot.folder / "pipe.parquet")
    return (*CHECK, "--current", "pipe.parquet")


def two_schemas(pilot: Pilot) -> Sequence[str]:
    folder = pilot.folder / "parts"
    folder.mkdir()
    frame(1, 10).to_parquet(folder / "1.parquet")
    frame(1, 10).rename(columns={"a": "alpha"}).to_parquet(folder / "2.parquet")
    return (*CHECK, "--current", "parts")


def same_data(pilot: Pilot) -> Sequence[str]:
    return (*CHECK, "--current", str(pilot.reference))


def home_is_a_file(pilot: Pilot) -> None:
    path = pilot.folder / "file"
    path.write_text("")
    pilot.environment["GATE_HOME"] = str(path)


def late_labels(text: str) -> Prepare:
    def prepare(pilot: Pilot) -> None:
        (pilot.folder / "data" / "labels.csv").write_text(text)
        edit("  columns:", "  labels: {uri: ../data/labels.csv, on: id, delay: 1d}\n  columns:")(pilot)

    return prepare


def bad_waiver(pilot: Pilot) -> None:
    (pilot.folder / "policies" / "waivers.yaml").write_text("- {check: feature_drift}\n")


HOSTILE_NAME = 'a"; drop table x; --</script>'

# what is wrong -> (how, exit code, a part of the one line that says so)
POLICIES: dict[str, tuple[Prepare, int, str]] = {
    "empty file": (write_policy(""), 2, "toy.yaml"),
    "only comments": (write_policy("# nothing\n"), 2, "toy.yaml"),
    "a list": (write_policy("- a\n- b\n"), 2, "toy.yaml"),
    "not UTF-8": (write_policy(b"policy: \xff\xfe"), 2, "UTF-8"),
    "broken YAML": (write_policy("policy: [gate/v1\n"), 2, "toy.yaml"),
    "tab indentation": (edit("  current:", "\tcurrent:"), 2, "toy.yaml"),
    "python tag": (edit("name: toy", "name: !!python/object/apply:os.system ['true']"), 2, "tag"),
    "alias": (edit("owner: team-toy", "owner: &who team-toy\ndescription: *who"), 2, "alias"),
    "duplicate key": (edit("owner: team-toy", "owner: team-toy\nowner: other"), 2, "owner"),
    "two documents": (edit("owner: team-toy", "owner: team-toy\n---\npolicy: gate/v1"), 2, "document"),
    "unknown version": (edit("gate/v1", "gate/v9"), 2, "gate/v1"),
    "unknown key": (edit("owner:", "ownr:"), 2, "did you mean 'owner'"),
    "unknown kind": (edit("check: feature_drift", "check: feature_drifts"), 2, "did you mean 'feature_drift'"),
    "unknown field": (edit("{check: row_count, min: 500}", "{check: row_count, minn: 500}"), 2, "did you mean 'min'"),
    "unknown metric": (edit("metric: mae", "metric: maee"), 2, "did you mean 'mae'"),
    "NaN limit": (edit("max: 0.05", "max: .nan"), 2, "toy.yaml:"),
    "infinite limit": (edit("max: 0.05", "max: .inf"), 2, "toy.yaml:"),
    "huge limit": (edit("max: 0.05", "max: 1.0e999"), 2, "toy.yaml:"),
    "text limit": (edit("max: 0.05", 'max: "0.05"'), 2, "toy.yaml:"),
    "boolean limit": (edit("max: 0.05", "max: true"), 2, "toy.yaml:"),
    "share above one": (edit("missing_share, max: 0.05", "missing_share, max: 5.0"), 2, "missing_share"),
    "negative rows": (edit("min: 500", "min: -1"), 2, "row_count"),
    "no checks": (checks(""), 2, "checks"),
    "empty checks": (checks("checks: []\n"), 2, "checks"),
    "same id twice": (
        edit("{check: schema_match}", "{check: schema_match}\n  - {check: schema_match}"),
        2,
        "schema_match",
    ),
    "only info checks": (checks("checks:\n  - {check: schema_match, severity: info}\n"), 2, "info"),
    "auto method": (edit("feature_drift, max: 0.2", "feature_drift, max: 0.2, method: auto"), 2, "feature_drift"),
    "reserved key": (edit("owner: team-toy", "owner: team-toy\nstages: []"), 2, "stages"),
    "window without zone": (
        edit("current.parquet}", "current.parquet, window: {column: at, last: 1d, until: 2026-10-02T12:00:00}}"),
        2,
        "zone",
    ),
    "nonsense duration": (edit("valid_for: 14d", "valid_for: soon"), 2, "valid_for"),
    "missing base": (edit("task:", "extends: [nowhere.yaml]\ntask:"), 2, "nowhere.yaml"),
    "extends itself": (edit("task:", "extends: [toy.yaml]\ntask:"), 2, "toy.yaml"),
    "network metric": (
        edit("{check: schema_match}", "{check: evidently, metric: TextEvals, max: 1}"),
        2,
        "TextEvals",
    ),
    "bad waiver": (bad_waiver, 2, "waivers.yaml"),
    "no policies": (no_policies, 2, "gate init"),
    "two policies apply": (second_policy, 2, "other.yaml"),
}

DATASETS: dict[str, tuple[Prepare, int, str]] = {
    "current is missing": (lambda p: p.current.unlink(), 4, "current.parquet"),
    "reference is missing": (no_reference, 4, "reference.parquet"),
    "directory without files": (a_directory_without_files, 4, "empty"),
    "glob without a match": (words(*CHECK, "--current", "data/nothing-*.parquet"), 4, "nothing-"),
    "empty file": (current_bytes(lambda _: b""), 4, "current.parquet"),
    "truncated parquet": (current_bytes(lambda raw: raw[: len(raw) // 2]), 4, "current.parquet"),
    "corrupt footer": (current_bytes(lambda raw: raw[:-20] + bytes(20)), 4, "current.parquet"),
    "corrupt pages": (
        current_bytes(lambda raw: raw[:4] + bytes(len(raw) // 2) + raw[4 + len(raw) // 2 :]),
        4,
        "current",
    ),
    "text called parquet": (current_bytes(lambda _: b"hello"), 4, "current.parquet"),
    "ragged csv": (csv("a,b\n1,2\n3\n"), 4, "line 3"),
    "csv with a header twice": (csv("a,a\n1,2\n"), 4, "'a'"),
    "csv that is not UTF-8": (csv(b"a,b\n\xff,1\n"), 4, "UTF-8"),
    "csv without rows": (csv("a,b\n"), 1, ""),
    "two schemas": (two_schemas, 4, "2.parquet"),
    "a fifo": (a_fifo, 4, "pipe.parquet"),
    "a device": (words(*CHECK, "--current", "/dev/zero"), 4, "/dev/zero"),
    "a web address": (words(*CHECK, "--current", "https://example.org/x.parquet"), 4, "https"),
    "metadata address": (words(*CHECK, "--current", "http://169.254.169.254/latest"), 4, "http"),
    "a bucket nobody allowed": (words(*CHECK, "--current", "s3://secret/x.parquet"), 2, "GATE_DATA_HOSTS"),
    "unknown scheme": (words(*CHECK, "--current", "gopher://x/y"), 4, "gopher"),
    "no rows": (current(lambda f: f.head(0)), 1, "current has no rows"),
    "one row": (current(lambda f: f.head(1)), 1, ""),
    "no labels": (current(lambda f: f.assign(y=np.nan)), 3, ""),
    "target column is gone": (current(lambda f: f.drop(columns="y")), 1, "y"),
    "a feature is gone": (current(lambda f: f.drop(columns="a")), 1, "a"),
    "a feature is renamed": (current(lambda f: f.rename(columns={"a": "alpha"})), 1, "alpha"),
    "a number became text": (current(lambda f: f.assign(a=f.a.map("x{}".format))), 1, "a"),
    "a feature is all null": (current(lambda f: f.assign(a=np.nan)), 1, "a"),
    "a feature is infinite": (current(lambda f: f.assign(a=np.inf)), 3, "no finite value"),
    "predictions are null": (current(lambda f: f.assign(predicted=np.nan)), 1, "predicted"),
    "half the predictions are null": (
        current(lambda f: f.assign(predicted=f.predicted.where(f.id % 2 == 0))),
        1,
        "predicted",
    ),
    "somebody else's predictions": (current(lambda f: f.assign(model_version="7")), 1, "7"),
    "one row of another version": (current(lambda f: f.assign(model_version=["7", *f.model_version[1:]])), 1, "7"),
    "every row twice": (current(lambda f: pd.concat([f, f])), 1, "duplicate"),
    "a new category": (current(lambda f: f.assign(kind="violet")), 1, "violet"),
    "nested column": (current(lambda f: f.assign(extra=[[1]] * len(f))), 1, "extra"),
    "hostile column name": (current(lambda f: f.assign(**{HOSTILE_NAME: 1.0})), 1, "drop table"),
    "reference is current": (same_data, 1, "same data"),
    "labels without the key": (late_labels("number,y\n1,2\n"), 4, "id"),
    "labels name a row twice": (late_labels("id,y\n2000,1.0\n2000,2.0\n"), 4, "labels"),
    "labels are missing": (with_words(late_labels("id,y\n"), *CHECK), 4, "labels.csv"),
}

ARGUMENTS: dict[str, tuple[Prepare, int, str]] = {
    "no model": (words("check"), 2, "MODEL_URI"),
    "not a model URI": (words("check", "toy"), 2, "models:/NAME/VERSION"),
    "version zero": (words("check", "models:/toy/0"), 2, "models:/NAME/VERSION"),
    "version with a leading zero": (words("check", "models:/toy/01"), 2, "models:/NAME/VERSION"),
    "latest": (words("check", "models:/toy/latest"), 2, "models:/NAME/VERSION"),
    "path in a name": (words("check", "models:/../toy/1"), 2, "models:/NAME/VERSION"),
    "newline in a name": (words("check", "models:/to\ny/1"), 2, "models:/NAME/VERSION"),
    "no such model": (words("check", "models:/tay/1"), 2, "tay"),
    "no such version": (words("check", "models:/toy/99"), 2, "99"),
    "no such alias": (words("check", "models:/toy@champion"), 2, "champion"),
    "no such stage": (words(*CHECK, "--stage", "wave-9"), 2, "wave-9"),
    "no such policy": (words(*CHECK, "--policy", "nowhere"), 2, "nowhere"),
    "unknown option": (words(*CHECK, "--polcy", "x"), 2, "--polcy"),
    "unknown format": (words(*CHECK, "--format", "xml"), 2, "xml"),
    "output without a path": (words(*CHECK, "--output", "json"), 2, "json"),
    "output into nowhere": (words(*CHECK, "--output", "json=no/where/x.json"), 2, "where"),
    "report on a file": (words(*CHECK, "--report", "data/current.parquet"), 2, "current.parquet"),
    "negative timeout": (words(*CHECK, "--timeout", "-1"), 2, "timeout"),
    "home is a file": (home_is_a_file, 2, "GATE_HOME"),
    "threads are no number": (environment(GATE_THREADS="many"), 2, "GATE_THREADS"),
    "memory is no size": (environment(GATE_MEMORY_LIMIT="lots"), 2, "GATE_MEMORY_LIMIT"),
    "no tracking URI": (environment(MLFLOW_TRACKING_URI=""), 2, "MLFLOW_TRACKING_URI"),
    "registry file is missing": (environment(MLFLOW_TRACKING_URI="sqlite:///nowhere/x.db"), 4, "x.db"),
    "registry is down": (environment(MLFLOW_TRACKING_URI="http://127.0.0.1:9"), 4, "127.0.0.1:9"),
    "diff of nothing": (words("diff", "nothing", "nobody"), 2, "nothing"),
    "unknown command": (words("chekc"), 2, "chekc"),
    "unknown check kind": (words("checks", "feature_drifts"), 2, "feature_drift"),
}


@pytest.mark.parametrize("case", POLICIES)
def test_a_bad_policy_is_refused(case: str, gate, pilot: Pilot):
    expect(*POLICIES[case], gate, pilot)


@pytest.mark.parametrize("case", DATASETS)
def test_bad_data_holds(case: str, gate, pilot: Pilot):
    expect(*DATASETS[case], gate, pilot)


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_bad_argument_is_refused(case: str, gate, pilot: Pilot):
    expect(*ARGUMENTS[case], gate, pilot)


def expect(prepare: Prepare, exit_code: int, says: str, gate, pilot: Pilot) -> None:
    given = prepare(pilot)
    answer = gate(*(given if isinstance(given, tuple) else CHECK))
    everything = answer.out + answer.err
    assert "Traceback" not in everything
    assert "internal error" not in everything
    assert answer.exit_code == exit_code, everything
    assert says in everything
    if exit_code in (2, 4) and not answer.out:
        assert len([line for line in answer.err.splitlines() if line.startswith("gate: ") or ": " in line]) > 0
    assert "promote" not in answer.out.partition("\n")[0].lower(), "a bad input must never promote"


def test_the_pilot_is_promoted_as_it_stands(gate):
    answer = gate(*CHECK)
    assert answer.exit_code == 0, answer.out + answer.err


def test_there_are_at_least_sixty_cases():
    assert len(POLICIES) + len(DATASETS) + len(ARGUMENTS) >= 60
