from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gate.domain.need import Drift, Limit

ROWS = 2400
RNG = np.random.default_rng(4)


def frame(shift_in_spring=0.0):
    season = np.repeat(["spring", "summer"], ROWS // 2)
    return pd.DataFrame({
        "x": RNG.normal(0, 1, ROWS) + np.where(season == "spring", shift_in_spring, 0), "season": season,
        "c": RNG.choice([f"v{i:02}" for i in range(20)], ROWS), "still": np.arange(ROWS) % 7,
        "t": pd.date_range("2026-01-01", periods=ROWS, freq="15min"), "inf": np.inf,
    })  # fmt: skip


LIMIT = Limit(max=0.3)


@pytest.fixture(scope="module")
def reference():
    return frame()


@pytest.fixture(scope="module")
def drawn(pair_of, reference):
    pair = pair_of(reference, frame(3.0), timestamp="t", segments=("season",))
    needs = [Drift(LIMIT, "x", "wasserstein"), Drift(LIMIT, "c", "tvd"), Drift(LIMIT, "still", "ks"),
             Drift(LIMIT, "inf", "ks")]  # fmt: skip
    return pair.gather(*needs, report=True)


def test_every_column_with_a_drift_need_is_drawn(drawn):
    numeric, categories, still = drawn.pictures.distributions
    assert (numeric.column, numeric.numeric) == ("x", True)
    assert len(numeric.edges) == len(numeric.labels) == len(numeric.reference) + 1 == len(numeric.current) + 1
    assert 0.95 < sum(numeric.reference) <= 1
    assert (categories.column, len(categories.labels)) == ("c", 12)
    assert len(categories.moved) == 10
    assert still.column == "still"


def test_a_column_over_its_limit_is_followed_by_day_and_by_segment(drawn):
    by_day, by_season = drawn.pictures.trails
    assert (by_day.column, by_day.over, by_day.method, by_day.limit) == ("x", "day", "wasserstein", 0.3)
    assert by_day.labels[0] == "2026-01-01"
    assert by_day.distances[0] > 2
    assert by_day.distances[-2] < 0.5
    assert by_season.labels == ("spring", "summer")
    assert by_season.rows == (1200, 1200)
    assert by_season.distances[0] > 2
    assert by_season.distances[1] < 0.3


def test_a_group_with_few_rows_has_no_distance(pair_of, reference):
    current = pd.concat([frame(3.0), frame(3.0).head(19).assign(season="winter")])
    reference = pd.concat([reference, reference.head(100).assign(season="winter")])
    pair = pair_of(reference, current, segments=("season",))
    (trail,) = pair.gather(Drift(LIMIT, "x", "ks"), report=True).pictures.trails
    assert trail.labels == ("spring", "summer", "winter")
    assert (trail.rows[-1], trail.distances[-1]) == (19, None)


def test_days_and_segments_are_few_enough_to_look_at(pair_of):
    rows = 120 * 40
    t = pd.date_range("2026-01-01", periods=rows, freq=f"{24 * 60 // 40}min")
    before = pd.DataFrame({"x": RNG.normal(0, 1, rows), "t": t, "shop": (np.arange(rows) % 60).astype(str)})
    pair = pair_of(before, before.assign(x=before.x + 3), timestamp="t", segments=("shop",))
    by_day, by_shop = pair.gather(Drift(LIMIT, "x", "ks"), report=True).pictures.trails
    assert (len(by_day.labels), by_day.labels[-1]) == (92, "2026-04-30")
    assert len(by_shop.labels) == 50


def test_without_a_report_nothing_is_drawn_or_written(pair_of, reference):
    gathered = pair_of(reference, frame(3.0), timestamp="t").gather(Drift(LIMIT, "x", "ks"))
    assert gathered.pictures.distributions == gathered.pictures.trails == ()
    assert gathered.report.files == {}
