"""Scopes that the tests of checks share."""

from __future__ import annotations

import pytest

from gate.domain.candidate import Artifact, Candidate, LoggedDataset, Signature, SignatureColumn
from gate.domain.scope import Roles, Scope
from gate.testing import a_scope

_BIKE = {
    "temp": "DOUBLE", "hum": "DOUBLE", "weathersit": "VARCHAR", "at": "TIMESTAMP", "ride_id": "BIGINT",
    "cnt": "BIGINT", "predicted": "DOUBLE",
}  # fmt: skip


@pytest.fixture
def bike() -> Scope:
    """A regression with two numeric features, a categorical one, a time, a key, a target and predictions."""
    return a_scope(_BIKE, roles=Roles(target="cnt", prediction="predicted", timestamp="at", key="ride_id"))


@pytest.fixture
def candidate() -> Candidate:
    """A version with everything that a registry can say of it."""
    return Candidate(
        name="bike-demand", version="3", digest="sha256:0", run_id="r1", model_id=None, source="s",
        description="Hourly demand.", tags={"owner": "mobility", "risk": "low"}, model_tags={"data_protection": "DP-7"},
        signature=Signature((SignatureColumn("temp", "double"),)),
        datasets=(LoggedDataset("bikes", "d", "training", "local", None),),
        artifacts=(Artifact("model.pkl", 400_000_000), Artifact("MLmodel", 1_000)),
    )  # fmt: skip
