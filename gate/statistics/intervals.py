"""Confidence intervals: what sampling leaves possible.

`confidence` is two-sided, between 0 and 1: 0.95 leaves 2.5 % on either side.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from gate.statistics.errors import Undefined
from gate.statistics.parts import ScoreCounts

Interval = tuple[float, float]


def wilson(successes: int, rows: int, confidence: float) -> Interval:
    """The interval of a proportion, within 0..1; it never has width 0, not even at 0 or all of the rows.

    Raises:
        Undefined: there are no rows.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953, without continuity correction.
    """
    if not 0 <= successes <= rows:
        raise ValueError(f"successes lie in 0..{rows}, got {successes}")
    if not rows:
        raise Undefined("no rows")
    z2 = normal_quantile(confidence) ** 2
    share = successes / rows
    centre = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    reach = math.sqrt(z2 * (share * (1 - share) / rows + z2 / (4 * rows * rows))) / (1 + z2 / rows)
    # The formula meets 0 and 1 exactly; its rounding does not.
    return (0.0 if not successes else max(centre - reach, 0.0), 1.0 if successes == rows else min(centre + reach, 1.0))


def mean_interval(total: float, total_of_squares: float, rows: int, confidence: float) -> Interval:
    """The interval of a mean by Student's t, from the sums of the values and of their squares.

    Exact for normal values, and right for others when there are many rows (the central limit theorem).

    Raises:
        Undefined: fewer than two rows, which say nothing of the spread.
    """
    if rows < 2:
        raise Undefined(f"an interval of a mean needs at least 2 rows, got {rows}", rows=rows)
    from scipy.special import stdtrit  # loads scipy, which a cold start without means need not pay

    mean = total / rows
    variance = max(total_of_squares / rows - mean * mean, 0.0) * rows / (rows - 1)
    reach = float(stdtrit(rows - 1, (1 + confidence) / 2)) * math.sqrt(variance / rows)
    return mean - reach, mean + reach


def delong(scores: ScoreCounts, confidence: float) -> Interval:
    """The interval of the area under the ROC curve, within 0..1; ties count half.

    The variance comes from the placement values: of each positive, the share of negatives below it, and of each
    negative, the share of positives above it. When every pair is in order that variance is 0 and says nothing; the
    interval is then Wilson's for as many successes as the smaller class has rows.

    Raises:
        Undefined: a class has fewer than two rows.

    Source: DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595; counted by score as in Sun and Xu 2014,
    doi:10.1109/LSP.2014.2337313.
    """
    positives, negatives = int(scores.positives.sum()), int(scores.negatives.sum())
    if min(positives, negatives) < 2:
        raise Undefined(
            f"an interval of ROC AUC needs at least 2 rows of each class, got {positives:,} positive and "
            f"{negatives:,} negative",
            rows=positives + negatives,
        )
    of_positives, of_negatives = placements(scores)
    area = float((scores.positives * of_positives).sum()) / positives
    variance = sum(
        float((counts * np.square(values - area)).sum()) / (rows - 1) / rows
        for counts, values, rows in (
            (scores.positives, of_positives, positives),
            (scores.negatives, of_negatives, negatives),
        )
    )
    smaller = min(positives, negatives)
    if variance <= np.finfo(float).eps and area in {0.0, 1.0}:
        return wilson(round(area * smaller), smaller, confidence)
    reach = normal_quantile(confidence) * math.sqrt(variance)
    return max(area - reach, 0.0), min(area + reach, 1.0)


def placements(scores: ScoreCounts) -> tuple[np.ndarray, np.ndarray]:
    """For each score, the share of negatives below it and the share of positives above it; ties count half."""
    negatives_below = np.cumsum(scores.negatives) - scores.negatives / 2
    positives_above = scores.positives.sum() - np.cumsum(scores.positives) + scores.positives / 2
    return negatives_below / scores.negatives.sum(), positives_above / scores.positives.sum()


def paired_shares_interval(gains: int, losses: int, rows: int, confidence: float) -> Interval:
    """The interval of the difference of two proportions on the same rows, (gains - losses) / rows, within -1..1.

    `gains` are the rows where only the first succeeds, `losses` those where only the second does. Wald's interval after
    adding one row of each kind, so that it does not vanish when the two never differ.

    Source: Bonett and Price 2012, doi:10.3102/1076998611411915.
    """
    if not rows:
        raise Undefined("no rows")
    up, down = (gains + 1) / (rows + 2), (losses + 1) / (rows + 2)
    reach = normal_quantile(confidence) * math.sqrt((up + down - (up - down) ** 2) / (rows + 2))
    return max(up - down - reach, -1.0), min(up - down + reach, 1.0)


def normal_quantile(confidence: float) -> float:
    """How many standard errors a two-sided normal interval reaches: 1.96 for 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, got {confidence}")
    return NormalDist().inv_cdf((1 + confidence) / 2)
