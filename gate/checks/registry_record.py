"""Requires that the registry says who, what and from where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gate.checks.choosing import listed, quoted
from gate.checks.contract import Check, Name
from gate.checks.fields import Pattern, compiled
from gate.checks.judging import judge_missing
from gate.checks.tighten import SUPERSET, Order
from gate.domain.candidate import Candidate
from gate.domain.evidence import Evidence, Missing, Stated
from gate.domain.finding import Dimension, Judgement, Status
from gate.domain.need import ANY, Record
from gate.domain.scope import Scope

Requirement = Literal["owner", "description", "signature", "lineage"]


def _at_least(base: Mapping[str, str | None], override: Mapping[str, str | None]) -> bool:
    """Every tag of the base, with its pattern; a tag that could have any value may be given a pattern."""
    return all(tag in override and pattern in (None, override[tag]) for tag, pattern in base.items())


class RegistryRecord(Check):
    """Requires what the registry says about the model version.

    `requires` names what must be there: `owner` (a tag `owner` on the version or the model, or the policy's owner),
    `description` (of the version or the model), `signature` (with inputs), `lineage` (a run that logged its datasets).
    `tags` of the version, else of the model: each must be there, not blank, and its whole value match its RE2 pattern,
    if there is one. Nothing is measured: what is not recorded fails.

    Example:
        - check: registry_record
          requires: [owner, description, signature, lineage]
          tags: {risk: "low|medium", data_protection: null}
    """

    kind_dimension = Dimension.ORGANISATION

    requires: Annotated[tuple[Requirement, ...], Field(strict=False), SUPERSET] = ()
    tags: Annotated[Mapping[Name, Pattern | None], Order("extended", _at_least)] = {}

    @model_validator(mode="after")
    def _requires_something(self) -> Self:
        if not self.requires and not self.tags:
            raise ValueError("requires and tags are missing; nothing would be required")
        return self

    def needs(self, scope: Scope) -> tuple[Record, ...]:  # noqa: ARG002  # the same in every scope
        """The record of the candidate."""
        return (Record(ANY),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each thing that is required."""
        match evidence[Record(ANY)]:
            case Stated(value=Candidate() as candidate):
                return (*self._required(candidate, scope), *self._tagged(candidate))
            case Missing() as missing:
                return (judge_missing(missing, {}),)
            case other:
                return (Judgement(Status.ERROR, f"expected a record, got {type(other).__name__}: a bug in gate"),)

    def _required(self, candidate: Candidate, scope: Scope) -> Iterator[Judgement]:
        for what in dict.fromkeys(self.requires):
            found, remedy = _REQUIREMENTS[what](candidate, scope)
            if found:
                yield Judgement(Status.PASS, f"{what}: {found}", subject={"record": what})
            else:
                yield _fail({"record": what}, f"the registry has no {what} for {candidate.name}", remedy)

    def _tagged(self, candidate: Candidate) -> Iterator[Judgement]:
        for tag, pattern in self.tags.items():
            value = _tag(candidate, tag)
            if value is None:
                yield _fail({"tag": tag}, f"the tag {tag} is not set", f"set the tag {tag} on {candidate.uri}")
            elif pattern is not None and compiled(pattern).fullmatch(value) is None:
                yield _fail({"tag": tag}, f"the tag {tag} is {quoted(value)}, allowed is {pattern}",
                            f"set the tag {tag} to a value that matches {pattern}")  # fmt: skip
            else:
                yield Judgement(Status.PASS, f"the tag {tag} is {quoted(value)}", subject={"tag": tag})


def _tag(candidate: Candidate, tag: str) -> str | None:
    """The tag of the version, else of the model; blank is not set."""
    for tags in (candidate.tags, candidate.model_tags):
        if tags.get(tag, "").strip():
            return tags[tag].strip()
    return None


def _fail(subject: dict[str, str], reason: str, remedy: str) -> Judgement:
    return Judgement(Status.FAIL, reason, subject=subject, remedy=remedy, flip=remedy)


def _owner(candidate: Candidate, scope: Scope) -> tuple[str, str]:
    remedy = f"set the tag owner on {candidate.uri}, or owner in the policy, to who answers for the outcome"
    return _tag(candidate, "owner") or scope.owner.strip(), remedy


def _description(candidate: Candidate, _: Scope) -> tuple[str, str]:
    text = candidate.description.strip() or candidate.model_description.strip()
    return quoted(text, 60) if text else "", f"describe {candidate.uri} in the registry: what it is for and its limits"


def _signature(candidate: Candidate, _: Scope) -> tuple[str, str]:
    inputs = candidate.signature.inputs if candidate.signature else ()
    return listed(column.name for column in inputs), "log the model with a signature that names its inputs"


def _lineage(candidate: Candidate, _: Scope) -> tuple[str, str]:
    remedy = "register the model from a run that logs its training data (mlflow.log_input)"
    if candidate.run_id is None or not candidate.datasets:
        return "", remedy
    names = listed(f"{dataset.name} ({dataset.context or 'no context'})" for dataset in candidate.datasets)
    return f"run {candidate.run_id} logged {names}", remedy


_REQUIREMENTS = {"owner": _owner, "description": _description, "signature": _signature, "lineage": _lineage}
