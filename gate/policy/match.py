"""Which policy judges a candidate: exactly one, or an error that says why not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gate.domain.candidate import Candidate
from gate.errors import PolicyError, Problem, UsageError
from gate.policy import waivers
from gate.policy.load import LoadedPolicy, load, load_policy
from gate.policy.model import AppliesTo

_NOT_POLICIES = frozenset({waivers.FILE, "gate.yaml"})  # gate.yaml: the settings


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The policies of a folder, loaded together.

    Attributes:
        place: what people call the folder.
        tightened: a stricter form of one of them that a client brought; it judges in place of that one.
    """

    place: str
    policies: tuple[LoadedPolicy, ...]
    tightened: LoadedPolicy | None = None

    def naming(self, model_name: str) -> tuple[LoadedPolicy, ...]:
        """The policies whose globs fit a model's name; which of them applies may still depend on its tags."""
        return tuple(p for p in self.policies if _named(p.policy.applies_to, model_name))

    def fitting(self, model_name: str, tags: Mapping[str, str]) -> tuple[LoadedPolicy, ...]:
        """The policies that apply to a version of a model with these tags."""
        return tuple(policy for policy in self.naming(model_name) if _tagged(policy.policy.applies_to, tags))

    def only(self, candidate: Candidate) -> LoadedPolicy:
        """The one policy that applies to `candidate`; UsageError if none or several do."""
        fitting = self.fitting(candidate.name, _tags(candidate))
        if len(fitting) == 1:
            return self._tightened(fitting[0], candidate)
        if fitting:
            names = ", ".join(policy.source for policy in fitting)
            raise UsageError(f"{self.place}: {len(fitting)} policies apply to {candidate.uri}: {names}; "
                             f"name one with --policy, or narrow their applies_to")  # fmt: skip
        known = "; ".join(f"{policy.source} is for {_wanted(policy.policy.applies_to)}" for policy in self.policies)
        raise UsageError(f"{self.place}: no policy applies to {candidate.uri}; "
                         f"{known or 'there is none in the folder'}. "
                         f"T{_is(candidate)[1:]}. Write one with: gate init {candidate.uri}")  # fmt: skip

    def _tightened(self, ours: LoadedPolicy, candidate: Candidate) -> LoadedPolicy:
        """The policy that a client brought, if it extends `ours`: another one of ours would be a way around it."""
        brought = self.tightened
        if brought is None:
            return ours
        if os.path.normpath(ours.source) not in brought.files:
            raise UsageError(
                f"{brought.source}: {candidate.uri} is judged by {ours.source}, which this does not extend"
            )
        if not applies(brought.policy.applies_to, candidate):
            raise UsageError(f"{brought.source}: this policy is for {_wanted(brought.policy.applies_to)}; "
                             f"{_is(candidate)}")  # fmt: skip
        return brought


def choose(policies: Path | PolicySet, candidate: Candidate) -> LoadedPolicy:
    """Choose the policy for `candidate`: the file, or the one policy of a folder or a set that applies.

    Raises:
        UsageError: nothing is there, the file is for other models, or none or several of the folder apply.
        PolicyError: a file is broken; in a folder, any file, since the broken one might have been the one.
    """
    if isinstance(policies, PolicySet):
        return policies.only(candidate)
    path = policies
    if path.is_dir():
        return load_set(path).only(candidate)
    policy = load_policy(path)
    if not applies(policy.policy.applies_to, candidate):
        raise UsageError(f"{path}: this policy is for {_wanted(policy.policy.applies_to)}; {_is(candidate)}")
    return policy


def applies(to: AppliesTo, candidate: Candidate) -> bool:
    """Whether the candidate's name fits a glob and it has every tag. A tag of the version hides one of its model."""
    return _named(to, candidate.name) and _tagged(to, _tags(candidate))


def _tags(candidate: Candidate) -> dict[str, str]:
    return {**candidate.model_tags, **candidate.tags}


def _tagged(to: AppliesTo, tags: Mapping[str, str]) -> bool:
    return all(tags.get(key) == value for key, value in to.tags.items())


def _named(to: AppliesTo, name: str) -> bool:
    return any(fnmatchcase(name, glob) for glob in to.models)


def policies_in(folder: Path) -> Iterator[Path]:
    """The policy files of a folder, by name; not those of folders inside it."""
    found = (path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern))
    yield from sorted(path for path in found if path.name not in _NOT_POLICIES)


def load_set(folder: Path) -> PolicySet:
    """Load every policy of a folder; PolicyError with the problems of all files, if any has one."""
    policies: list[LoadedPolicy] = []
    problems: dict[Problem, None] = {}
    for path in policies_in(folder):
        try:
            loaded = load(path)
        except PolicyError as error:
            problems.update(dict.fromkeys(error.problems))
            continue
        if isinstance(loaded, LoadedPolicy):
            policies.append(loaded)
    if problems:
        raise PolicyError(list(problems))
    return PolicySet(str(folder), tuple(policies))


def _wanted(to: AppliesTo) -> str:
    models = "models " + ", ".join(to.models)
    tags = ", ".join(f"{key}={value}" for key, value in to.tags.items())
    return f"{models} with the tags {tags}" if tags else models


def _is(candidate: Candidate) -> str:
    tags = ", ".join(f"{key}={value}" for key, value in sorted(_tags(candidate).items()))
    return f"the candidate is {candidate.name} with the tags {tags}" if tags else f"the candidate is {candidate.name}"
