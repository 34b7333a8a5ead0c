"""The quality metrics: names, tasks, ranges, direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MetricPart = Literal["confusion", "scores", "errors"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure of how good predictions are.

    Attributes:
        name: as a policy writes it.
        title: as a person names it.
        task: the task of the models it is for.
        low, high: the values that it cannot go below or above; None when there is no such value.
        bigger_is_better: None when neither is (the best bias is 0).
        part: what it is computed from: counts of target and prediction, scores, or sums of errors.
        averages: whether `average` (macro, micro, weighted) is meaningful.
        multiclass: whether it is defined for more than two classes.
    """

    name: str
    title: str
    task: Literal["classification", "regression"]
    low: float | None
    high: float | None
    bigger_is_better: bool | None
    part: MetricPart
    averages: bool = False
    multiclass: bool = True


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "classification", 0.0, 1.0, True, "confusion"),
        Metric("balanced_accuracy", "balanced accuracy", "classification", 0.0, 1.0, True, "confusion"),
        Metric("precision", "precision", "classification", 0.0, 1.0, True, "confusion", averages=True),
        Metric("recall", "recall", "classification", 0.0, 1.0, True, "confusion", averages=True),
        Metric("f1", "F1", "classification", 0.0, 1.0, True, "confusion", averages=True),
        Metric("roc_auc", "ROC AUC", "classification", 0.0, 1.0, True, "scores", multiclass=False),
        Metric("pr_auc", "average precision (PR AUC)", "classification", 0.0, 1.0, True, "scores", multiclass=False),
        Metric("log_loss", "log-loss", "classification", 0.0, None, False, "scores"),
        Metric("brier", "Brier score", "classification", 0.0, 1.0, False, "scores"),
        Metric("ece", "expected calibration error", "classification", 0.0, 1.0, False, "scores", multiclass=False),
        Metric("mae", "mean absolute error", "regression", 0.0, None, False, "errors"),
        Metric("rmse", "root mean squared error", "regression", 0.0, None, False, "errors"),
        Metric("mape", "mean absolute percentage error", "regression", 0.0, None, False, "errors"),
        Metric("bias", "bias (mean of prediction - target)", "regression", None, None, None, "errors"),
        Metric("r2", "R²", "regression", None, 1.0, True, "errors"),
    )
}


def metric_names(task: str | None = None) -> tuple[str, ...]:
    """Name the metrics of a task, or all of them."""
    return tuple(name for name, metric in METRICS.items() if task is None or metric.task == task)
