"""Metrics of classes: from how often each prediction met each target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gate.statistics.errors import Undefined
from gate.statistics.estimate import Estimate, estimated
from gate.statistics.intervals import paired_shares_interval, wilson
from gate.statistics.parts import ConfusionCounts, Ints, Texts

Average = Literal["macro", "micro", "weighted"]
Model = Literal["candidate", "champion"]
_EXAMPLES = 3  # classes named in a sentence


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """Labelled rows by class: shape (k,) each, over the classes that are a target or a prediction."""

    classes: tuple[str, ...]
    hits: Ints
    targets: Ints
    predictions: Ints

    @property
    def rows(self) -> int:
        """All labelled rows."""
        return int(self.targets.sum())


def measure(
    metric: str, counts: ConfusionCounts, *, model: Model, positive: str | None, average: Average | None,
    confidence: float | None,
) -> Estimate:  # fmt: skip
    """Measure accuracy, balanced_accuracy, precision, recall or f1. See `quality.estimate`."""
    outcomes = _outcomes(counts, model)
    match metric:
        case "accuracy":
            return _proportion(metric, int(outcomes.hits.sum()), outcomes.rows, outcomes.rows, confidence)
        case "balanced_accuracy":
            return _balanced_accuracy(outcomes)
        case "precision" | "recall" | "f1" if average is None:
            return _of_positive(metric, outcomes, positive, confidence)
        case "precision" | "recall" | "f1" if average == "micro":  # each row has one class: all three are the accuracy
            return _proportion(metric, int(outcomes.hits.sum()), outcomes.rows, outcomes.rows, confidence)
        case "precision" | "recall" | "f1":
            return _averaged(metric, outcomes, weighted=average == "weighted")
        case _:
            raise ValueError(f"{metric!r} is not computed from classes")


def accuracy_increase(counts: ConfusionCounts, confidence: float | None) -> Estimate:
    """Measure the accuracy of the candidate minus the champion's, over the same rows."""
    right, was_right = (np.equal(*_labels(counts, model)).astype(bool) for model in ("candidate", "champion"))
    rows = int(counts.n.sum())
    gains, losses = int(counts.n[right & ~was_right].sum()), int(counts.n[~right & was_right].sum())
    interval = None if confidence is None else paired_shares_interval(gains, losses, rows, confidence)
    value = (gains - losses) / rows
    if interval is not None:
        interval = (min(interval[0], value), max(interval[1], value))
    return Estimate(value, rows, "paired difference of accuracy (Bonett-Price)" if interval else
                    "paired difference of accuracy", interval)  # fmt: skip


def require_shared_classes(counts: ConfusionCounts, model: Model, known: Collection[str]) -> None:
    """Refuse labels that were written in another way than the targets: such a model is not bad but unread.

    Args:
        counts: the labelled rows.
        model: whose predictions.
        known: all classes of the target, wherever they occur.

    Raises:
        Undefined: none of the predictions is a class.
    """
    prediction = counts.prediction if model == "candidate" else counts.champion
    if counts.thresholded or prediction is None or not len(prediction):
        return
    classes = {*known, *counts.target.tolist()}
    predicted = set(prediction.tolist())
    if classes.isdisjoint(predicted):
        whose = "the predictions" if model == "candidate" else "the champion's predictions"
        raise Undefined(f"none of {whose} ({examples(predicted)}) is a class of the target ({examples(classes)})",
                        rows=int(counts.n.sum()))  # fmt: skip


def examples(classes: Collection[str]) -> str:
    """Name a few classes: `'a', 'b', 'c' and 9 more`."""
    shown = ", ".join(map(repr, sorted(classes)[:_EXAMPLES]))
    return f"{shown} and {len(classes) - _EXAMPLES:,} more" if len(classes) > _EXAMPLES else shown


def smaller_class(counts: ConfusionCounts, positive: str | None) -> int | None:
    """Count the labelled rows of the smaller of two classes: `positive` and the rest, else the two that there are.

    None where there are not two.
    """
    one = counts.positive if counts.thresholded else positive
    rows = int(counts.n.sum())
    if one is None:
        present = sorted(set(counts.target.tolist()))
        if len(present) != 2:
            return None
        one = present[0]
    of_one = int(counts.n[counts.target == one].sum())
    return min(of_one, rows - of_one)


