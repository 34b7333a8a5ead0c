"""What the three drift checks share: a distance for each column, held against one limit."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from gate.checks.choosing import BOTH, cannot, quoted, unusable
from gate.checks.contract import Check
from gate.checks.judging import Wording, judge_number, percent
from gate.checks.tighten import LOWER
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.distances import METHODS, method_names
from gate.domain.evidence import Evidence, Measured, Reading
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope

_MEASURABLE = (Kind.NUMERIC, Kind.CATEGORICAL)


def _method(kind: Kind) -> Any:
    """The type of a field that names a distance for columns of `kind`."""
    allowed = method_names(kind)

    def known(name: str) -> str:
        if name not in allowed:
            close = difflib.get_close_matches(name, allowed, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"allowed are {', '.join(allowed)}"
            raise ValueError(f"unknown distance {name!r} for {kind} columns; {hint}")
        return name

    return AfterValidator(known), WithJsonSchema({"type": "string", "enum": list(allowed)})


_NUMERIC, _CATEGORICAL = _method(Kind.NUMERIC), _method(Kind.CATEGORICAL)


class Methods(BaseModel):
    """The distance for each kind of column; pinned, because the choice gives the number its meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    numeric: Annotated[str, *_NUMERIC] = "wasserstein"
    categorical: Annotated[str, *_CATEGORICAL] = "jensenshannon"


class DriftCheck(Check):
    """A distance between reference and current for each column, at most `max`."""

    max: Annotated[float, Field(ge=0), LOWER]
    method: Methods = Methods()
    bins: Literal["reference", "evidently"] = "reference"

    @property
    def limit(self) -> Limit:
        """At most `max`."""
        return Limit(max=self.max)

    def obstacle(self, column: str, scope: Scope) -> str | None:
        """Why the drift of `column` cannot be measured, or None if it can."""
        return unusable(column, scope, sides=BOTH, kinds=_MEASURABLE)

    def drift_need(self, column: str, scope: Scope) -> need.Drift:
        """The distance of one measurable column, by the method for its kind."""
        method = self.method.numeric if scope.kinds[column] is Kind.NUMERIC else self.method.categorical
        return need.Drift(self.limit, column, method, self.bins, self.confidence_in(scope))

    def drift_needs(self, columns: Sequence[str], scope: Scope) -> tuple[need.Drift, ...]:
        """The distances of all columns that can be measured."""
        return tuple(self.drift_need(column, scope) for column in columns if self.obstacle(column, scope) is None)

    def judge_drift(self, column: str, evidence: Evidence, scope: Scope, *, remedy: str) -> Judgement:
        """Hold the distance of one column against the limit."""
        obstacle = self.obstacle(column, scope)
        if obstacle is not None:
            return cannot(obstacle, {"column": column}, self.limit)
        wanted = self.drift_need(column, scope)
        method, reading = METHODS[wanted.method], evidence[wanted]
        wording = Wording(
            {"column": column},
            says=lambda shown: f"{column} moved {shown} {method.phrase}",
            remedy=remedy + _most_moved(reading),
            aim=lambda shown, limited: f"{column}: bring {method.title} from {shown} to {limited}",
        )
        return judge_number(
            reading, self.limit, wording, min_rows=self.min_rows_in(scope), confidence=self.confidence_in(scope)
        )


def _most_moved(reading: Reading) -> str:
    """The category whose share changed most, where the evidence names it."""
    details: Mapping[str, Any] = reading.details if isinstance(reading, Measured) else {}
    if not details.get("moved"):
        return ""
    name, before, now = details["moved"][0]
    return f" (most moved: {quoted(name)}, from {percent(before)} to {percent(now)} of rows)"
