"""The copy of a verdict on its model version: what it says, that it is only a copy, and that it cannot be forged."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gate.checks.registry_record import RegistryRecord
from gate.domain.candidate import ModelRef
from gate.domain.evidence import Stated
from gate.domain.need import ANY, Record
from gate.errors import RegistryError
from gate.flow.conclude import _inputs_digest
from gate.flow.ports import Silent
from gate.policy.match import applies
from gate.policy.model import AppliesTo
from gate.registry.mlflow import MlflowRegistry
from gate.registry.tags import RegistryNotices, tags_of

URL = "https://gate.example.com/verdicts/0f3c"


def verdict(seeded, **changes) -> dict:
    model = {"name": "churn", "version": "2", "run_id": seeded.ids["2"]["run"]} | changes.pop("model", {})
    return {"id": "0f3c", "decision": "hold", "cause": "failed", "enforced": True, "model": model} | changes


def tags_in(uri: str, name: str = "churn", version: str = "2") -> dict[str, str]:
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as database:
        rows = database.execute(
            "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?", (name, version)
        )
        return {key: value for key, value in rows if key.startswith("gate.")}


def opened(uri: str, observer=None) -> MlflowRegistry:
    return MlflowRegistry(uri, deadline_seconds=120, observer=observer)


class Writes(Silent):
    def __init__(self) -> None:
        self.count = 0

    def called(self, operation: str, result: str, seconds: float) -> None:
        self.count += operation == "set_tag"


# --- what is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "decision"),
    [
        ({}, "hold: failed"),
        ({"cause": "insufficient"}, "hold: insufficient"),
        ({"decision": "promote", "cause": None}, "promote"),
    ],
)
def test_the_tags_say_the_decision_its_cause_and_where_the_verdict_is(altered, seeded, said, decision):
    uri = altered()
    RegistryNotices(opened(uri)).tell(verdict(seeded, **said), URL)
    assert tags_in(uri) == {"gate.decision": decision, "gate.verdict_url": URL, "gate.verdict_id": "0f3c"}


@pytest.mark.parametrize("said", [{}, {"decision": "promote", "cause": None}])
def test_a_report_only_verdict_leaves_the_tags_of_the_decision_that_counts(altered, seeded, said):
    uri = altered()
    notices = RegistryNotices(opened(uri))
    notices.tell(verdict(seeded), URL)
    notices.tell(verdict(seeded, id="77aa", enforced=False, **said), "https://gate.example.org/verdicts/77aa")
    assert tags_in(uri) == {"gate.decision": "hold: failed", "gate.verdict_url": URL, "gate.verdict_id": "0f3c"}


def test_a_hold_is_written_first_and_a_promotion_last_so_that_half_of_it_says_hold(seeded):
    assert list(tags_of(verdict(seeded), URL)) == ["gate.decision", "gate.verdict_id", "gate.verdict_url"]
    promotion = verdict(seeded, decision="promote", cause=None)
    assert list(tags_of(promotion, URL)) == ["gate.verdict_id", "gate.verdict_url", "gate.decision"]


def test_telling_twice_writes_once(altered, seeded):
    writes = Writes()
    notices = RegistryNotices(opened(altered(), writes))
    notices.tell(verdict(seeded), URL)
    assert writes.count == 3
    notices.tell(verdict(seeded), URL)
    assert writes.count == 3
    notices.tell(verdict(seeded, cause="error"), URL)
    assert writes.count == 4


def test_a_verdict_without_an_address_leaves_no_address_of_an_earlier_one(altered, seeded):
    uri = altered()
    notices = RegistryNotices(opened(uri))
    notices.tell(verdict(seeded), URL)
    notices.tell(verdict(seeded, id="77aa"), None)
    assert tags_in(uri) == {"gate.decision": "hold: failed", "gate.verdict_id": "77aa"}


def test_other_tags_stay(altered, seeded):
    uri = altered()
    RegistryNotices(opened(uri)).tell(verdict(seeded), URL)
    assert opened(uri).find(ModelRef("churn", version="2")).tags == {"lifecycle": "pilot"}


# --- a version that is gone -------------------------------------------------------------------------------------------


def test_a_version_that_was_deleted_meanwhile_is_an_error(altered, seeded):
    uri = altered()
    with pytest.raises(RegistryError) as caught:
        RegistryNotices(opened(uri)).tell(verdict(seeded, model={"version": "9"}), URL)
    assert str(caught.value) == (
        f"{uri}: 'churn' has no version 9; its highest is 2; the copy of verdict 0f3c is left nowhere"
    )


def test_a_version_that_was_deleted_and_registered_anew_is_not_tagged(altered, seeded):
    uri = altered()
    with pytest.raises(RegistryError) as caught:
        RegistryNotices(opened(uri)).tell(verdict(seeded, model={"run_id": "f" * 32}), URL)
    assert str(caught.value) == (
        f"{uri}: 'churn' version 2 is of run {seeded.ids['2']['run']} by now, not of {'f' * 32}: it was deleted and "
        "registered anew; the copy of verdict 0f3c is left nowhere"
    )
    assert tags_in(uri) == {}


# --- writers at the same time -----------------------------------------------------------------------------------------


class Contended(MlflowRegistry):
    """A registry in which somebody else sets the tag first, a number of times."""

    def __init__(self, uri: str, refusals: int, said: str) -> None:
        super().__init__(uri, deadline_seconds=120)
        self.refusals, self.said = refusals, said

    def set_tags(self, *where) -> None:
        if self.refusals:
            self.refusals -= 1
            raise RegistryError(self.said)
        super().set_tags(*where)


SQLITE = "BAD_REQUEST: (sqlite3.IntegrityError) UNIQUE constraint failed: model_version_tags.key"
POSTGRES = 'BAD_REQUEST: duplicate key value violates unique constraint "model_version_tag_pk"'


@pytest.mark.parametrize("said", [SQLITE, POSTGRES])
def test_a_tag_that_somebody_else_set_first_is_set_again(altered, seeded, said):
    uri = altered()
    RegistryNotices(Contended(uri, 3, said)).tell(verdict(seeded), URL)
    assert tags_in(uri)["gate.decision"] == "hold: failed"


@pytest.mark.parametrize(("refusals", "said"), [(4, SQLITE), (1, "it answers HTTP 500")])
def test_trying_again_ends_and_other_refusals_are_not_tried_again(altered, seeded, refusals, said):
    uri = altered()
    with pytest.raises(RegistryError) as caught:
        RegistryNotices(Contended(uri, refusals, said)).tell(verdict(seeded), URL)
    assert str(caught.value) == said
    assert tags_in(uri) == {}


@pytest.mark.slow
def test_a_server_takes_the_tags_from_many_at_once_and_an_apostrophe_in_the_name(served, seeded):
    document = verdict(seeded, model={"name": "it's old", "version": "1", "run_id": seeded.ids["old"]["run"]})
    notices = [RegistryNotices(opened(served)) for _ in range(12)]
    with ThreadPoolExecutor(len(notices)) as pool:
        list(pool.map(lambda notice: notice.tell(document, URL), notices))
    from mlflow import MlflowClient

    tags = MlflowClient(served, served).get_model_version("it's old", "1").tags
    assert tags == {"gate.decision": "hold: failed", "gate.verdict_url": URL, "gate.verdict_id": "0f3c"}


# --- a copy is never read back ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def honest(registry):
    return registry.find(ModelRef("churn", version="2"))


@pytest.fixture
def forged(altered, seeded):
    """The same version after somebody has written that it was promoted, wherever tags can be written."""
    run = seeded.ids["2"]["run"]
    return opened(
        altered(
            "INSERT INTO model_version_tags (key, value, name, version) VALUES ('gate.decision', 'go', 'churn', 2)",
            "INSERT INTO model_version_tags (key, value, name, version) VALUES ('gate.owner', 'me', 'churn', 2)",
            "INSERT INTO registered_model_tags (key, value, name) VALUES ('gate.decision', 'go', 'churn')",
            f"INSERT INTO tags (key, value, run_uuid) VALUES ('gate.decision', 'go', '{run}')",
        )
    ).find(ModelRef("churn", version="2"))


def test_a_forged_tag_is_not_read(forged, honest):
    assert forged == honest


def test_a_forged_tag_changes_no_input_of_a_verdict(forged, honest):
    policy = SimpleNamespace(digest="p", checks=())
    facts = SimpleNamespace(digest="d")
    assert len({
        _inputs_digest(one, None, policy, facts, facts, "pilot", (), "bound", datetime(2026, 11, 22, tzinfo=UTC))
        for one in (forged, honest)
    }) == 1  # fmt: skip


def test_a_forged_tag_satisfies_no_check_and_selects_no_policy(forged):
    check = RegistryRecord(check="registry_record", tags={"gate.decision": "go"})
    (judgement,) = check.judge({Record(ANY): Stated(forged, "registry")}, None)
    assert (judgement.status, judgement.reason) == ("fail", "the tag gate.decision is not set")
    assert not applies(AppliesTo(models=("churn",), tags={"gate.decision": "go"}), forged)
