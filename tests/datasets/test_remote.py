# ruff: noqa: E501  # messages are compared in full

import gc
import os
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from gate.datasets.duck import DuckDatasets
from gate.datasets.remote import Place, Stores, remote_place
from gate.domain.dataset import LateLabels, Source
from gate.domain.part import Values
from gate.errors import DataError, DataRefusedError


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": server, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket="pilots")
    yield client
    for found in client.list_objects_v2(Bucket="pilots").get("Contents", []):
        client.delete_object(Bucket="pilots", Key=found["Key"])
    client.delete_bucket(Bucket="pilots")


def put(bench, client, key, columns) -> bytes:
    path = bench.parquet("upload.parquet", columns)
    client.put_object(Bucket="pilots", Key=key, Body=path.read_bytes())
    return path.read_bytes()


def datasets(bench, tmp_path, hosts=frozenset({"pilots"})) -> DuckDatasets:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700, exist_ok=True)
    return DuckDatasets(bench.home, hosts=hosts, folder=folder)


def test_an_object_is_fetched_hashed_and_read(bench, bucket, tmp_path, now):
    content = put(bench, bucket, "bike/2026.parquet", {"s": ["a", "b"]})
    opened = datasets(bench, tmp_path).open(Source("s3://pilots/bike/2026.parquet"), now=now)
    assert opened.facts.rows == 2
    assert list(opened.parts([Values("s")])[Values("s")].values) == ["a", "b"]
    (bench.data / "2026.parquet").write_bytes(content)
    assert opened.facts.digest == bench.open("2026.parquet").facts.digest, "of the bytes, wherever they are"
    (fetched,) = (tmp_path / "private").glob("fetched-*")
    assert fetched.stat().st_mode & 0o777 == 0o700


def test_the_rows_outlive_the_object_that_opened_them(bench, bucket, now):
    put(bench, bucket, "a.parquet", {"s": ["a"]})
    opened = DuckDatasets(bench.home, hosts=frozenset({"pilots"})).open(Source("s3://pilots/a.parquet"), now=now)
    gc.collect()
    assert opened.parts([Values("s")])[Values("s")].rows == 1


def test_a_prefix_and_a_pattern_name_many_objects(bench, bucket, tmp_path, now):
    put(bench, bucket, "bike/a.parquet", {"s": ["a"]})
    put(bench, bucket, "bike/deep/b.parquet", {"s": ["b"]})
    bucket.put_object(Bucket="pilots", Key="bike/_SUCCESS", Body=b"")
    source = datasets(bench, tmp_path)
    assert source.open(Source("s3://pilots/bike"), now=now).facts.rows == 2
    assert source.open(Source("s3://pilots/bike/*.parquet"), now=now).facts.rows == 1
    assert source.open(Source("s3://pilots/bike/*/b.parquet"), now=now).facts.rows == 1


@pytest.mark.parametrize("allowed", ["pilots", "s3://pilots", "HOST", "HOST:PORT"])
def test_a_bucket_or_an_endpoint_on_the_list_is_allowed(bench, bucket, server, tmp_path, now, allowed):
    put(bench, bucket, "a.parquet", {"s": ["a"]})
    host, port = server.removeprefix("http://").split(":")
    hosts = frozenset({allowed.replace("HOST", host).replace("PORT", port)})
    assert datasets(bench, tmp_path, hosts).open(Source("s3://pilots/a.parquet"), now=now).facts.rows == 1


@pytest.mark.parametrize("hosts", [frozenset(), frozenset({"other"}), frozenset({"pilot", "pilots2", "127.0.0.2"})])
def test_what_is_not_on_the_list_is_refused_before_anything_is_sent(bench, tmp_path, now, monkeypatch, hosts):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(DataRefusedError) as refused:
        datasets(bench, tmp_path, hosts).open(Source("s3://pilots/a.parquet"), now=now)
    assert str(refused.value) == (
        "s3://pilots/a.parquet: GATE_DATA_HOSTS allows neither the bucket pilots nor the host 127.0.0.1; "
        "add one of them: GATE_DATA_HOSTS=pilots"
    )


def test_the_own_endpoint_of_a_store_is_named_where_no_other_is_set(tmp_path):
    for scheme, host in (("s3", "s3.amazonaws.com"), ("gs", "storage.googleapis.com")):
        with pytest.raises(DataRefusedError, match=f"nor the host {host}"):
            Stores(frozenset(), tmp_path, {}).fetch(Place(scheme, "pilots", "a.parquet"))


