"""`MlflowRegistry` on a real SQLite registry: every field, what does not exist, and the traps of MLflow's answers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.domain.candidate import LoggedDataset, ModelRef, RegistryMetric, Signature, SignatureColumn
from gate.errors import CandidateError, DataError, DataRefusedError, RegistryError, UsageError
from gate.flow.ports import Silent
from gate.registry import entry
from gate.registry.mlflow import MlflowRegistry

FEATURES = (SignatureColumn("age", "double"), SignatureColumn("income", "double"), SignatureColumn("visits", "long"))


@pytest.fixture(scope="module")
def challenger(registry):
    return registry.find(ModelRef.parse("models:/churn@challenger"))


def refused(registry, uri: str) -> str:
    with pytest.raises(CandidateError) as caught:
        registry.find(ModelRef.parse(uri))
    return str(caught.value)


# --- what is read -----------------------------------------------------------------------------------------------------


def test_the_version_its_run_and_its_model_are_found_by_alias(challenger, seeded):
    assert (challenger.name, challenger.version) == ("churn", "2")
    assert challenger.run_id == seeded.ids["2"]["run"]
    assert challenger.source == f"models:/{seeded.ids['2']['model']}"


def test_number_and_alias_lead_to_the_same_candidate(registry, challenger):
    assert registry.find(ModelRef("churn", version="2")) == challenger


def test_the_model_id_is_read_from_the_source_because_the_registry_leaves_it_empty(challenger, seeded):
    assert challenger.model_id == seeded.ids["2"]["model"]


def test_aliases_are_the_models_own_and_keep_their_case(challenger, registry):
    assert challenger.aliases == ("Champion", "challenger")
    assert registry.find(ModelRef("churn", version="1")).aliases == ("champion",)


def test_descriptions_and_tags_of_version_model_and_run_are_kept_apart(challenger):
    assert (challenger.description, challenger.model_description) == ("Second try.", "Who leaves next month.")
    assert challenger.tags == {"lifecycle": "pilot"}
    assert challenger.model_tags == {"owner": "retention"}
    assert challenger.run_tags["team"] == "retention"


def test_the_signature_is_read_from_mlmodel_and_a_tensor_side_is_empty(challenger):
    assert challenger.signature == Signature(inputs=FEATURES, outputs=())


def test_datasets_come_with_context_rows_columns_and_a_usable_path(challenger, seeded):
    columns = ("age", "income", "visits", "left")
    train, held_out = challenger.datasets
    assert train == LoggedDataset("churn-train", train.digest, "training", "local", "data/train.parquet", 200, columns)
    path = str(seeded.root / "data" / "eval set.parquet")
    assert held_out == LoggedDataset("churn-eval", held_out.digest, "evaluation", "local", path, 300, columns)
    assert Path(path).is_file()


def test_metrics_know_their_dataset_and_the_last_step_wins(challenger):
    dataset = challenger.logged_as("evaluation")[0]
    assert RegistryMetric("accuracy", 0.875, "churn-eval", dataset.digest) in challenger.metrics
    assert RegistryMetric("train_seconds", 1.5) in challenger.metrics
    assert sum(metric.key == "accuracy" for metric in challenger.metrics) == 1


def test_a_metric_that_is_no_number_is_left_out_also_where_mlflow_says_zero(challenger):
    # A NaN reads back as 0.0 from the logged model, an infinity as 1.797e308; a true 0.0 stays.
    keys = {metric.key for metric in challenger.metrics}
    assert keys == {"accuracy", "accuracy2", "bias", "train_seconds"}


def test_the_artifacts_are_the_files_of_the_model_with_their_sizes(challenger, seeded):
    folder = next((seeded.root / "artifacts").rglob(f"{challenger.model_id}/artifacts"))
    assert {(a.path, a.size_bytes) for a in challenger.artifacts} == {
        (str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*") if path.is_file()
    }
    assert challenger.size_bytes > 10_000


def test_the_time_of_creation_is_in_utc(challenger):
    assert challenger.created_at is not None
    assert challenger.created_at.tzinfo is UTC
    assert datetime.now(UTC) - challenger.created_at < timedelta(hours=1)


def test_a_copied_version_has_the_digest_and_the_logged_model_of_its_original(registry, challenger):
    copied = registry.find(ModelRef("churn-production", version="1"))
    assert copied.source == "models:/churn/2"
    assert (copied.digest, copied.model_id) == (challenger.digest, challenger.model_id)


def test_a_version_from_run_files_has_a_digest_and_no_signature(registry, seeded):
    old = registry.find(ModelRef("it's old", version="1"))
    assert (old.run_id, old.model_id, old.signature) == (seeded.ids["old"]["run"], None, None)
    assert [artifact.path for artifact in old.artifacts] == ["MLmodel", "data/model.bin"]


def test_two_versions_of_one_model_have_two_digests(registry, challenger):
    # Their MLmodel files name different runs, even where the weights agree.
    assert registry.find(ModelRef("churn", version="1")).digest != challenger.digest


# --- what is not there ------------------------------------------------------------------------------------------------


def test_an_unknown_version_names_the_highest(registry, seeded):
    assert refused(registry, "models:/churn/9") == f"{seeded.uri}: 'churn' has no version 9; its highest is 2"
    assert refused(registry, "models:/it's old/2") == f'{seeded.uri}: "it\'s old" has no version 2; its highest is 1'


def test_an_unknown_model_suggests_the_nearest(registry, seeded):
    assert refused(registry, "models:/chrun/1") == f"{seeded.uri}: no model is called 'chrun'; did you mean 'churn'?"


def test_an_unknown_alias_names_those_there_are(registry, seeded):
    assert refused(registry, "models:/churn@chalenger") == (
        f"{seeded.uri}: 'churn' has no alias 'chalenger'; it has 'Champion' (version 2), 'challenger' (version 2), "
        "'champion' (version 1); did you mean 'challenger'?"
    )
    assert refused(registry, "models:/it's old@champion") == (
        f"{seeded.uri}: \"it's old\" has no alias 'champion'; it has no aliases"
    )


def test_latest_is_no_alias(registry):
    # MLflow would answer with whatever was registered last.
    assert "has no alias 'latest'" in refused(registry, "models:/churn@latest")


def test_a_prompt_is_no_model(registry, seeded):
    assert refused(registry, "models:/greeting/1") == f"{seeded.uri}: no model is called 'greeting'"


def test_a_model_without_the_alias_has_no_champion(registry):
    assert registry.champion("churn", "production") is None


def test_the_champion_is_a_candidate_too(registry):
    champion = registry.champion("churn", "champion")
    assert champion == registry.find(ModelRef("churn", version="1"))


def test_the_champion_of_an_unknown_model_is_an_error_not_absence(registry):
    with pytest.raises(CandidateError, match="no model is called 'chrun'"):
        registry.champion("chrun", "champion")


def test_a_version_that_is_not_ready_is_refused(altered):
    uri = altered("UPDATE model_versions SET status = 'PENDING_REGISTRATION' WHERE name = 'churn'")
    assert refused(MlflowRegistry(uri), "models:/churn/2") == (
        f"{uri}: 'churn' version 2 is PENDING_REGISTRATION, not READY"
    )


def test_an_erased_run_leaves_no_lineage(altered, seeded):
    uri = altered(f"UPDATE model_versions SET run_id = '{'f' * 32}' WHERE name = 'churn'")
    candidate = MlflowRegistry(uri).find(ModelRef("churn", version="2"))
    assert (candidate.run_id, candidate.datasets) == (None, ())
    assert candidate.model_id == seeded.ids["2"]["model"]


def test_deleted_files_are_named_with_the_place(altered, tmp_path):
    gone = tmp_path / "gone"
    uri = altered(f"UPDATE model_versions SET storage_location = '{gone.as_uri()}' WHERE name = 'churn'")
    assert refused(MlflowRegistry(uri), "models:/churn/2") == (
        f"{gone}: the model has no files there; were they deleted, or is that place on another machine?"
    )


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (
            "ftp://somebody:s3cret@elsewhere/model",
            "ftp://elsewhere/model",
        ),
        (
            "mlflow-artifacts:/1/models/m-1",
            "mlflow-artifacts:/1/models/m-1",
        ),
    ],
)
def test_files_in_a_place_that_gate_does_not_read_are_refused(altered, location, place):
    uri = altered(f"UPDATE model_versions SET storage_location = '{location}' WHERE name = 'churn'")
    with pytest.raises(RegistryError) as caught:
        MlflowRegistry(uri).find(ModelRef("churn", version="2"))
    assert str(caught.value) == (
        f"{place}: gate cannot read files there; it reads the registry's own server, local folders and "
        "s3://, r2://, gs://, wasbs://, abfss://"
    )


# --- artifacts --------------------------------------------------------------------------------------------------------


def test_an_artifact_on_this_machine_is_read_where_it_is(registry, seeded, tmp_path):
    path = registry.fetch(f"runs:/{seeded.ids['1']['run']}/gate/predictions.csv", tmp_path / "downloads")
    assert path.read_text() == "one,two\n1,2\n"
    assert not (tmp_path / "downloads").exists()


@pytest.mark.parametrize(
    "uri", ["models:/churn/2/MLmodel", "models:/churn@challenger/MLmodel", "models:/{model}/MLmodel"]
)
def test_a_file_of_a_model_is_found_by_version_alias_and_id(registry, seeded, tmp_path, uri):
    path = registry.fetch(uri.format(model=seeded.ids["2"]["model"]), tmp_path)
    assert seeded.ids["2"]["model"] in path.read_text()


def test_a_folder_can_be_fetched(registry, seeded, tmp_path):
    folder = registry.fetch(f"runs:/{seeded.ids['1']['run']}/gate", tmp_path)
    assert (folder / "deep" / "model card.md").read_text() == "# card"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("runs:/{run}/gate/other.csv", "runs:/{run}/gate/other.csv: there is no such artifact"),
        (f"runs:/{'0' * 32}/x.csv", f"runs:/{'0' * 32}/x.csv: the registry knows no such run or model"),
        (f"models:/m-{'0' * 32}/x.csv", f"models:/m-{'0' * 32}/x.csv: the registry knows no such run or model"),
        (
            "runs:/{run}/../../mlflow.db",
            "'runs:/{run}/../../mlflow.db' is not an artifact URI; write runs:/RUN/PATH or models:/NAME/VERSION/PATH",
        ),
        ("/etc/passwd", "'/etc/passwd' is not an artifact URI; write runs:/RUN/PATH or models:/NAME/VERSION/PATH"),
        (
            "models:/churn/7/x.csv",
            "models:/churn/7/x.csv: {place}: 'churn' has no version 7; its highest is 2",
        ),
        (
            "models:/churn/x.csv",
            "{uri}: '{uri}' is not a model URI; write models:/NAME/VERSION or models:/NAME@ALIAS",
        ),
    ],
)
def test_an_artifact_that_is_not_there_is_a_data_error(registry, seeded, tmp_path, uri, said):
    names = {"run": seeded.ids["1"]["run"], "place": seeded.uri, "uri": uri}
    with pytest.raises(DataError) as caught:
        registry.fetch(uri.format(**names), tmp_path)
    assert str(caught.value) == said.format(**names)


@pytest.fixture
def moved(altered, seeded, tmp_path):
    """A registry that says that a run keeps its artifacts in `elsewhere`; its address, and the run's id."""
    run, elsewhere = seeded.ids["1"]["run"], tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "a.csv").write_text("a\n1\n")
    (elsewhere / "deep" / "b.csv").write_text("a\n1\n")
    return altered(f"UPDATE runs SET artifact_uri = '{elsewhere.as_uri()}' WHERE run_uuid = '{run}'"), run


