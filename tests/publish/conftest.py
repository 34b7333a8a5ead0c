from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import settings

from gate.domain.picture import Distribution, Pictures, Trail

HOSTILE = "a|b</script><script>alert(1)</script>\u202egpj\x1b[31m\n::set-output name=decision::promote"
DAYS = tuple(f"2026-10-{day:02}" for day in range(29, 32)) + tuple(f"2026-11-{day:02}" for day in range(1, 8))
EDGES = (0.0, 0.25, 0.5, 0.75, 1.0)

TEMP = Distribution("temp", True, tuple(map(str, EDGES)), (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4), EDGES)
SEASON = Distribution(
    "season", False, ("fall", "spring"), (0.5, 0.5), (0.9, 0.1), moved=(("fall", 0.5, 0.9), ("spring", 0.5, 0.1))
)
BY_DAY = Trail("temp", "wasserstein", "day", DAYS, (0.05, None, 0.06, 0.04, 0.05, 0.2, 0.3, None, 0.25, 0.4),
               tuple(range(100, 110)), 0.1)  # fmt: skip
BY_SEASON = Trail("temp", "wasserstein", "season", ("fall", "winter", "summer"), (0.5, 0.02, None), (4000, 900, 3), 0.1)


settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture
def document():
    folder = Path(__file__).parents[1] / "cli" / "documents"
    return lambda name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def pictures() -> Pictures:
    return Pictures((TEMP, SEASON), (BY_DAY, BY_SEASON))


@pytest.fixture
def hostile_pictures() -> Pictures:
    bars = Distribution(HOSTILE, False, (HOSTILE, '"></svg><img src=x onerror=alert(1)>'), (0.5, 0.5), (0.1, 0.9))
    days = Trail(HOSTILE, HOSTILE, "day", ('"><script>', "2026-01-02"), (0.1, 0.2), (3, 4), 0.1)
    segments = Trail(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (0.2,), (3,), 0.1)
    return Pictures((bars,), (days, segments))
