"""Verdicts come back as they were stored, or not at all."""

from __future__ import annotations

import json

import pytest

from gate.domain.verdict import Cause, Decision
from gate.errors import StoreError, UsageError
from gate.flow.document import digest_of
from gate.store.verdicts import SqlVerdictStore


def test_a_verdict_comes_back_verbatim(store, save):
    _, document = save()
    assert store.find("11111111-aaaa") == document
    assert list(store.find("11111111-aaaa")) == list(document)


def test_it_comes_back_in_another_process_too(url, save):
    _, document = save()
    assert SqlVerdictStore(url).find("11111111-aaaa") == document


def test_an_unknown_id_is_none(store, save):
    save()
    assert store.find("22222222") is None
    assert store.find("") is None
    assert store.find("%") is None
    assert store.find("1111%") is None


def test_the_beginning_of_an_id_is_enough_if_only_one_begins_so(store, save):
    save("11111111-aaaa")
    save("11112222-bbbb")
    assert store.find("11111")["id"] == "11111111-aaaa"
    with pytest.raises(UsageError) as raised:
        store.find("1111")
    assert str(raised.value) == "verdict '1111': several begin so; write more of the id"


def test_three_characters_are_no_id(store, save):
    save()
    assert store.find("111") is None


def test_the_same_id_is_never_stored_twice(store, save):
    _, document = save()
    with pytest.raises(StoreError) as raised:
        save(decision=Decision.PROMOTE, cause=None)
    assert str(raised.value) == "verdict 11111111-aaaa is stored already; a verdict never changes"
    assert store.find("11111111-aaaa") == document


def test_a_document_of_another_verdict_is_refused(store, save):
    verdict, document = save()
    for wrong in (document | {"id": "33333333"}, document | {"decision": "promote"}, {}):
        with pytest.raises(StoreError, match="the document is not that of the verdict, or its digest is wrong"):
            store.save(verdict, wrong)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE verdicts SET document = replace(document, '\"hold\"', '\"promote\"')",
        "UPDATE verdicts SET document = replace(document, 'DROP', 'KEEP')",
        "UPDATE verdicts SET decision = 'promote'",
        "UPDATE verdicts SET digest = 'sha256:00'",
        "UPDATE verdicts SET document = '{'",
        "UPDATE verdicts SET document = '[]'",
        "UPDATE verdicts SET document = 'null'",
    ],
)
def test_a_verdict_that_was_changed_is_no_verdict(store, edit, save, statement):
    save()
    store.find("11111111-aaaa")
    assert edit(statement) == 1
    with pytest.raises(StoreError, match="verdict 11111111-aaaa was changed after it was stored"):
        store.find("11111111-aaaa")
    for read in (lambda: store.latest("bike"), store.page):
        with pytest.raises(StoreError, match="verdict 11111111-aaaa was changed after it was stored"):
            read()


def test_a_consistent_forgery_of_the_document_alone_is_noticed(store, edit, save):
    _, document = save()
    forged = {**document, "decision": "promote", "cause": None}
    forged["digest"] = digest_of(forged)
    edit("UPDATE verdicts SET document = :forged", forged=json.dumps(forged))
    with pytest.raises(StoreError):
        store.find("11111111-aaaa")


def test_the_latest_is_the_one_stored_last(store, save):
    assert store.latest("bike") is None
    save("11111111-aaaa")
    save("22222222-bbbb")
    assert store.latest("bike")["id"] == "22222222-bbbb"
    assert store.latest("bike", other_than="22222222-bbbb")["id"] == "11111111-aaaa"
    assert store.latest("Bike") is None


# --- attempts --------------------------------------------------------------------------------------------------------


def test_the_first_attempt_is_1(store):
    assert store.attempt("sha256:aa", "pilot", "sha256:ee") == 1


def test_equal_inputs_are_the_same_attempt_and_others_the_next(store, save):
    save("1111-a", inputs_digest="sha256:i1", attempt=1)
    assert store.attempt("sha256:aa", "pilot", "sha256:i1") == 1
    assert store.attempt("sha256:aa", "pilot", "sha256:i2") == 2
    save("2222-a", inputs_digest="sha256:i2", attempt=2)
    assert store.attempt("sha256:aa", "pilot", "sha256:i1") == 1
    assert store.attempt("sha256:aa", "pilot", "sha256:i3") == 3


def test_other_models_and_stages_count_for_themselves(store, save):
    save(inputs_digest="sha256:i1")
    assert store.attempt("sha256:other", "pilot", "sha256:i1") == 1
    assert store.attempt("sha256:aa", "wave-1", "sha256:i1") == 1


def test_an_error_uses_no_attempt(store, save):
    save(cause=Cause.ERROR, attempt=0, inputs_digest="sha256:i1")
    assert store.attempt("sha256:aa", "pilot", "sha256:i1") == 1
    assert store.attempt("sha256:aa", "pilot", "sha256:i2") == 1


def test_a_promotion_counts_though_it_has_no_cause(store, save):
    save(decision=Decision.PROMOTE, cause=None, findings=(), inputs_digest="sha256:i1")
    assert store.attempt("sha256:aa", "pilot", "sha256:i2") == 2