def test_with_folders_named_an_artifact_elsewhere_on_this_machine_is_refused(moved, tmp_path):
    uri, run = moved
    with pytest.raises(DataRefusedError) as caught:
        MlflowRegistry(uri, roots=[tmp_path / "data"]).fetch(f"runs:/{run}/a.csv", tmp_path / "downloads")
    own = ", ".join(str(tmp_path / name) for name in ("data", "artifacts", "mlartifacts", "mlruns"))
    assert str(caught.value) == (
        f"{(tmp_path / 'elsewhere').as_uri()}: the registry keeps files outside the folders that this server reads "
        f"({own}); have GATE_DATA_ROOTS name their folder, or keep them on the registry's own server"
    )
    for roots in (None, [tmp_path / "elsewhere"]):
        path = MlflowRegistry(uri, roots=roots).fetch(f"runs:/{run}/a.csv", tmp_path / "downloads")
        assert path == tmp_path / "elsewhere" / "a.csv"


def test_a_model_elsewhere_on_this_machine_is_not_looked_at(seeded, altered, tmp_path):
    here = tmp_path.as_uri()
    uri = altered(
        f"UPDATE logged_models SET artifact_location = '{here}'",
        f"UPDATE model_versions SET source = '{here}', storage_location = '{here}'",
    )
    with pytest.raises(DataRefusedError, match="the registry keeps files outside the folders"):
        MlflowRegistry(uri, roots=[]).find(ModelRef("churn", version="1"))


