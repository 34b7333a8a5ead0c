"""A model that was promoted and decays: the server looks again by itself, holds it, and says so everywhere."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import pytest
from server import make_pilot, running
from toy import POLICY, ROWS, frame
from toys import register_toys

pytestmark = pytest.mark.slow

_SECONDS = 120.0  # of patience, on a machine that does much else


def get(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def until(look, what: str):
    give_up = time.monotonic() + _SECONDS
    while not (found := look()):
        assert time.monotonic() < give_up, f"waited for {what} in vain"
        time.sleep(0.3)
    return found


def test_a_served_model_that_decays_gets_a_hold_by_itself(tmp_path: Path):
    import mlflow

    registry = register_toys(tmp_path, ["toy"], alias="champion")
    client = mlflow.MlflowClient(registry, registry)
    make_pilot(tmp_path / "gate")
    (tmp_path / "gate" / "policies" / "toy.yaml").write_text(POLICY + "evaluate: {every: 2s}\n")
    current = tmp_path / "gate" / "data" / "current.parquet"
    public = "https://gate.example.com"
    with running(tmp_path / "gate", registry, GATE_POLL_SECONDS="1", GATE_PUBLIC_URL=public) as server:
        verdicts = f"{server.url}/v1/verdicts?model=toy"
        first = until(lambda: get(verdicts)["items"], "the first look")[-1]
        assert (first["decision"], first["model"]["version"]) == ("promote", "1")

        drifted = frame(3, first_id=ROWS)
        drifted["a"] += 5
        drifted.to_parquet(current.with_suffix(".new"))
        current.with_suffix(".new").replace(current)
        newest = until(lambda: next((v for v in get(verdicts)["items"] if v["decision"] == "hold"), None), "a hold")
        assert newest["cause"] == "failed"
        evaluation = get(f"{server.url}/v1/evaluations/{newest['id']}")
        assert (evaluation["trigger"], evaluation["state"]) == ("schedule", "done")

        def in_a_row() -> bool:
            with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
                lines = answer.read().decode().splitlines()
            held = [line for line in lines if line.startswith("gate_served_held_in_a_row{")]
            return bool(held) and float(held[0].split()[-1]) >= 2

        until(in_a_row, "two holds in a row in the metrics")

        def copied() -> bool:
            tags = client.get_model_version("toy", "1").tags
            return tags.get("gate.decision") == "hold: failed" and public in tags.get("gate.verdict_url", "")

        until(copied, "the copy on the model version")
