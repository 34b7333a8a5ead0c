"""From a policy file to a right policy, or to everything that is wrong with it at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import rfc8785
from pydantic import ValidationError

from gate.checks.catalog import policy_kinds
from gate.checks.contract import Check
from gate.checks.tighten import SUPERSET
from gate.domain.moments import format_duration
from gate.errors import PolicyError, Problem, UsageError
from gate.policy.document import MAX_BYTES, Document, read_document
from gate.policy.merge import (
    Draft,
    Loosening,
    Place,
    check_id,
    effective,
    lay_over,
    loosened,
    loosened_header,
)  # fmt: skip
from gate.policy.model import Base, Defaults, Policy
from gate.policy.rules import misfits
from gate.policy.wording import meant, shown, spelled, wordings

_MAX_CHAIN = 8  # files from a policy to its farthest base


@dataclass(frozen=True, slots=True)
class LoadedBase:
    """A policy file that is right, with its bases merged in.

    Attributes:
        policy: what it says; its `checks` are in the order in which they first appear, bases first.
        digest: of the exact bytes of each file and of the merged canonical form, `sha256:...`.
        source: the file, as it was named.
        folder: the folder of the file, where `waivers.yaml` lies and relative URIs begin.
        lines: where each check was last said, by its name; in the file that `origins` names.
        origins: the file that had the last word on each check.
        files: every file that takes part, bases first.
        draft: the merged values as written, with the place of each.
    """

    policy: Base
    digest: str
    source: str
    folder: FilePath
    lines: Mapping[str, int]
    origins: Mapping[str, str]
    files: tuple[str, ...]
    draft: Draft = field(repr=False, default_factory=Draft)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What must hold."""
        return self.policy.checks


@dataclass(frozen=True, slots=True)
class LoadedPolicy(LoadedBase):
    """A complete policy, which can judge."""

    policy: Policy


def load_policy(path: FilePath) -> LoadedPolicy:
    """Load the policy in `path`.

    Raises:
        PolicyError: with every problem of the file and of its bases; a base is no policy and is one too.
        UsageError: there is no such file.
    """
    loaded = load(path)
    if not isinstance(loaded, LoadedPolicy):
        message = "this is a base: without applies_to it is extended by policies and judges nothing itself"
        raise PolicyError([Problem(loaded.source, None, message)])
    return loaded


def load(path: FilePath) -> LoadedBase:
    """Load the policy or the base in `path`; raises as `load_policy` does."""
    return _loaded(_Files(), path)


def load_text(raw: bytes, path: FilePath, name: str) -> LoadedBase:
    """Load a policy that is no file, as if it lay at `path`, where nothing lies; messages call it `name`.

    Raises as `load_policy` does. Its bases are files.
    """
    loaded = _loaded(_Files({str(path): (raw, name)}), path)
    return replace(loaded, source=name)


def _loaded(files: _Files, path: FilePath) -> LoadedBase:
    said = files.gather(path)
    problems = list(files.problems)
    whole = len(said) == files.named
    draft, below = Draft(), None
    for place, one in enumerate(said):
        is_policy = place == len(said) - 1 and "applies_to" in one.document.value
        draft = lay_over(draft, one.document, one.file)
        misshapen = list(_shape(one))
        whole = whole and not misshapen
        level = _parse(draft, Policy if is_policy else Base, whole=whole)
        problems += misshapen + level.problems
        if below is not None:
            problems += _loosenings(below, level)
        below = level
    problems = _first_causes(problems, files.problems)
    if problems or below is None or below.policy is None:
        raise PolicyError(problems)
    policy = below.policy.model_copy(update={"checks": tuple(below.checks.values())})
    result: dict[str, Any] = {
        "digest": _digest(said, policy),
        "source": str(path),
        "folder": path.parent,
        "lines": {name: check.place.line for name, check in draft.checks.items() if check.place.line is not None},
        "origins": {name: check.place.file for name, check in draft.checks.items()},
        "files": tuple(one.file for one in said),
        "draft": draft,
    }
    return LoadedPolicy(policy, **result) if isinstance(policy, Policy) else LoadedBase(policy, **result)


# --- the files --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """One file: its name for people, its bytes, and what it says."""

    file: str
    raw: bytes
    document: Document


