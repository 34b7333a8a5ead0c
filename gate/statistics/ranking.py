"""Metrics of scores: how well they rank, and how well they are calibrated."""

from __future__ import annotations

import numpy as np

from gate.statistics.errors import Undefined
from gate.statistics.estimate import Estimate, estimated
from gate.statistics.intervals import delong, placements
from gate.statistics.parts import LossSums, ScoreCounts

CALIBRATION_BINS = 10
"""Bins of equal width over 0..1. Source: Naeini, Cooper and Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602."""


def measure(metric: str, counts: ScoreCounts | LossSums, *, confidence: float | None) -> Estimate:
    """Measure roc_auc, pr_auc, ece, log_loss or brier; of a model of several classes (LossSums) the last two only."""
    rows = counts.n if isinstance(counts, LossSums) else int(counts.positives.sum() + counts.negatives.sum())
    if counts.invalid:
        labelled = rows + counts.invalid
        lack = ("no score between 0 and 1 for each class, adding up to 1" if isinstance(counts, LossSums) else
                "no score between 0 and 1")  # fmt: skip
        raise Undefined(f"{counts.invalid:,} of {labelled:,} labelled rows have {lack}", rows=labelled)
    if not rows:
        raise Undefined("no labelled rows")
    if metric == "log_loss":
        return estimated(metric, counts.log_loss / rows, rows)
    if metric == "brier":
        # Half the sum over all classes equals the binary score when there are two.
        return estimated(metric, counts.squared / rows / (2 if isinstance(counts, LossSums) else 1), rows)
    if isinstance(counts, LossSums):
        raise Undefined(f"{metric} is defined for two classes only: name data.columns.positive and score", rows=rows)
    match metric:
        case "roc_auc":
            return _roc_auc(counts, rows, confidence)
        case "pr_auc":
            return _average_precision(counts, rows)
        case "ece":
            return _calibration_error(counts, rows)
        case _:
            raise ValueError(f"{metric!r} is not computed from scores")


def _roc_auc(counts: ScoreCounts, rows: int, confidence: float | None) -> Estimate:
    """The share of pairs of a positive and a negative that the score puts in order; ties count half.

    A pair inside one bin counts as a tie; `bound` is what it would be if all of them were in order, or none.
    """
    _require_both_classes("roc_auc", counts, rows)
    of_positives, _ = placements(counts)
    positives, negatives = int(counts.positives.sum()), int(counts.negatives.sum())
    value = float((counts.positives * of_positives).sum()) / positives
    in_one_bin = float((counts.positives / positives * (counts.negatives / negatives)).sum())
    interval = None if confidence is None else delong(counts, confidence)
    bound = 0.0 if counts.is_exact else in_one_bin / 2
    return estimated("roc_auc", value, rows, interval=interval, method="delong", bound=bound)


def _average_precision(counts: ScoreCounts, rows: int) -> Estimate:
    """The precision at each score, weighted by the recall that it adds. Source: scikit-learn's average_precision_score.

    Inside a bin the order is not known: the precision where a positive of it is found lies between that with one
    positive and all negatives of the bin, and that with all positives and no negative.
    """
    _require_both_classes("pr_auc", counts, rows)
    found = counts.positives > 0
    p, n = counts.positives[::-1], counts.negatives[::-1]  # from the highest score down
    found, true, false = found[::-1], np.cumsum(p), np.cumsum(n)
    gained = (p / p.sum())[found]
    value = float((gained * (true / (true + false))[found]).sum())
    if counts.is_exact:
        return estimated("pr_auc", value, rows)
    before = (true - p)[found]
    least = float((gained * (before + 1) / (before + 1 + false[found])).sum())
    most = float((gained * true[found] / (true + false - n)[found]).sum())
    return estimated("pr_auc", value, rows, bound=max(value - least, most - value, 0.0))


def _calibration_error(counts: ScoreCounts, rows: int) -> Estimate:
    """The mean over rows of |mean score - share of positives| of the CALIBRATION_BINS bin that the score lies in.

    `score` is the mean of a bin of scores, so this is exact as long as those bins do not reach over an edge of these.
    """
    where = np.clip(np.floor(counts.score * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1)
    in_bin = counts.positives + counts.negatives
    gap = np.bincount(where, weights=counts.score * in_bin - counts.positives, minlength=CALIBRATION_BINS)
    return estimated("ece", float(np.abs(gap).sum()) / rows, rows)


def _require_both_classes(metric: str, counts: ScoreCounts, rows: int) -> None:
    for number, which in ((counts.positives.sum(), "negative"), (counts.negatives.sum(), "positive")):
        if not number:
            raise Undefined(f"{metric} needs both classes: all {rows:,} labelled rows are {which}", rows=rows)
