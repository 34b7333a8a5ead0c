"""Requires the columns that the model was made for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from gate.checks.choosing import listed, nothing
from gate.checks.contract import Check
from gate.checks.storage import Family, declared, stored
from gate.checks.tighten import OFF
from gate.domain.columns import Column, Kind
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement, Status
from gate.domain.need import Need
from gate.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class _Expected:
    """A column that the current data should have: who says so, and what it should hold if that is known."""

    name: str
    by: str
    family: Family | None = None
    type: str = ""


class SchemaMatch(Check):
    """Requires that the current data has the columns of the reference and of the model's signature, types included.

    A missing column, a changed type (numbers, text, booleans, times) and, unless `allow_extra`, a column that nobody
    expects each fail and are named; if a missing column may have been renamed, the new name is proposed. Whole and
    decimal numbers may replace each other. The inputs of the signature must be in the reference too, and the columns
    that `data.columns` gives a role in current. Columns under `data.columns.ignore` are left out.

    Reads the schemas alone, no rows.

    Example:
        - {check: schema_match, allow_extra: true}
    """

    allow_extra: Annotated[bool, OFF] = False

    def needs(self, scope: Scope) -> tuple[Need, ...]:  # noqa: ARG002  # schemas are in the scope
        """Nothing: the scope has the schemas."""
        return ()

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:  # noqa: ARG002  # needs none
        """One for each column that is wrong, or one for all if none is."""
        expected = tuple(_expected(scope))
        if not expected or not scope.current.columns:
            empty = "current data has no columns" if expected else "reference has no columns and the model no signature"
            return nothing(f"there is nothing to compare: the {empty}", "point the policy at data with columns")
        extra = _extra(scope, expected)
        missing = tuple(column for column in expected if column.name not in scope.current)
        renamed = {column.name: _renamed(column, extra, only=len(missing) == 1) for column in missing}
        wrong = (*_wrong(scope, expected, renamed), *_against_signature(scope))
        if not self.allow_extra:
            wrong += tuple(_unexpected(column, column.name in renamed.values()) for column in extra)
        return wrong or (self._right(scope, expected, extra),)

    def _right(self, scope: Scope, expected: tuple[_Expected, ...], extra: tuple[Column, ...]) -> Judgement:
        source = "the reference and the model's signature" if scope.signature else "the reference"
        reason = f"the current data has every column of {source}, with its type ({len(expected)} in all)"
        if extra:
            reason += f"; beside them {listed(column.name for column in extra)}"
        opaque = [column.name for column in scope.current if column.kind is Kind.OTHER]
        if opaque:
            reason += f"; of a type that is not measured: {listed(opaque)}"
        return Judgement(Status.PASS, reason)


def _expected(scope: Scope) -> Iterator[_Expected]:
    """Every column that current should have, once; the reference speaks first, because it knows how it is stored."""
    roles = scope.roles
    of_champion = {roles.champion_prediction, roles.champion_score}  # whether they must be there is not for us to say
    seen = {*roles.ignore, *(name for name in of_champion if name), "model_version"}
    for column in scope.reference:
        if column.name not in seen:
            seen.add(column.name)
            yield _Expected(column.name, "the reference", stored(column), column.type)
    for declared_column in scope.signature.inputs if scope.signature else ():
        if declared_column.name not in seen and declared_column.required:
            seen.add(declared_column.name)
            yield _Expected(
                declared_column.name, "the model's signature", declared(declared_column.type), declared_column.type
            )
    named = {"target": roles.target, "prediction": roles.prediction, "score": roles.score,
             "timestamp": roles.timestamp, "key": roles.key}  # fmt: skip
    for role, name in (*named.items(), *(("scores", name) for name in roles.scores.values()),
                       *(("segments", name) for name in roles.segments)):  # fmt: skip
        if name is not None and name not in seen:
            seen.add(name)
            yield _Expected(name, f"data.columns.{role} of the policy")


def _extra(scope: Scope, expected: tuple[_Expected, ...]) -> tuple[Column, ...]:
    """Columns of current that nobody expects: neither a side, nor the signature, nor a role."""
    known = {column.name for column in expected} | scope.roles.not_features
    known |= {column.name for column in scope.signature.inputs} if scope.signature else set()
    return tuple(column for column in scope.current if column.name not in known)


def _wrong(scope: Scope, expected: tuple[_Expected, ...], renamed: Mapping[str, str | None]) -> Iterator[Judgement]:
    for column in expected:
        found = scope.current.find(column.name)
        if found is None:
            yield _absent(column, renamed[column.name])
        elif column.family is not None and stored(found) is not column.family:
            yield _retyped(column.name, column.by, column.family, column.type, found, "current data")


def _against_signature(scope: Scope) -> Iterator[Judgement]:
    """What the model declares, held against both sides; what is said already is not said again."""
    ignored = scope.roles.ignore
    for column in scope.signature.inputs if scope.signature else ():
        in_reference = scope.reference.find(column.name)
        if column.name in ignored:
            continue
        if in_reference is None and column.required:
            yield _fail(
                column.name, f"{column.name} is in the model's signature but not in the reference",
                "log the dataset that the model was trained on, with all its inputs, as the reference",
                f"{column.name}: add it to the reference",
            )  # fmt: skip
        family = declared(column.type)
        if in_reference is not None and family is not None and stored(in_reference) is not family:
            yield _retyped(column.name, "the model's signature", family, column.type, in_reference, "reference")


def _absent(column: _Expected, renamed: str | None) -> Judgement:
    proposal = f"; did you mean renamed to {renamed}?" if renamed else ""
    remedy = f"rename {renamed} back to {column.name}" if renamed else f"deliver {column.name} again"
    return _fail(
        column.name, f"{column.name} is missing from the current data; {column.by} has it{proposal}",
        f"{remedy}, or list it under data.columns.ignore if the model does not need it", f"{column.name}: {remedy}",
    )  # fmt: skip


def _retyped(name: str, by: str, family: Family, type_: str, found: Column, side: str) -> Judgement:
    return _fail(
        name, f"{name} holds {family} ({type_}) by {by}, but {stored(found)} ({found.type}) in the {side}",
        f"deliver {name} as {family}", f"{name}: deliver it as {family}",
    )  # fmt: skip


def _unexpected(column: Column, renamed: bool) -> Judgement:
    hint = ", perhaps a column that was renamed" if renamed else ""
    return _fail(
        column.name, f"{column.name} ({column.type}) is new in the current data{hint}; nobody expects it",
        f"remove {column.name}, list it under data.columns.ignore, or set allow_extra: true",
        f"{column.name}: remove it, or allow extra columns",
    )  # fmt: skip


def _fail(column: str, reason: str, remedy: str, flip: str) -> Judgement:
    return Judgement(Status.FAIL, reason, subject={"column": column}, remedy=remedy, flip=flip)


def _renamed(missing: _Expected, extra: tuple[Column, ...], *, only: bool) -> str | None:
    """The new column that the missing one may have become: of like type, and of like name or the only one of either."""
    alike = {_folded(column.name): column.name for column in extra if missing.family in (None, stored(column))}
    close = difflib.get_close_matches(_folded(missing.name), alike, n=1, cutoff=0.6)
    if close:
        return alike[close[0]]
    return next(iter(alike.values())) if only and len(alike) == len(extra) == 1 else None


def _folded(name: str) -> str:
    """A name without case and separators, which is what renames mostly change."""
    return "".join(char for char in name.casefold() if char.isalnum())