class _Files:
    """Reads a file and its bases, each once, bases first. `brought` holds texts that are no files, and their names."""

    def __init__(self, brought: Mapping[str, tuple[bytes, str]] | None = None) -> None:
        self._brought = brought or {}
        self.problems: list[Problem] = []
        self.named = 0
        self._read: set[str] = set()

    def gather(self, path: FilePath) -> list[_Said]:
        """Every file that takes part, the one asked for last."""
        if str(path) not in self._brought and not path.exists():
            raise UsageError(f"{path}: no such file; `gate init MODEL_URI` writes a policy")
        said = self._gather(path, ())
        return said or []

    def _gather(self, path: FilePath, via: tuple[str, ...]) -> list[_Said]:
        real = os.path.realpath(path)
        if real in self._read:
            return []
        self._read.add(real)
        self.named += 1
        try:
            raw, name = self._brought.get(str(path)) or (_bytes(path), str(path))
        except OSError as wrong:
            self.problems.append(Problem(str(path), None, f"cannot be read: {wrong.strerror or wrong}"))
            return []
        document = read_document(raw, name)
        self.problems += document.problems
        if not isinstance(document.value, dict):
            if not document.problems:
                message = f"got {shown(document.value)}, allowed is a mapping that starts with policy: gate/v1"
                self.problems.append(Problem(name, 1, message))
            return []
        bases = [base for entry in self._bases(path, name, document, (*via, real)) for base in entry]
        return [*bases, _Said(name, raw, document)]

    def _bases(self, path: FilePath, file: str, document: Document, via: tuple[str, ...]) -> Iterator[list[_Said]]:
        named = document.value.get("extends")
        for index, name in enumerate(named if isinstance(named, list) else ()):
            base = FilePath(os.path.normpath(path.parent / str(name)))
            problem = _refused(name, base, via)
            if (
                problem is None
                and str(path) in self._brought
                and base.parent != FilePath(os.path.normpath(path.parent))
            ):
                problem = f"got {name!r}, allowed is the name of a policy of this server"  # its other files stay unread
            if problem is None:
                yield self._gather(base, via)
            elif problem:
                self.named += 1
                line = document.line_of(("extends", index))
                self.problems.append(Problem(file, line, f"extends[{index}]: {problem}"))


def _refused(name: Any, base: FilePath, via: Sequence[str]) -> str | None:
    """Why a base is not read: a sentence, the empty text if the models say it, None if it is."""
    if not isinstance(name, str) or not name:
        return ""
    if FilePath(name).is_absolute() or "://" in name:
        return f"got {name!r}, allowed is the path of a file relative to this one"
    real = os.path.realpath(base)
    if real in via:
        circle = " extends ".join(FilePath(file).name for file in (*via[via.index(real) :], real))
        return f"a circle: {circle}"
    if len(via) >= _MAX_CHAIN:
        return f"more than {_MAX_CHAIN} files deep"
    if not base.is_file():
        return f"no such file: {base}"
    return None