def _outcomes(counts: ConfusionCounts, model: Model) -> _Outcomes:
    target, prediction = _labels(counts, model)
    classes, at = np.unique(np.concatenate([target, prediction]).astype(str), return_inverse=True)
    of_target, of_prediction = at[: len(target)], at[len(target) :]
    hit = of_target == of_prediction

    def rows(where: Ints, n: Ints) -> Ints:
        return np.bincount(where, weights=n, minlength=len(classes)).astype(np.int64)

    return _Outcomes(tuple(classes.tolist()), rows(of_target[hit], counts.n[hit]), rows(of_target, counts.n),
                     rows(of_prediction, counts.n))  # fmt: skip


def _labels(counts: ConfusionCounts, model: Model) -> tuple[Texts, Texts]:
    """Targets and a model's predictions, where equal texts mean a hit.

    To a thresholded score there are two classes: all targets but the positive one are the same to it.
    """
    prediction = counts.prediction if model == "candidate" else counts.champion
    if prediction is None:
        raise Undefined("no predictions of the champion on these rows")
    if counts.unpredicted:
        labelled = int(counts.n.sum()) + counts.unpredicted
        raise Undefined(f"{counts.unpredicted:,} of {labelled:,} labelled rows have no prediction", rows=labelled)
    if not counts.n.sum():
        raise Undefined("no labelled rows")
    if counts.thresholded:
        if counts.positive is None:
            raise ValueError("thresholded counts name their positive class")
        return _or_not(counts.target, counts.positive), _or_not(prediction, counts.positive)
    return counts.target, prediction


def _or_not(labels: Texts, positive: str) -> Texts:
    return np.where(labels == positive, positive, f"not {positive}").astype(object)


def _proportion(metric: str, hits: int, of: int, rows: int, confidence: float | None) -> Estimate:
    """A share with Wilson's interval; `rows` are all labelled rows, which is what a person can collect more of."""
    interval = None if confidence is None else wilson(hits, of, confidence)
    return estimated(metric, hits / of, rows, interval=interval, method="wilson")


def _of_positive(metric: str, outcomes: _Outcomes, positive: str | None, confidence: float | None) -> Estimate:
    if positive is None:
        raise Undefined(f"{metric} needs a positive class (data.columns.positive) or an average: "
                        "macro, micro or weighted", rows=outcomes.rows)  # fmt: skip
    at = outcomes.classes.index(positive) if positive in outcomes.classes else None
    hits, targets, predictions = (
        0 if at is None else int(rows[at]) for rows in (outcomes.hits, outcomes.targets, outcomes.predictions)
    )
    if metric != "precision" and not targets:
        raise Undefined(f"{metric} is undefined: none of {outcomes.rows:,} labelled rows is {positive!r}",
                        rows=outcomes.rows)  # fmt: skip
    if metric == "precision" and not predictions:
        raise Undefined(f"precision is undefined: none of {outcomes.rows:,} labelled rows is predicted {positive!r}",
                        rows=outcomes.rows)  # fmt: skip
    match metric:
        case "precision":
            return _proportion(metric, hits, predictions, outcomes.rows, confidence)
        case "recall":
            return _proportion(metric, hits, targets, outcomes.rows, confidence)
        case _:
            return estimated(metric, 2 * hits / (targets + predictions), outcomes.rows)


def _balanced_accuracy(outcomes: _Outcomes) -> Estimate:
    """The mean recall of the classes that are a target."""
    present = outcomes.targets > 0
    if present.sum() < 2:
        only = outcomes.classes[int(present.argmax())]
        raise Undefined(f"balanced_accuracy needs two classes: all {outcomes.rows:,} labelled rows are {only!r}",
                        rows=outcomes.rows)  # fmt: skip
    recall = outcomes.hits[present] / outcomes.targets[present]
    return estimated("balanced_accuracy", float(recall.mean()), outcomes.rows)


def _averaged(metric: str, outcomes: _Outcomes, *, weighted: bool) -> Estimate:
    """The mean over the classes that are a target or a prediction, by hand or by targets.

    A class that is never predicted has precision 0, one that is never a target has recall 0: the harsh reading, and
    that of scikit-learn (zero_division=0).
    """
    of = {"precision": outcomes.predictions, "recall": outcomes.targets,
          "f1": (outcomes.predictions + outcomes.targets) / 2}[metric]  # fmt: skip
    by_class = np.divide(outcomes.hits, of, out=np.zeros(len(of)), where=of > 0)
    weights = outcomes.targets if weighted else np.ones(len(of))
    return estimated(metric, float(np.average(by_class, weights=weights)), outcomes.rows)
