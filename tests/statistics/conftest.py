"""Parts made from raw rows with plain numpy, as a data engine would make them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gate.domain.part import Grid
from gate.statistics.parts import (
    BinCounts,
    ConfusionCounts,
    ErrorMoments,
    ExactCounts,
    ScoreCounts,
    TimelineCounts,
    ValueCounts,
)


class Parts:
    """From rows to parts."""

    @staticmethod
    def grid(rows, resolution=1000):
        x = np.asarray(rows, dtype=float)
        x = x[np.isfinite(x)]
        low, middle, high = np.quantile(x, (0.25, 0.5, 0.75)) if len(x) else (0.0, 0.0, 0.0)
        scale = (high - low) / 1.349 or (float(x.std()) if len(x) else 0.0) or 1.0
        return Grid(float(middle), float(scale), resolution)

    @staticmethod
    def bins(rows, grid=None, *, nulls=0):
        is_integer = np.issubdtype(np.asarray(rows).dtype, np.integer)
        x = np.asarray(rows, dtype=float)
        grid = grid or Parts.grid(x)
        finite = x[np.isfinite(x)]
        with np.errstate(over="ignore"):
            d = finite - grid.centre
            number = np.clip(np.arcsinh(d / grid.scale), -720, 720) * grid.resolution
        b, at, n = np.unique(np.floor(number).astype(np.int64), return_inverse=True, return_counts=True)
        lo, hi = np.full(len(b), np.inf), np.full(len(b), -np.inf)
        np.minimum.at(lo, at, d)
        np.maximum.at(hi, at, d)
        with np.errstate(over="ignore"):
            q = np.bincount(at, weights=d * d, minlength=len(b))
        return BinCounts(
            grid=grid, b=b, n=n, s=np.bincount(at, weights=d, minlength=len(b)), q=q, lo=lo, hi=hi, nulls=nulls,
            nans=int(np.isnan(x).sum()), minus_inf=int((x == -math.inf).sum()), plus_inf=int((x == math.inf).sum()),
            is_integer=bool(is_integer),
        )  # fmt: skip

    @staticmethod
    def sides(reference, current, resolution=1000):
        grid = Parts.grid(reference, resolution)
        return Parts.bins(reference, grid), Parts.bins(current, grid)

    @staticmethod
    def merge(one, other):
        b = np.union1d(one.b, other.b)
        sums = {}
        for name in ("n", "s", "q", "lo", "hi"):
            start = {"lo": np.inf, "hi": -np.inf}.get(name, 0.0)
            put = {"lo": np.minimum, "hi": np.maximum}.get(name, np.add)
            total = np.full(len(b), start)
            for side in (one, other):
                at = np.searchsorted(b, side.b)
                total[at] = put(total[at], getattr(side, name))
            sums[name] = total
        sums["n"] = sums["n"].astype(np.int64)
        counts = {
            name: getattr(one, name) + getattr(other, name) for name in ("nulls", "nans", "minus_inf", "plus_inf")
        }
        return replace(one, b=b, **sums, **counts)

    @staticmethod
    def exact(rows):
        x = np.asarray(rows, dtype=float)
        return ExactCounts(*np.unique(x[np.isfinite(x)], return_counts=True))

    @staticmethod
    def values(rows, cap=1000):
        kept = [row for row in rows if row is not None]
        values, n = np.unique(np.array(kept, dtype=object).astype(str), return_counts=True)
        order = np.lexsort((values, -n))[:cap]
        return ValueCounts(values[order].astype(object), n[order].astype(np.int64), len(kept), len(values),
                           len(rows) - len(kept))  # fmt: skip

    @staticmethod
    def confusion(target, prediction, champion=None, *, unpredicted=0, positive=None):
        columns = [target, prediction] + ([champion] if champion is not None else [])
        labels = np.array([np.asarray(column).astype(str) for column in columns])
        pairs, n = np.unique(labels, axis=1, return_counts=True)
        pairs = pairs.astype(object)
        return ConfusionCounts(pairs[0], pairs[1], pairs[2] if champion is not None else None, n.astype(np.int64), 0,
                               unpredicted, positive is not None, positive)  # fmt: skip

    @staticmethod
    def scores(truth, score, resolution=10_000, *, exact=False, invalid=0):
        truth, score = np.asarray(truth, dtype=bool), np.asarray(score, dtype=float)
        key = score if exact else np.minimum(np.floor(score * resolution), resolution - 1)
        _, at = np.unique(key, return_inverse=True)
        n = np.bincount(at)
        mean = np.bincount(at, weights=score) / n
        held = np.where(truth, score, 1 - score)
        single = np.array([len(np.unique(score[at == k])) == 1 for k in range(len(n))])
        return ScoreCounts(
            mean, np.bincount(at, weights=truth).astype(np.int64), np.bincount(at, weights=~truth).astype(np.int64),
            bool(single.all()), float(-np.log(np.maximum(held, 2.2e-16)).sum()), float(((score - truth) ** 2).sum()), 0,
            invalid,
        )  # fmt: skip

    @staticmethod
    def errors(target, prediction, champion=None, *, invalid=0):
        y, p = np.asarray(target, dtype=float), np.asarray(prediction, dtype=float)
        e = p - y
        with np.errstate(divide="ignore", invalid="ignore"):
            percent = np.where(y == 0, 0.0, np.abs(e) / np.abs(y))
        paired = {}
        if champion is not None:
            h = np.asarray(champion, dtype=float) - y
            with np.errstate(divide="ignore", invalid="ignore"):
                other = np.where(y == 0, 0.0, np.abs(h) / np.abs(y))
            pairs = {"difference": np.abs(e) - np.abs(h), "square_difference": e**2 - h**2,
                     "percent_difference": percent - other, "signed_difference": e - h}  # fmt: skip
            paired = {"champion_error": h.sum(), "champion_absolute": np.abs(h).sum(), "champion_squared": (h**2).sum(),
                      "champion_percent": other.sum()}  # fmt: skip
            paired |= {name: d.sum() for name, d in pairs.items()}
            paired |= {f"{name}_squared": (d**2).sum() for name, d in pairs.items()}
        return ErrorMoments(
            n=len(y), error=e.sum(), absolute=np.abs(e).sum(), squared=(e**2).sum(), fourth=(e**4).sum(),
            target=y.sum(), target_squared=(y**2).sum(), percent=percent.sum(), percent_squared=(percent**2).sum(),
            zeros=int((y == 0).sum()), unlabelled=0, invalid=invalid, **paired,
        )  # fmt: skip

    @staticmethod
    def timeline(times, width):
        t = np.sort(np.asarray(times, dtype=float))
        stretch, at, n = np.unique(np.floor(t / width), return_inverse=True, return_counts=True)
        first, last = np.full(len(stretch), np.inf), np.full(len(stretch), -np.inf)
        np.minimum.at(first, at, t)
        np.maximum.at(last, at, t)
        return TimelineCounts(first, last, n.astype(np.int64), 0)


@pytest.fixture(scope="session")
def parts():
    return Parts


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)