def _bytes(path: FilePath) -> bytes:
    """The file's bytes, at most one more than are allowed; only of a regular file, so that nothing blocks."""
    if not path.is_file():
        raise OSError(0, "not a file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


# --- the fields -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Level:
    """One file laid over its bases: the policy (None if its fields are wrong) and the checks that are right."""

    draft: Draft
    policy: Base | None
    checks: Mapping[str, Check]
    problems: list[Problem]


def _parse(draft: Draft, model: type[Base], *, whole: bool) -> _Level:
    """Read a draft. Unless it is `whole`, because something could not be read, nothing has to fit together yet."""
    problems: list[Problem] = []
    policy: Base | None = None
    try:
        policy = model.model_validate_json(json.dumps(draft.header))
    except ValidationError as error:
        for path, message in wordings(error, model, draft.header):
            problems.append(_problem(draft.place_of(path), message))
    checks: dict[str, Check] = {}
    for name in draft.checks:
        check = _check(draft, name, problems)
        if check is not None:
            checks[name] = check
    if policy is not None and whole and len(checks) == len(draft.checks):
        for misfit in misfits(policy, tuple(checks.values())):
            if misfit.check is None:
                where, place = spelled(misfit.path), draft.place_of(misfit.path)
            else:
                where = ".".join((misfit.check, *map(str, misfit.path)))
                place = draft.checks[misfit.check].place_of(misfit.path)
            problems.append(_problem(place, f"{where}: {misfit.message}"))
    return _Level(draft, policy, checks, problems)


def _check(draft: Draft, name: str, problems: list[Problem]) -> Check | None:
    said, kinds = draft.checks[name], policy_kinds()
    word = said.values.get("check")
    if "check" not in said.values:
        return None  # reported with the list
    if not isinstance(word, str):
        message = f"{name}.check: got {shown(word)}, allowed is the kind of the check, such as feature_drift"
        problems.append(_problem(said.place_of(("check",)), message))
        return None
    if word not in kinds:
        problems.append(_problem(said.place_of(("check",)), f"unknown check kind {word!r}; {meant(word, kinds)}"))
        return None
    kind = kinds[word]
    try:
        return kind.model_validate_json(json.dumps(said.values))
    except ValidationError as error:
        for path, message in wordings(error, kind, said.values, name):
            problems.append(_problem(said.place_of(path), message))
        return None


def _shape(one: _Said) -> Iterator[Problem]:
    """What is wrong with the list of checks as such, in one file."""
    entries = one.document.value.get("checks", [])
    if not isinstance(entries, list):
        message = f"checks: got {shown(entries)}, allowed is a list"
        yield Problem(one.file, one.document.line_of(("checks",)), message)
        return
    first: dict[str, int | None] = {}
    for index, entry in enumerate(entries):
        line = one.document.line_of(("checks", index))
        if not isinstance(entry, dict):
            message = f"checks[{index}]: got {shown(entry)}, allowed is a mapping such as {{check: schema_match}}"
            yield Problem(one.file, line, message)
            continue
        name = check_id(entry)
        if "check" not in entry:
            label = name or f"checks[{index}]"
            yield Problem(one.file, line, f"{label}: 'check' is missing: the kind of the check, such as feature_drift")
        if name is None:
            continue
        if name in first:
            message = f"a second check {name!r}; the first is on line {first[name]}. Give this one an id of its own"
            yield Problem(one.file, line, message)
        else:
            first[name] = line


# --- tightening -------------------------------------------------------------------------------------------------------


def _loosenings(below: _Level, level: _Level) -> Iterator[Problem]:
    """Everything that one file says less strictly than the files below it."""
    if below.policy is None or level.policy is None:
        return
    for loose in loosened_header(below.policy, level.policy):
        yield _loose(loose, "", level.draft.place_of(loose.path), below.draft.places.get(loose.path))
    for name, check in level.checks.items():
        base = below.checks.get(name)
        if base is None or level.draft.checks[name] is below.draft.checks.get(name):
            continue
        said, said_below = level.draft.checks[name], below.draft.checks[name]
        if base.kind != check.kind:
            message = f"{name}: {said_below.place.file} has a check of kind {base.kind} by this id; choose another id"
            yield _problem(said.place_of(("check",)), message)
            continue
        hint = "" if "id" in said.values else "; to check something beside it, give this one an id of its own"
        for loose in loosened(effective(base, below.policy), effective(check, level.policy)):
            if loose.path[0] in Defaults.model_fields and loose.path[0] not in said.values:
                continue  # it follows from looser defaults, which are reported where they stand
            problem = _loose(loose, name, said.place_of(loose.path), said_below.places.get(loose.path))
            yield Problem(problem.file, problem.line, problem.message + hint)


def _loose(loose: Loosening, name: str, place: Place, origin: Place | None) -> Problem:
    where = ".".join(filter(None, (name, spelled(loose.path))))
    source = f"{origin.file}:{origin.line}" if origin else "the base, by default,"
    got, base = _yaml(loose.override), _yaml(loose.base)
    if loose.order is SUPERSET and loose.base is None:
        base = "all of them"
    rule = f"it may only be {loose.order.words}" if loose.order else "it is fixed there"
    return _problem(place, f"{where}: got {got}, but {source} has {base}, and {rule}")


def _yaml(value: Any) -> str:
    """A value as short YAML, for a message."""
    match value:
        case str():
            return str(value)
        case None | bool() | int() | float():
            return shown(value)
        case _ if hasattr(value, "total_seconds"):
            return format_duration(value)
        case _ if hasattr(value, "model_dump"):
            return json.dumps(value.model_dump(mode="json", exclude_unset=True))
        case Mapping():
            return json.dumps(dict(value), default=_yaml)
        case Iterable():
            return json.dumps(list(value), default=_yaml)
        case _:
            return str(value)


# --- the result -------------------------------------------------------------------------------------------------------


def _problem(place: Place, message: str) -> Problem:
    return Problem(place.file, place.line, message)


def _first_causes(problems: Iterable[Problem], causes: Sequence[Problem]) -> list[Problem]:
    """Each problem once. Where a line could not be read in the first place, what follows from it says nothing new."""
    lines = {(cause.file, cause.line) for cause in causes}
    return [p for p in dict.fromkeys(problems) if p in causes or (p.file, p.line) not in lines]


def _digest(said: Sequence[_Said], policy: Base) -> str:
    """Digest the exact bytes of each file and what they come to: a changed default of gate is another policy too."""
    files = [hashlib.sha256(one.raw).hexdigest() for one in said]
    merged = policy.model_dump(mode="json")
    return "sha256:" + hashlib.sha256(rfc8785.dumps({"files": files, "merged": merged})).hexdigest()
