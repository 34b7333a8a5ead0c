"""From checks and evidence to findings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from gate.checks.catalog import check_kinds
from gate.checks.contract import Check
from gate.checks.skipped_columns import skipped
from gate.domain.evidence import Evidence
from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.need import Need
from gate.domain.scope import Scope
from gate.policy.load import LoadedPolicy

Needs = dict[Check, tuple[Need, ...] | Exception]

_log = logging.getLogger(__name__)


def implicit_checks(policy: LoadedPolicy, scope: Scope) -> tuple[Check, ...]:
    """The checks that apply to every policy, whether it names them or not."""
    kinds = ["distinct_data"]
    if scope.roles.prediction or scope.roles.score or scope.roles.scores:
        kinds.insert(0, "predictions")
    if policy.policy.champion is not None:
        kinds.append("champion")
    if policy.policy.data.reference.window or policy.policy.data.current.window:
        kinds.append("undated_rows")
    if scope.roles.target is not None:
        kinds.append("label_coverage")
    if skipped(scope):
        kinds.append("skipped_columns")
    return tuple(check_kinds()[kind](check=kind) for kind in kinds)


def needs_of(checks: Iterable[Check], scope: Scope) -> Needs:
    """Ask each check what it needs. A check that crashes here is remembered with its exception, for its finding."""
    needs: Needs = {}
    for check in checks:
        try:
            needs[check] = check.needs(scope)
        except Exception as crash:  # noqa: BLE001  # a bug in one check must end as its error finding, not as no verdict
            needs[check] = crash
    return needs


def judge_all(
    needs: dict[Check, tuple[Need, ...] | Exception],
    evidence: Evidence,
    scope: Scope,
    policy: LoadedPolicy,
    reproduce: str,
) -> tuple[Finding, ...]:
    """Let each check judge; a crash is an error finding that names the bug."""
    findings: list[Finding] = []
    for check, needed in needs.items():
        judgements = _crashed(check, needed) if isinstance(needed, Exception) else _judge(check, evidence, scope)
        findings += (_finding(check, judgement, policy, reproduce) for judgement in judgements)
    return tuple(findings)


def _judge(check: Check, evidence: Evidence, scope: Scope) -> Sequence[Judgement]:
    try:
        judgements = check.judge(evidence, scope)
    except Exception as crash:  # noqa: BLE001  # as above
        return _crashed(check, crash)
    silent = Judgement(Status.ERROR, f"{check.name} said nothing about what it looked at: this is a bug in gate")
    return judgements or (silent,)


def _crashed(check: Check, crash: Exception) -> tuple[Judgement]:
    _log.error("check %s crashed", check.name, exc_info=crash)
    text = f"{check.name} crashed with {type(crash).__name__}: {crash}; this is a bug in gate"
    return (Judgement(Status.ERROR, text, remedy="report it with the verdict and the policy"),)


def _finding(check: Check, judgement: Judgement, policy: LoadedPolicy, reproduce: str) -> Finding:
    return Finding(
        check=check.name,
        kind=check.kind,
        dimension=check.dimension or check.kind_dimension,
        severity=check.severity or check.kind_severity or policy.policy.defaults.severity,
        judgement=judgement,
        owner=check.owner or policy.policy.owner or "",
        policy_file=policy.origins.get(check.name),
        policy_line=policy.lines.get(check.name),
        reproduce=reproduce,
    )


def note(reason: str, *, remedy: str = "") -> Finding:
    """A finding that is shown and never decides: a warning about the waivers themselves."""
    judgement = Judgement(Status.WARN, reason, remedy=remedy)
    return Finding("waivers", "waivers", Dimension.ORGANISATION, Severity.INFO, judgement)
