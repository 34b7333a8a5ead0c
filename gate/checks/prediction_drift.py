"""Limits how far the model's answers have moved."""

from __future__ import annotations

from gate.checks.choosing import nothing, outputs
from gate.checks.drift import DriftCheck
from gate.domain import need
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement
from gate.domain.scope import Scope


class PredictionDrift(DriftCheck):
    """Requires that what the model says moved at most `max` between reference and current.

    Looks at every column that `data.columns` names as prediction, score or score of a class, so the reference needs
    predictions too. Needs no labels, and so is the first sign of trouble while truth is late. Distances as in
    `feature_drift`. Below `min_rows` rows a column is not judged.

    Example:
        - {check: prediction_drift, max: 0.1}
    """

    def needs(self, scope: Scope) -> tuple[need.Drift, ...]:
        """The distance of each output."""
        return self.drift_needs(outputs(scope), scope)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each output."""
        columns = outputs(scope)
        remedy = "compare with the drift of the features: if they are still, look at how the model is served"
        if not columns:
            return nothing(
                "the drift of the predictions is unknown: the policy names no prediction and no score",
                "name the column with the predictions in data.columns.prediction",
            )
        return tuple(self.judge_drift(column, evidence, scope, remedy=remedy) for column in columns)
