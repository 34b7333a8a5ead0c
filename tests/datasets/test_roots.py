from datetime import UTC, datetime, timedelta

import pytest

from gate.domain.dataset import LateLabels, Source
from gate.errors import DataRefusedError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def inside(bench):
    """Datasets that may read one folder of two."""
    (bench.data / "shared").mkdir()
    bench.parquet("shared/rows.parquet", {"a": [1, 2, 3], "id": [1, 2, 3]})
    bench.parquet("private/rows.parquet", {"a": [7], "id": [1]})
    return bench.datasets(roots=[bench.data / "shared"])


def refusal(datasets, path, uri="rows", **source):
    with pytest.raises(DataRefusedError) as caught:
        datasets.open(Source(uri, path=str(path), **source), now=NOW)
    return str(caught.value)


def outside(bench, uri="rows"):
    return (
        f"{uri}: lies outside the folders that this server reads data from ({bench.data / 'shared'}); "
        f"move it there, or have the server's GATE_DATA_ROOTS name its folder"
    )


def test_what_lies_inside_is_read(inside, bench):
    assert inside.open(Source("rows", path=str(bench.data / "shared/rows.parquet")), now=NOW).facts.rows == 3
    assert inside.open(Source("rows", path=str(bench.data / "shared")), now=NOW).facts.rows == 3
    assert inside.open(Source("rows", path=str(bench.data / "shared/*.parquet")), now=NOW).facts.rows == 3


@pytest.mark.parametrize(
    "path", ["private/rows.parquet", "private", "private/*.parquet", "shared/../private/rows.parquet", "nowhere/at/all",
             "*/rows.parquet", "shared-too/rows.parquet", "/etc/passwd", "file:///etc/passwd"],
)  # fmt: skip
def test_what_lies_outside_is_refused_whether_it_is_there_or_not(inside, bench, path):
    assert refusal(inside, path if path.startswith(("/", "file:")) else bench.data / path) == outside(bench)


def test_a_link_that_leads_outside_is_refused(inside, bench):
    (bench.data / "shared" / "link").symlink_to(bench.data / "private")
    assert refusal(inside, bench.data / "shared" / "link" / "rows.parquet") == outside(bench)
    assert refusal(inside, bench.data / "shared") == outside(bench)


def test_a_link_that_leads_inside_is_followed(inside, bench):
    (bench.data / "link.parquet").symlink_to(bench.data / "shared" / "rows.parquet")
    assert inside.open(Source("rows", path=str(bench.data / "link.parquet")), now=NOW).facts.rows == 3


def test_labels_lie_inside_too(inside, bench):
    labels = LateLabels(str(bench.data / "private" / "rows.parquet"), "id", timedelta(0))
    said = refusal(inside, bench.data / "shared" / "rows.parquet", labels=labels)
    assert said == outside(bench, labels.uri)


@pytest.mark.parametrize("path", ["shared/*/../../private/rows.parquet", "shared/*/../../nowhere/rows.parquet"])
def test_a_pattern_that_climbs_is_refused_before_anything_is_looked_at(inside, bench, path):
    (bench.data / "shared" / "below").mkdir()
    assert refusal(inside, bench.data / path) == (
        "rows: has '..' after one of * ? [, which a server does not follow; write the pattern without it"
    )


def test_a_pattern_may_climb_before_it_begins(inside, bench):
    assert inside.open(Source("rows", path=str(bench.data / "private/../shared/*.parquet")), now=NOW).facts.rows == 3


ARTIFACT = "runs:/0/rows.parquet"


def test_what_the_registry_says_lies_elsewhere_is_refused_too(inside, bench):
    assert refusal(inside, bench.data / "private" / "rows.parquet", ARTIFACT).startswith(
        f"{ARTIFACT}: lies outside the folders that this server reads data from ({bench.data / 'shared'}, "
    )


def test_what_was_downloaded_or_lies_where_the_registry_keeps_its_own_is_read(bench):
    bench.parquet("downloads/rows.parquet", {"a": [7]})
    bench.parquet("registry/artifacts/rows.parquet", {"a": [7, 8]})
    datasets = bench.datasets(roots=[], folder=bench.data / "downloads", artifacts=[bench.data / "registry/artifacts"])
    for name, rows in (("downloads", 1), ("registry/artifacts", 2)):
        source = Source(ARTIFACT, path=str(bench.data / name / "rows.parquet"))
        assert datasets.open(source, now=NOW).facts.rows == rows
        assert refusal(datasets, bench.data / name / "rows.parquet").startswith("rows: lies outside the folders")


def test_a_link_among_what_was_handed_out_is_not_followed_outside(inside, bench):
    (bench.data / "shared" / "artifact").mkdir()
    (bench.data / "shared" / "artifact" / "rows.parquet").symlink_to(bench.data / "private" / "rows.parquet")
    assert "lies outside the folders" in refusal(inside, bench.data / "shared" / "artifact", ARTIFACT)


def test_a_path_that_only_looks_like_an_artifact_is_refused(inside, bench, monkeypatch):
    (bench.data / "runs:").mkdir()
    monkeypatch.chdir(bench.data)
    labels = LateLabels("runs:/../private/rows.parquet", "id", timedelta(0))
    assert refusal(inside, bench.data / "shared" / "rows.parquet", labels=labels) == outside(bench, labels.uri)


def test_without_a_folder_nothing_is_read(bench):
    bench.parquet("rows.parquet", {"a": [1]})
    assert refusal(bench.datasets(roots=[]), bench.data / "rows.parquet") == outside(bench).replace(
        str(bench.data / "shared"), "none"
    )
