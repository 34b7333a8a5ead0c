"""Says whose predictions the data holds."""

from __future__ import annotations

from gate.checks.choosing import listed, quoted
from gate.checks.contract import Check
from gate.checks.judging import judge_missing
from gate.domain.evidence import Evidence, Missing, Stated
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import ANY, PredictionsOf
from gate.domain.scope import Scope


class Predictions(Check):
    """Requires that the predictions in the current data are the candidate's own. Judged for every policy that has any.

    They are bound to it when the dataset is logged on the candidate's run, or when a column `model_version` holds the
    candidate's version in every row. Any other version in it fails. Without either they are unbound: a warning, because
    nothing says that this model made them.

    Example:
        - {check: predictions}
    """

    kind_severity = Severity.BLOCKER
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[PredictionsOf, ...]:  # noqa: ARG002  # the same in every scope
        """Whose predictions these are."""
        return (PredictionsOf(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # as above
        """Bound passes, unbound warns, foreign fails."""
        match evidence[PredictionsOf(ANY)]:
            case Stated(value="bound"):
                return (Judgement(Status.PASS, "the predictions are the candidate's own"),)
            case Stated(value="unbound"):
                reason = "nothing says which model made the predictions: they are taken to be the candidate's"
                remedy = ("add a column model_version with the candidate's version to the current data, "
                          "or log the dataset on the candidate's run")  # fmt: skip
                return (Judgement(Status.WARN, reason, remedy=remedy),)
            case Stated(value=tuple() as versions) if versions:
                return (_foreign(versions),)
            case Missing() as missing:
                return (judge_missing(missing, {}),)
            case other:
                return (Judgement(Status.ERROR, f"expected whose predictions these are, got {other}: a bug in gate"),)


def _foreign(versions: tuple[str, ...]) -> Judgement:
    named = listed((quoted(version) if version else "rows without a version" for version in versions), 3)
    return Judgement(
        Status.FAIL,
        f"the column model_version holds predictions that are not the candidate's: {named}",
        remedy="take current data with predictions of the candidate alone",
        flip="replace the predictions of other models by the candidate's",
    )
