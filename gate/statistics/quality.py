"""Quality metrics from their parts: value, interval, bound.

`estimate` measures one model and `increase` candidate minus champion on the same rows; `difference` (of `estimate.py`)
subtracts two estimates that share no rows. Rows without a usable prediction make a metric Undefined: leaving them out
would let a model look better by not answering.
"""

from __future__ import annotations

from typing import Literal

from gate.domain.metrics import METRICS
from gate.statistics import confusion, ranking, residuals
from gate.statistics.confusion import Average
from gate.statistics.estimate import Estimate, difference, relative_to
from gate.statistics.parts import ConfusionCounts, ErrorMoments, LossSums, ScoreCounts

__all__ = ["METRICS", "Average", "Estimate", "QualityPart", "difference", "estimate", "increase"]

QualityPart = ConfusionCounts | ScoreCounts | LossSums | ErrorMoments


def estimate(
    metric: str,
    part: QualityPart,
    *,
    of: Literal["candidate", "champion"] = "candidate",
    positive: str | None = None,
    average: Average | None = None,
    confidence: float | None = None,
) -> Estimate:
    """Measure a metric on labelled rows.

    Args:
        metric: one of METRICS; its `part` says which part it is computed from.
        part: the counts or sums. Scores are those of one model: measure the champion's from its own ScoreCounts.
        of: whose predictions; the champion's must be in the same part.
        positive: the positive class, for precision, recall and f1 without an average.
        average: of precision, recall and f1 over classes; None means those of the positive class.
        confidence: of the interval; None measures the value only. Intervals: accuracy, precision and recall (Wilson),
            roc_auc (DeLong), mae, mape, bias and rmse (Student's t).

    Raises:
        Undefined: the rows do not determine the metric, and `reason` says why with the number of rows.
        ValueError: the part is not the one that the metric is computed from; a bug of the caller.
    """
    match part:
        case ConfusionCounts():
            return confusion.measure(metric, part, model=of, positive=positive, average=average, confidence=confidence)
        case ErrorMoments():
            return residuals.measure(metric, part, model=of, confidence=confidence)
        case ScoreCounts() | LossSums():
            if of == "champion":
                raise ValueError("scores are those of one model: measure the champion's from its own part")
            return ranking.measure(metric, part, confidence=confidence)


def increase(
    metric: str,
    part: ConfusionCounts | ErrorMoments,
    *,
    positive: str | None = None,
    average: Average | None = None,
    confidence: float | None = None,
    relative: bool = False,
) -> Estimate:
    """Measure candidate minus champion on the same rows; divided by the champion's absolute value when `relative`.

    accuracy, mae, bias, mape and rmse have an interval from the rows as pairs; the others are the value only.

    Raises:
        Undefined: as `estimate`; the part holds no champion; or `relative`, and the champion's value is 0 or near it.
    """
    paired: Estimate | None = None
    if isinstance(part, ErrorMoments):
        paired = residuals.increase(metric, part, confidence)
    elif metric == "accuracy":
        paired = confusion.accuracy_increase(part, confidence)
    champion = estimate(metric, part, of="champion", positive=positive, average=average)
    if paired is None:
        candidate = estimate(metric, part, positive=positive, average=average)
        return difference(metric, candidate, champion, relative=relative)
    return relative_to(paired, metric, champion) if relative else paired
