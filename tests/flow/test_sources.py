"""Where rows are: bound to the run only where the place is certainly the same, and a context that is one dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.domain.candidate import Candidate, LoggedDataset, ModelRef
from gate.domain.dataset import Side
from gate.errors import UsageError
from gate.flow.request import Request
from gate.flow.sources import source_of
from gate.policy.load import LoadedPolicy, load_policy

POLICY = """\
policy: gate/v1
name: toy
applies_to: {models: [toy]}
task: none
data:
  reference: {mlflow: training}
  current: {uri: data/current.parquet}
checks: [{check: schema_match}]
"""


@pytest.fixture
def policy(tmp_path: Path) -> LoadedPolicy:
    (tmp_path / "toy.yaml").write_text(POLICY)
    return load_policy(tmp_path / "toy.yaml")


def candidate(**uris: str | None) -> Candidate:
    logged = tuple(LoggedDataset(name, "12ab", context, "local", uri)
                   for name, uri in uris.items() for context in [name.partition("_")[0]])  # fmt: skip
    return Candidate("toy", "1", "sha256:aa", "run", "m-1", "models:/m-1", datasets=logged)


def asked(policy: LoadedPolicy, side: Side, of: Candidate, **options: str):
    request = Request(ModelRef("toy", "1"), policy.folder, **options)
    return source_of(side, request, policy, of)


def test_a_context_names_its_one_dataset(policy):
    source = asked(policy, Side.REFERENCE, candidate(training="/data/train.parquet"))
    assert (source.uri, source.on_run) == ("/data/train.parquet", True)


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (candidate(), "no dataset is logged on the run of models:/toy/1 as 'training'; logged are: none at all"),
        (candidate(training=None), "does not say where its rows are"),
        (candidate(training_a="/a.parquet", training_b="/b.parquet"), "several datasets are logged on the run"),
    ],
)
def test_a_context_with_none_or_several_datasets_is_refused(policy, of, says):
    with pytest.raises(UsageError, match="training") as refused:
        asked(policy, Side.REFERENCE, of)
    assert says in str(refused.value)


def test_a_relative_uri_begins_at_the_policy_and_an_option_at_the_working_directory(policy, tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    assert asked(policy, Side.CURRENT, candidate()).path == str(tmp_path / "data/current.parquet")
    assert asked(policy, Side.CURRENT, candidate(), current="x.parquet").path == "/x.parquet"


def test_the_same_absolute_place_is_on_the_run(policy, tmp_path):
    logged = candidate(pilot=f"file://{tmp_path}/data/current.parquet")
    assert asked(policy, Side.CURRENT, logged).on_run


def test_a_relative_place_of_the_training_job_proves_nothing(policy):
    assert not asked(policy, Side.CURRENT, candidate(pilot="data/current.parquet")).on_run


def test_an_object_is_on_the_run_by_its_address(policy):
    logged = candidate(pilot="s3://bucket/current.parquet")
    assert asked(policy, Side.CURRENT, logged, current="s3://bucket/current.parquet").on_run
    assert not asked(policy, Side.CURRENT, logged, current="s3://bucket/other.parquet").on_run
