"""The same registry behind a real `mlflow server`: what REST answers differently must not show."""

from __future__ import annotations

import dataclasses

import pytest
from mlflow import MlflowClient

from gate.domain.candidate import ModelRef
from gate.errors import CandidateError, DataError, RegistryError
from gate.registry.deadline import Deadline
from gate.registry.local import LocalFolder
from gate.registry.manifest import hash_model
from gate.registry.memo import DigestMemo
from gate.registry.mlflow import MlflowRegistry

pytestmark = pytest.mark.slow
CHALLENGER = ModelRef("churn", alias="challenger")


@pytest.fixture(scope="module")
def remote(served) -> MlflowRegistry:
    return MlflowRegistry(served, deadline_seconds=120)


@pytest.fixture
def stored(served_root, seeded):
    """The files of the run without a logged model, as the server keeps them."""
    return served_root / "artifacts" / seeded.ids["old"]["run"] / "artifacts"


def refused(remote, uri: str) -> str:
    with pytest.raises(CandidateError) as caught:
        remote.find(ModelRef.parse(uri))
    return str(caught.value)


def test_a_server_and_a_file_show_the_same_candidate(remote, registry):
    assert remote.find(CHALLENGER) == registry.find(CHALLENGER)


def test_a_copied_version_and_one_from_run_files_are_read_too(remote, registry):
    for ref in (ModelRef("churn-production", version="1"), ModelRef("it's old", version="1")):
        assert remote.find(ref) == registry.find(ref)


def test_the_champion_is_found_by_its_alias_alone(remote):
    champion = remote.champion("churn", "champion")
    assert (champion.version, champion.aliases) == ("1", ("champion",))
    assert remote.champion("churn", "production") is None


def test_a_file_added_to_a_ready_version_is_another_digest(remote, served, tmp_path):
    # The registry says READY and keeps its timestamps, whatever happens to a version's files.
    before = remote.find(ModelRef("churn", version="1"))
    (tmp_path / "more.bin").write_bytes(b"other weights")
    MlflowClient(served, served).log_model_artifact(before.model_id, str(tmp_path / "more.bin"))
    after = remote.find(ModelRef("churn", version="1"))
    assert after.digest != before.digest
    assert {a.path for a in after.artifacts} - {a.path for a in before.artifacts} == {"more.bin"}
    assert dataclasses.replace(after, digest="", artifacts=()) == dataclasses.replace(before, digest="", artifacts=())


def test_odd_file_names_are_fetched_as_the_files_they_name(remote, stored):
    # Unquoted, the first would ask for 'what', which is there too.
    folder = stored / "old"
    for name in ("what?.bin", "what", "50% é.bin"):
        (folder / name).write_bytes(name.encode())
    read = remote.find(ModelRef("it's old", version="1"))
    assert read.digest == hash_model(LocalFolder(folder), DigestMemo(None), Deadline(60, "late")).digest


def test_a_file_name_that_cannot_be_transferred_is_an_error(remote, served, stored):
    (stored / "old" / "note #1").write_bytes(b"")
    try:
        with pytest.raises(RegistryError) as caught:
            remote.find(ModelRef("it's old", version="1"))
    finally:
        (stored / "old" / "note #1").unlink()
    assert str(caught.value).endswith(
        "/artifacts/old: a file in it has a name that MLflow does not transfer ('#', '..' or a back slash in it)"
    )


def test_what_is_not_there_names_what_is(remote, served):
    assert refused(remote, "models:/churn/9") == f"{served}: 'churn' has no version 9; its highest is 2"
    assert "'churn' has no alias 'champio'; it has 'Champion' (version 2)" in refused(remote, "models:/churn@champio")
    assert refused(remote, "models:/chrun/1") == (
        f"{served}: no model is called 'chrun'; did you mean 'churn'? (if the server keeps workspaces, set "
        "MLFLOW_WORKSPACE)"
    )
    assert "no model is called 'greeting'" in refused(remote, "models:/greeting/1")


def test_a_workspace_on_a_server_without_workspaces_is_an_error(served, monkeypatch):
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team-a")
    with pytest.raises(RegistryError) as caught:
        MlflowRegistry(served, deadline_seconds=120).find(CHALLENGER)
    assert str(caught.value) == f"{served}: it keeps no workspaces; unset MLFLOW_WORKSPACE"


def test_a_file_is_fetched_into_the_folder(remote, seeded, tmp_path):
    path = remote.fetch(f"runs:/{seeded.ids['1']['run']}/gate/predictions.csv", tmp_path)
    assert (path, path.read_text()) == (tmp_path / "predictions.csv", "one,two\n1,2\n")


def test_a_folder_is_fetched_with_everything_in_it(remote, seeded, tmp_path):
    folder = remote.fetch(f"runs:/{seeded.ids['1']['run']}/gate", tmp_path)
    assert folder == tmp_path / "gate"
    assert (folder / "deep" / "model card.md").read_text() == "# card"
    assert (folder / "predictions.csv").is_file()


def test_a_file_of_a_model_is_fetched_by_version_and_by_address(remote, seeded, tmp_path):
    path = remote.fetch("models:/churn@challenger/MLmodel", tmp_path / "a")
    assert seeded.ids["2"]["model"] in path.read_text()
    place = f"mlflow-artifacts:/{seeded.ids['1']['run']}/artifacts/gate/predictions.csv"
    assert remote.fetch(place, tmp_path / "b").read_text() == "one,two\n1,2\n"


def test_an_artifact_that_is_not_there_is_a_data_error(remote, seeded, tmp_path):
    uri = f"runs:/{seeded.ids['1']['run']}/gate/other.csv"
    with pytest.raises(DataError) as caught:
        remote.fetch(uri, tmp_path)
    assert str(caught.value) == f"{uri}: there is no such artifact"


def test_a_download_has_its_own_deadline(served, seeded, tmp_path):
    hasty = MlflowRegistry(served, deadline_seconds=120, download_seconds=0)
    uri = f"runs:/{seeded.ids['1']['run']}/gate"
    with pytest.raises(RegistryError) as caught:
        hasty.fetch(uri, tmp_path)
    assert str(caught.value) == f"{uri}: reading its files took longer than 0 s"