def test_an_absent_object_and_an_absent_bucket_are_one_clear_line(bench, bucket, tmp_path, now):
    source = datasets(bench, tmp_path, frozenset({"pilots", "nowhere"}))
    with pytest.raises(DataError) as refused:
        source.open(Source("s3://pilots/no/such.parquet"), now=now)
    assert str(refused.value) == "s3://pilots/no/such.parquet: no such object"
    with pytest.raises(DataError) as refused:
        source.open(Source("s3://nowhere/x.parquet"), now=now)
    assert str(refused.value).startswith("s3://nowhere/x.parquet: ")
    assert "\n" not in str(refused.value)


def test_more_bytes_than_the_cap_are_not_fetched(bench, bucket, tmp_path):
    content = put(bench, bucket, "a.parquet", {"s": ["a"]})
    place = Place("s3", "pilots", "a.parquet")
    enough = Stores(frozenset({"pilots"}), tmp_path, os.environ, most_bytes=len(content))
    assert enough.fetch(place).files[0].stamp.size_bytes == len(content)
    too_few = Stores(frozenset({"pilots"}), tmp_path, os.environ, most_bytes=len(content) - 1)
    with pytest.raises(DataError) as refused:
        too_few.fetch(place)
    assert str(refused.value) == (
        f"s3://pilots/a.parquet: {len(content):,} bytes, more than the {len(content) - 1:,} that gate fetches"
    )


def test_labels_may_be_objects_too(bench, bucket, tmp_path, now):
    put(bench, bucket, "labels.parquet", {"id": [1], "y": ["a"]})
    path = bench.parquet("rows.parquet", {"id": [1, 2]})
    from datetime import timedelta

    labels = LateLabels("s3://pilots/labels.parquet", "id", timedelta(0))
    opened = datasets(bench, tmp_path).open(Source(str(path), labels=labels), now=now)
    assert opened.parts([Values("y")])[Values("y")].nulls == 1


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("https://169.254.169.254/latest", "https:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("http://2130706433/x.parquet", "http:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("http://[64:ff9b::a9fe:a9fe]/x", "http:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("ftp://h/x", "ftp:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("gopher://h/x", "gopher:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("jdbc:postgresql://h/x", "jdbc:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("data:text/csv,a", "data:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("s3://user:secret@pilots/a.parquet", "s3://...: a data URI must not carry a user or a password; set them in the environment"),
        ("https://user:secret@h/a.parquet", "https://...: a data URI must not carry a user or a password; set them in the environment"),
        ("https://h/a.parquet?signature=secret", "https:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("s3:pilots/a.parquet", "s3:...: gate reads local paths, s3://BUCKET/KEY and gs://BUCKET/KEY"),
        ("s3://pilots", "'s3://pilots': write s3://BUCKET/KEY"),
        ("s3:///a.parquet", "'s3:///a.parquet': write s3://BUCKET/KEY"),
        ("s3://pi lots/a", "'s3://pi lots/a': write s3://BUCKET/KEY"),
    ],
)  # fmt: skip
def test_other_schemes_and_passwords_are_refused(bench, now, uri, message):
    with pytest.raises(DataError) as refused:
        bench.datasets(hosts=frozenset({"169.254.169.254", "pilots", "h"})).open(Source(uri), now=now)
    assert str(refused.value) == message
    assert "secret" not in str(refused.value)


def test_nothing_in_a_uri_chooses_the_endpoint():
    place = remote_place("s3://pilots/a.parquet?endpoint_override=evil:1#x")
    assert place == Place("s3", "pilots", "a.parquet?endpoint_override=evil:1#x")


@pytest.mark.parametrize("path", ["a.parquet", "/a/b", "./x:y.csv", "file:///a", "C.parquet"])
def test_local_paths_are_no_places_in_a_store(path):
    assert remote_place(path) is None


def test_a_local_file_with_a_colon_is_a_file(bench, now, monkeypatch):
    bench.parquet("day:1.parquet", {"x": [1]})
    monkeypatch.chdir(bench.data)
    assert bench.datasets().open(Source("day:1.parquet"), now=now).facts.rows == 1
    assert Path("day:1.parquet").exists()
