from __future__ import annotations

import subprocess
import sys

from gate.domain.metrics import METRICS, metric_names


def test_every_metric_belongs_to_one_task():
    assert set(metric_names("classification")) | set(metric_names("regression")) == set(metric_names()) == set(METRICS)
    assert metric_names("regression") == ("mae", "rmse", "mape", "bias", "r2")
    assert metric_names("none") == ()


def test_ranges_are_not_inverted():
    for metric in METRICS.values():
        assert metric.low is None or metric.high is None or metric.low < metric.high


def test_the_names_load_without_numpy():
    code = "import sys, gate.domain.metrics, gate.domain.distances; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
