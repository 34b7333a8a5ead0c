"""How large a model may be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from gate.domain.candidate import Artifact
from gate.domain.evidence import Missing, Stated
from gate.domain.finding import Status
from gate.testing import a_check, a_scope, judge_one

SCOPE = a_scope({})


def judged(candidate, most):
    (judgement,) = judge_one("model_size", {"max": most}, Stated(candidate, "registry"), SCOPE)
    return judgement


@pytest.mark.parametrize(
    ("most", "status"), [(400_001_000, "pass"), (400_000_999, "fail"), ("400.001MB", "pass"), ("0.4 GB", "fail")]
)
def test_the_edge(candidate, most, status):
    assert judged(candidate, most).status == status


def test_says_both_sizes(candidate):
    judgement = judged(candidate, "150MB")
    assert judgement.reason == "the files of the model take 400 MB, limit at most 150 MB"
    assert judgement.flip == "bring the size of the model from 400 MB to at most 150 MB"
    assert (
        judged(candidate, "400MB").reason == "the files of the model take 400 MB, just beyond the limit at most 400 MB"
    )


def test_a_list_without_files_is_no_small_model(candidate):
    judgement = judged(replace(candidate, artifacts=()), "1TB")
    assert judgement.status is Status.INSUFFICIENT
    assert judgement.reason == "the registry lists no files for models:/bike-demand/3, so its size is unknown"


def test_an_empty_file_has_a_size(candidate):
    assert judged(replace(candidate, artifacts=(Artifact("MLmodel", 0),)), 0).status is Status.PASS


def test_no_record_is_insufficient_and_nonsense_an_error():
    for answer, status in ((Missing("gone"), Status.INSUFFICIENT), (Stated("12 MB", "somebody"), Status.ERROR)):
        (judgement,) = judge_one("model_size", {"max": 1}, answer, SCOPE)
        assert judgement.status is status


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("1kB", 1000), ("64MiB", 64 * 2**20), ("1.5GB", 1_500_000_000), ("2 TB", 2 * 10**12), (7, 7)],
)
def test_reads_sizes(text, size):
    assert a_check("model_size", {"max": text}).max == size


@pytest.mark.parametrize("bad", ["500", "MB", "1e3MB", "-1MB", -1, 1.5, None, "1PB"])
def test_refuses_what_is_no_size(bad):
    with pytest.raises(ValidationError):
        a_check("model_size", {"max": bad})
