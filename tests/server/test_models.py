"""`/v1/models` and `/v1/policies`: where models stand, and what they are judged by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gate.domain.evaluation import Served
from gate.domain.verdict import Decision

SEEN = datetime(2026, 11, 22, 11, 59, 30, tzinfo=UTC)


def test_a_model_shows_the_newest_verdict_of_each_stage_and_what_serves(another_gate):
    gate = another_gate()
    gate.service.judge(name="bike", version="1")
    pilot = gate.service.judge(name="bike", version="2", decision=Decision.PROMOTE)
    live = gate.service.judge(name="bike", version="1", stage="live", enforced=False)
    gate.service.archive.see(Served("bike", "champion", "1", "bike", "pilot", SEEN))
    gate.service.archive.see(Served("älter", "champion", None, "alt", "pilot", SEEN))
    common = {"evaluated_at": "2026-11-22T12:00:00Z", "valid_until": "2026-12-06T12:00:00Z"}
    assert gate.get("/v1/models").json() == {
        "items": [
            {
                "name": "bike",
                "stages": {
                    "pilot": {"verdict_id": pilot["id"], "decision": "promote", "cause": None, "version": "2",
                              "enforced": True, **common},
                    "live": {"verdict_id": live["id"], "decision": "hold", "cause": "failed", "version": "1",
                             "enforced": False, **common},
                },
                "served": [{"alias": "champion", "version": "1", "seen_at": "2026-11-22T11:59:30Z"}],
            },
            {
                "name": "älter",
                "stages": {},
                "served": [{"alias": "champion", "version": None, "seen_at": "2026-11-22T11:59:30Z"}],
            },
        ],
        "next": None,
    }  # fmt: skip


def test_models_come_a_page_at_a_time_by_name(another_gate):
    gate = another_gate()
    for name in ("c", "a", "b~ü", "d"):
        gate.service.judge(name=name)
    seen, path = [], "/v1/models?limit=1"
    while path:
        answer = gate.get(path)
        seen += [item["name"] for item in answer.json()["items"]]
        gate.service.judge(name="0")  # comes before all that is still to be shown
        path = answer.links.get("next", {}).get("url")
    assert seen == ["a", "b~ü", "c", "d"]


@pytest.mark.parametrize("cursor", ["%", "====", "__8", "a", "gA=="])
def test_a_cursor_that_is_none_is_refused(gate, cursor):
    answer = gate.get("/v1/models", params={"before": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:gate:problem:invalid-request")


def test_policies_are_listed_with_what_they_are_for(gate):
    loaded = gate.service.shelf.current().policies[0]
    status = gate.service.shelf.status()
    assert gate.get("/v1/policies").json() == {
        "items": [{"name": "toy", "source": loaded.source, "digest": loaded.digest, "owner": "team-toy",
                   "models": ["toy*"], "every": "1d"}],
        "status": {"ok": True, "at": "2026-11-22T08:00:00Z", "problems": [], "digest": status.digest},
    }  # fmt: skip


def test_a_broken_reload_shows_and_the_last_good_set_stays(another_gate):
    gate = another_gate()
    file = gate.service.settings.policies / "toy.yaml"
    file.write_text("policy: gate/v2\n")
    gate.service.shelf.refresh(datetime(2026, 11, 22, 9, tzinfo=UTC))
    body = gate.get("/v1/policies").json()
    assert [item["name"] for item in body["items"]] == ["toy"]
    assert (body["status"]["ok"], body["status"]["at"]) == (False, "2026-11-22T08:00:00Z")
    assert body["status"]["problems"][0].startswith(f"{file}:1: ")