def test_with_folders_named_a_registry_in_a_file_reads_its_own_artifacts(seeded, tmp_path):
    registry = MlflowRegistry(seeded.uri, roots=[])
    assert registry.fetch(f"runs:/{seeded.ids['1']['run']}/gate/predictions.csv", tmp_path).is_file()
    assert registry.find(ModelRef("churn", version="2")).version == "2"
    (tmp_path / "link.db").symlink_to(seeded.root / "mlflow.db")
    linked = MlflowRegistry(f"sqlite:///{tmp_path}/link.db", roots=[])
    assert linked.fetch(f"runs:/{seeded.ids['1']['run']}/gate/predictions.csv", tmp_path).is_file()


def test_a_server_has_no_folders_of_its_own_on_this_machine():
    assert MlflowRegistry("http://registry:5000", roots=[]).folders == ()


def test_a_link_anywhere_in_a_folder_or_on_the_way_to_it_is_refused(moved, tmp_path):
    uri, run = moved
    registry, elsewhere = MlflowRegistry(uri), tmp_path / "elsewhere"
    (elsewhere / "deep" / "z.csv").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match=r"'z\.csv' is a link"):
        registry.fetch(f"runs:/{run}/deep", tmp_path / "downloads")
    (elsewhere / "way").symlink_to(elsewhere / "deep")
    with pytest.raises(DataError) as caught:
        registry.fetch(f"runs:/{run}/way/b.csv", tmp_path / "downloads")
    assert str(caught.value) == (
        f"runs:/{run}/way/b.csv: a link lies on the way; only files below the artifact's own folder are read"
    )
    with pytest.raises(DataError, match="'way' cannot be opened"):
        registry.fetch(f"runs:/{run}/way", tmp_path / "downloads")


