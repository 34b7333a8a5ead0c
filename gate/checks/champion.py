"""Says whether there is a champion to compare with."""

from __future__ import annotations

from gate.checks.contract import Check
from gate.checks.judging import judge_missing
from gate.domain.candidate import Candidate
from gate.domain.evidence import Evidence, Missing, Stated
from gate.domain.finding import Judgement, Severity, Status
from gate.domain.need import ANY, ChampionRecord
from gate.domain.scope import Scope


class Champion(Check):
    """Requires that the registry has the champion that the policy names. Judged for every policy that names one.

    Without one the policy decides: `when_missing: hold` holds, `when_missing: skip` warns and lets the comparisons out.

    Example:
        - {check: champion}
    """

    kind_severity = Severity.BLOCKER
    is_implicit = True

    def needs(self, scope: Scope) -> tuple[ChampionRecord, ...]:  # noqa: ARG002  # the same in every scope
        """The record of the champion."""
        return (ChampionRecord(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Present passes; absent is what the policy says."""
        match evidence[ChampionRecord(ANY)]:
            case Stated(value=Candidate() as champion):
                return (Judgement(Status.PASS, f"the champion is version {champion.version}"),)
            case Missing(broken=False) as missing if scope.champion_when_missing == "skip":
                return (skipped(missing),)
            case Missing() as missing:
                return (judge_missing(missing, {}, remedy="give the version that serves today the champion's alias"),)
            case other:
                return (Judgement(Status.ERROR, f"expected a champion, got {type(other).__name__}: a bug in gate"),)


def skipped(missing: Missing, subject: dict[str, str] | None = None) -> Judgement:
    """Warn that there is nobody to compare with and that the policy lets that be."""
    reason = f"{missing.reason}: nothing is compared with it, as the policy allows (when_missing: skip)"
    remedy = "give the version that serves today the champion's alias"
    return Judgement(Status.WARN, reason, subject=subject or {}, remedy=remedy)
