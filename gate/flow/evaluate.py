"""The pipeline: from a request to a stored verdict. Nothing is passed back, nothing is published before it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gate.domain.candidate import Candidate
from gate.domain.dataset import Side
from gate.domain.need import ANY, LabelledShare, Need
from gate.errors import PolicyError, Problem, UsageError
from gate.flow.conclude import FIRST_STAGE, conclude
from gate.flow.judge import implicit_checks, judge_all, needs_of
from gate.flow.keep import Outcome, keep
from gate.flow.ports import Ports
from gate.flow.records import answer_records
from gate.flow.request import Request
from gate.flow.scope import scope_of
from gate.flow.sources import open_side
from gate.flow.stopwatch import Stopwatch
from gate.flow.waive import waive
from gate.policy.lint import lint
from gate.policy.load import LoadedPolicy
from gate.policy.match import choose
from gate.policy.waivers import load_waivers


def evaluate(request: Request, ports: Ports, *, now: datetime, verdict_id: str) -> Outcome:
    """Judge one candidate.

    Args:
        request: what is asked.
        ports: the world.
        now: the moment of the evaluation, UTC; everything that depends on time takes it from here.
        verdict_id: of the verdict to be made; unique.

    Raises:
        UsageError: the request, the policy or the registry entry is wrong.
        RegistryError, DataError, EvidenceError, StoreError: gate could not decide.
    """
    watch = Stopwatch(ports.observer)
    with watch("registry", str(request.model.uri)):
        candidate = ports.registry.find(request.model)
        policy = choose(request.policies, candidate)
        _require_stage(request, policy)
        _refuse_what_cannot_fail(policy)
        waivers = load_waivers(policy.folder, now)
        champion = _champion(policy, candidate, ports)
    with watch("data"):
        reference, _ = open_side(Side.REFERENCE, request, policy, candidate, ports, now=now)
        current, source = open_side(Side.CURRENT, request, policy, candidate, ports, now=now)

    scope = scope_of(policy.policy, candidate, champion, reference.facts.schema, current.facts.schema)
    needs = needs_of((*implicit_checks(policy, scope), *policy.checks), scope)
    wanted = _distinct_needs(needs.values())
    records = answer_records(wanted, candidate, champion, reference, current, source)
    labels = LabelledShare(ANY)  # shown in every verdict that has a target
    measured = [need for need in wanted if need not in records] + [labels] * (scope.roles.target is not None)
    with watch("evidence", f"{reference.facts.rows:,} reference rows, {current.facts.rows:,} current rows"):
        gathered = ports.evidence.gather(measured, scope, reference, current, now=now, report=request.report)

    with watch("judge"):
        judged = judge_all(
            needs, {**gathered.evidence, **records}, scope, policy, request.again(candidate, policy.source)
        )
        findings, waived_until = waive(judged, waivers, candidate.digest, now)
        verdict = conclude(
            request, verdict_id, candidate, champion, policy, reference.facts, current.facts, findings,
            now=now, waivers=waivers, waived_until=waived_until, labels=gathered.evidence.get(labels),
            timings_seconds={**watch.seconds, **gathered.timings_seconds},
        )  # fmt: skip
    return keep(verdict, gathered, request, ports)


def _require_stage(request: Request, policy: LoadedPolicy) -> None:
    if request.stage not in (None, FIRST_STAGE):
        raise UsageError(f"{policy.source}: there is no stage {request.stage!r}; the policy has only {FIRST_STAGE!r}")


def _refuse_what_cannot_fail(policy: LoadedPolicy) -> None:
    """An error of the linter (a limit that nothing ever exceeds) is one here too: it would be green whatever comes."""
    errors = [Problem(advice.file, advice.line, advice.message) for advice in lint(policy) if advice.level == "error"]
    if errors:
        raise PolicyError(errors)


def _champion(policy: LoadedPolicy, candidate: Candidate, ports: Ports) -> Candidate | None:
    wanted = policy.policy.champion
    return ports.registry.champion(candidate.name, wanted.alias) if wanted else None


def _distinct_needs(needs: Iterable[tuple[Need, ...] | Exception]) -> list[Need]:
    """Every need once, in the order of the checks; a crashed check needs nothing."""
    return list(dict.fromkeys(need for wanted in needs if not isinstance(wanted, Exception) for need in wanted))