def test_a_link_is_not_followed(altered, seeded, tmp_path):
    run = seeded.ids["1"]["run"]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "data.csv").symlink_to("/etc/passwd")
    uri = altered(f"UPDATE runs SET artifact_uri = '{(tmp_path / 'run').as_uri()}' WHERE run_uuid = '{run}'")
    with pytest.raises(DataError, match=r"'data\.csv' cannot be opened"):
        MlflowRegistry(uri).fetch(f"runs:/{run}/data.csv", tmp_path)


# --- being a good guest -----------------------------------------------------------------------------------------------


def test_without_an_address_nothing_is_made_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        MlflowRegistry()
    assert str(caught.value) == (
        "no model registry is configured; set MLFLOW_TRACKING_URI to a server (http://HOST:5000) or an SQLite "
        "registry (sqlite:////ABSOLUTE/PATH/mlflow.db)"
    )
    assert list(tmp_path.iterdir()) == []


def test_mlflows_own_variables_name_the_registry(seeded, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", seeded.uri)
    assert MlflowRegistry().place == seeded.uri
    assert MlflowRegistry("http://given:5000").place == "http://given:5000"


def test_reading_is_silent_creates_nothing_and_needs_no_numpy(seeded, tmp_path):
    program = """
        import sys
        import gate.registry.mlflow
        from gate.domain.candidate import ModelRef
        heavy = {"mlflow", "sqlalchemy", "numpy", "pandas"}
        assert not heavy & sys.modules.keys(), "the adapter loads nothing before it is asked"
        gate.registry.mlflow.MlflowRegistry(deadline_seconds=120).find(ModelRef("churn", version="2"))
    """
    before = hashlib.sha256((seeded.root / "mlflow.db").read_bytes()).hexdigest()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(program)],
        capture_output=True,
        check=False,
        text=True,
        cwd=tmp_path,
        env=environment | {"MLFLOW_TRACKING_URI": seeded.uri, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
    assert hashlib.sha256((seeded.root / "mlflow.db").read_bytes()).hexdigest() == before


# --- for who watches --------------------------------------------------------------------------------------------------


def test_the_served_version_is_two_questions_and_hashes_nothing(seeded):
    asked: list[str] = []

    class Heard(Silent):
        def called(self, operation: str, result: str, seconds: float) -> None:
            asked.append(operation)

    registry = MlflowRegistry(seeded.uri, deadline_seconds=120, observer=Heard())
    version, tags = registry.served("churn", "champion")
    assert registry.served("churn", "production") is None
    assert asked == ["get_model", "get_version", "get_model"]
    found = registry.find(ModelRef("churn", version="1"))
    assert (version, tags) == ("1", {**found.model_tags, **found.tags})


def test_the_served_version_of_an_unknown_model_is_an_error_not_absence(registry):
    with pytest.raises(CandidateError, match="no model is called 'chrun'"):
        registry.served("chrun", "champion")


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        (["churn"], ("churn",)),
        (["churn*"], ("churn", "churn-production")),
        (["*-production", "it's*"], ("churn-production", "it's old")),
        (["it?s old"], ("it's old",)),
        (["[ci]*"], ("churn", "churn-production", "it's old")),
        (["chur_"], ()),  # the registry would take `_` for any character
        (["Churn*"], ()),
        (["greeting", "nobody"], ()),
        ([], ()),
    ],
)
def test_models_are_found_by_globs(registry, globs, names):
    assert registry.matching(globs) == names


def test_models_are_found_over_several_pages(registry, monkeypatch):
    monkeypatch.setattr(entry, "_PAGE", 1)
    assert registry.matching(["*"]) == ("churn", "churn-production", "it's old")


def test_more_models_than_can_be_watched_are_an_error(registry, seeded, monkeypatch):
    monkeypatch.setattr(entry, "_MOST_NAMES", 2)
    assert registry.matching(["churn*"]) == ("churn", "churn-production")
    with pytest.raises(RegistryError) as caught:
        registry.matching(["*"])
    assert str(caught.value) == f"{seeded.uri}: more than 2 models fit *; narrow applies_to of the policies"
