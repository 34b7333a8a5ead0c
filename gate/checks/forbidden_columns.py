"""Keeps out forbidden columns and personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import Field, model_validator

from gate.checks.choosing import cannot, listed, nothing
from gate.checks.contract import Check, Name, Share
from gate.checks.fields import Names, Pattern
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.patterns import BUILT_IN
from gate.checks.storage import Family, stored
from gate.checks.tighten import LOWER, SUPERSET
from gate.domain import need
from gate.domain.evidence import Evidence, Reading
from gate.domain.finding import Dimension, Judgement, Status
from gate.domain.need import Limit
from gate.domain.scope import Scope


class ForbiddenColumns(Check):
    """Requires that no column has a forbidden name, and that text columns hold no values of a forbidden pattern.

    `names` are globs, compared without case with the columns of both sides and the inputs of the model's signature.
    `patterns` are RE2 expressions, looked for anywhere in the values of the current text columns; `email`, `phone` and
    `iban` may be left null, which takes the built-in pattern. At most a share `max_share` of the values of a column may
    match. Values are never shown. Judged on the count. Without `columns`, patterns are looked for in all text columns,
    ignored ones too.

    Example:
        - check: forbidden_columns
          names: [ssn, "*_password", "birth?date"]
          patterns: {email: null, iban: null, staff_number: "EMP-[0-9]{6}"}
    """

    kind_dimension = Dimension.RISK

    names: Annotated[tuple[Name, ...], Field(strict=False, max_length=1000), SUPERSET] = ()
    patterns: Annotated[Mapping[Name, Pattern | None], SUPERSET] = {}
    max_share: Annotated[Share, LOWER] = 0.0
    columns: Annotated[Names | None, SUPERSET] = None

    @model_validator(mode="after")
    def _forbids_something(self) -> Self:
        if not self.names and not self.patterns:
            raise ValueError("names and patterns are missing; nothing would be forbidden")
        for name, pattern in self.patterns.items():
            if pattern is None and name not in BUILT_IN:
                raise ValueError(f"patterns.{name}: got null, allowed is an RE2 regular expression; "
                                 f"only {', '.join(BUILT_IN)} are built in")  # fmt: skip
        return self

    def needs(self, scope: Scope) -> tuple[need.PatternShare, ...]:
        """The share of values that match, for each text column and pattern."""
        return tuple(
            self._need(column, name)
            for column in self._text_columns(scope) if _obstacle(column, scope) is None
            for name in self.patterns
        )  # fmt: skip

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each forbidden name that was found, and one for each text column and pattern."""
        return (*self._named(scope), *self._matched(evidence, scope))

    def _named(self, scope: Scope) -> Iterator[Judgement]:
        if not self.names:
            return
        places = _places(scope)
        if not places:
            yield from nothing("there is no column whose name could be looked at")
            return
        found = [(column, glob) for column in places if (glob := self._glob(column)) is not None]
        for column, glob in found:
            yield Judgement(
                Status.FAIL, f"{column} is a forbidden name ({glob}) and is in {listed(places[column])}",
                subject={"column": column}, remedy=f"remove {column} from the data and from the model's inputs",
                flip=f"{column}: remove it",
            )  # fmt: skip
        if not found:
            yield Judgement(Status.PASS, f"none of {len(places)} columns has a forbidden name ({listed(self.names)})")

    def _glob(self, column: str) -> str | None:
        return next((glob for glob in self.names if fnmatchcase(column.casefold(), glob.casefold())), None)

    def _matched(self, evidence: Evidence, scope: Scope) -> Iterator[Judgement]:
        if not self.patterns:
            return
        columns = self._text_columns(scope)
        for name in self.patterns:
            if not columns and scope.current.columns:
                reason = f"there is no text column in the current data that could hold {name}"
                yield Judgement(Status.PASS, reason, subject={"pattern": name})
            elif not columns:
                yield cannot(f"the current data has no columns to look for {name} in", {"pattern": name})
        for column in columns:
            obstacle = _obstacle(column, scope)
            for name in self.patterns:
                subject, limit = {"column": column, "pattern": name}, Limit(max=self.max_share)
                if obstacle is not None:
                    yield cannot(obstacle, subject, limit)
                else:
                    yield _judged(column, name, evidence[self._need(column, name)], limit)

    def _text_columns(self, scope: Scope) -> tuple[str, ...]:
        if not self.patterns:
            return ()
        return self.columns or tuple(column.name for column in scope.current if stored(column) is Family.TEXT)

    def _need(self, column: str, name: str) -> need.PatternShare:
        return need.PatternShare(Limit(max=self.max_share), column, self.patterns[name] or BUILT_IN[name])


def _places(scope: Scope) -> dict[str, list[str]]:
    """Where each column is: on which side, or in the signature."""
    declared = [column.name for column in scope.signature.inputs] if scope.signature else []
    sources = {"the reference": scope.reference.names, "the current data": scope.current.names,
               "the model's signature": declared}  # fmt: skip
    places: dict[str, list[str]] = {}
    for place, names in sources.items():
        for name in names:
            places.setdefault(name, []).append(place)
    return places


def _obstacle(column: str, scope: Scope) -> str | None:
    found = scope.current.find(column)
    if found is None:
        return f"column {column} is absent from the current data"
    return None if stored(found) is Family.TEXT else f"column {column} holds {stored(found)}, no text to look into"


def _judged(column: str, name: str, reading: Reading, limit: Limit) -> Judgement:
    wording = Wording(
        {"column": column, "pattern": name},
        says=lambda shown: f"{column} looks like {name} in {shown} of its values",
        remedy=f"remove or mask what looks like {name} in {column}",
        aim=lambda shown, limited: f"{column}: bring the values that look like {name} from {shown} to {limited}",
        show=percent,
    )
    return judge_number(reading, limit, wording)
