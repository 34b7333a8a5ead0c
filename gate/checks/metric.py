"""Requires good enough predictions, in every segment."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from gate.checks.champion import skipped
from gate.checks.choosing import cannot
from gate.checks.contract import Check
from gate.checks.fields import Names, limit, require_order
from gate.checks.judging import Wording, judge_missing, judge_number, number, percent
from gate.checks.tighten import FIXED, FREE, HIGHER, LOWER, SUPERSET, Order
from gate.domain.evidence import Evidence, Grouped, Measured, Missing, Reading
from gate.domain.finding import Dimension, Judgement, Status
from gate.domain.metrics import METRICS, Metric, metric_names
from gate.domain.need import ANY, ChampionRecord, Limit, Need, Quality
from gate.domain.scope import Scope

FEWEST_OF_A_CLASS = 30
"""Labelled rows of the smaller of two classes below which what is measured on both says nothing."""

_ON_BOTH_CLASSES = frozenset({"balanced_accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc"})

Margin = float | Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,4}(\.[0-9]{1,4})?%$")]


def margin(written: Margin) -> tuple[float, bool]:
    """Read a margin: its size, and whether it is relative to the champion's value (`2%` is 0.02)."""
    if isinstance(written, str):
        return float(written.removesuffix("%")) / 100, True
    return float(written), False


def _smaller(base: Margin | None, override: Margin | None) -> bool:
    """A smaller margin is stricter; one that is relative and one that is not cannot be compared."""
    if base is None or override is None:
        return base is None
    (old, was_relative), (new, is_relative) = margin(base), margin(override)
    return was_relative == is_relative and new <= old


_MARGIN = Order("lowered, in the same unit", _smaller)


def _inherited(order: Order) -> Order:
    """The order of a field whose None is the value of the check itself, unknown here: only None is as strict."""

    def allows(base: Any, override: Any) -> bool:
        return base == override or (base is not None and order.allows(base, override))

    return Order(order.words, allows)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ChampionMargin(_Part):
    """How much worse than the champion the candidate may be; a negative margin asks it to be better."""

    max_increase: Annotated[Margin | None, _MARGIN] = None
    max_decrease: Annotated[Margin | None, _MARGIN] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.max_increase is None) == (self.max_decrease is None):
            got = "neither" if self.max_increase is None else "both"
            raise ValueError(f"got {got} of max_increase and max_decrease, allowed is exactly one")
        return self

    @property
    def relative(self) -> bool:
        """Whether the margin is a share of the champion's value."""
        return self._read[1]

    @property
    def limit(self) -> Limit:
        """Where candidate - champion has to lie."""
        size = self._read[0]
        return Limit(max=size) if self.max_increase is not None else Limit(min=-size)

    @property
    def _read(self) -> tuple[float, bool]:
        written = self.max_increase if self.max_increase is not None else self.max_decrease
        assert written is not None
        return margin(written)


class Versus(_Part):
    """Whom the candidate is compared with."""

    champion: ChampionMargin


class Segments(_Part):
    """The same metric in each group of rows; without `min` and `max` the limits of the check itself hold there."""

    by: Annotated[Names, SUPERSET]
    min_rows: Annotated[int | None, Field(ge=0), _inherited(HIGHER)] = None
    min: Annotated[float | None, _inherited(HIGHER)] = None
    max: Annotated[float | None, _inherited(LOWER)] = None


def _known(name: str) -> str:
    if name not in METRICS:
        close = difflib.get_close_matches(name, METRICS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"allowed are {', '.join(METRICS)}"
        raise ValueError(f"unknown metric {name!r}; {hint}")
    return name


MetricName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(metric_names())})]


class MetricCheck(Check):
    """Requires that a metric of the candidate, over the labelled current rows, keeps its limits.

    Metrics: `accuracy`, `balanced_accuracy`, `precision`, `recall`, `f1` (with `average` for more than two classes),
    `roc_auc`, `pr_auc`, `log_loss`, `brier`, `ece`; `mae`, `rmse`, `mape`, `bias`, `r2`. Limits: `max` for what is
    better small, `min` for what is better big, both for `bias`. `warn_above` and `warn_below` warn inside the limits.

    `versus` compares with the champion, on the same rows where its predictions are there: a margin is a number in the
    unit of the metric, or a share of the champion's value such as 2%. `segments` holds each group of rows to the
    limits; a group that the reference has and current lacks, or that is too small, is insufficient and never left out.

    Judged on the interval where one is known (accuracy, precision, recall, mae, bias, binary roc_auc), else on the
    value. Below `min_rows` labelled rows it is not judged; nor are `f1`, `precision`, `recall`, `balanced_accuracy`,
    `roc_auc` and `pr_auc` of two classes with fewer than 30 of either, unless `min_rows` is below 30 too.

    Example:
        - id: error
          check: metric
          metric: mae
          max: 60
          warn_above: 50
          versus: {champion: {max_increase: 2%}}
          segments: {by: [season], min_rows: 200, max: 80}
          severity: blocker
    """

    kind_dimension = Dimension.TECHNICAL

    metric: MetricName
    min: Annotated[float | None, HIGHER] = None
    max: Annotated[float | None, LOWER] = None
    warn_above: Annotated[float | None, FREE] = None
    warn_below: Annotated[float | None, FREE] = None
    average: Annotated[Literal["macro", "micro", "weighted"] | None, FIXED] = None
    versus: Versus | None = None
    segments: Segments | None = None

    @model_validator(mode="after")
    def _decides_something(self) -> Self:
        measure = METRICS[self.metric]
        if self.min is None and self.max is None and self.versus is None and self.segments is None:
            raise ValueError("min, max, versus and segments are missing; nothing could fail")
        _require_sense(measure, self.min, self.max, "")
        if self.segments is not None:
            _require_sense(measure, self.segments.min, self.segments.max, "segments.")
            if self._in_segments == ANY:
                raise ValueError("segments: min and max are missing, here and in the check; no segment could fail")
        if self.average is not None and not measure.averages:
            raise ValueError(f"average: {self.metric} is one number however many classes there are; remove it")
        if self.versus is not None:
            _require_harm(measure, self.versus.champion)
        return self

    @property
    def _limit(self) -> Limit:
        return limit(self.min, self.max)

    @property
    def _in_segments(self) -> Limit:
        """The limits of the segments: their own, else those of the check."""
        assert self.segments is not None
        own = limit(self.segments.min, self.segments.max)
        return self._limit if own == ANY else own

    def needs(self, scope: Scope) -> tuple[Need, ...]:
        """The value, the increase over the champion's, and the values in the segments, as far as they are limited."""
        wanted: list[Need] = [] if self._limit == ANY else [self._value(scope)]
        if self.versus is not None:
            wanted += [ChampionRecord(ANY), self._increase(self.versus.champion, scope)]
        return (*wanted, *(self._by(column, scope) for column in self._segment_columns if column in scope.current))

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for the value, one for the comparison, one for each segment."""
        return (*self._valued(evidence, scope), *self._compared(evidence, scope), *self._segmented(evidence, scope))

    @property
    def _segment_columns(self) -> tuple[str, ...]:
        return self.segments.by if self.segments else ()

    def _value(self, scope: Scope) -> Quality:
        return Quality(self._limit, self.metric, average=self.average, confidence=self.confidence_in(scope))

    def _increase(self, allowed: ChampionMargin, scope: Scope) -> Quality:
        return Quality(allowed.limit, self.metric, of="increase", relative=allowed.relative, average=self.average,
                       confidence=self.confidence_in(scope))  # fmt: skip

    def _by(self, column: str, scope: Scope) -> Quality:
        return Quality(self._in_segments, self.metric, average=self.average, by=column,
                       confidence=self.confidence_in(scope))  # fmt: skip

    # --- the value ----------------------------------------------------------------------------------------------------

    def _valued(self, evidence: Evidence, scope: Scope) -> Iterator[Judgement]:
        if self._limit == ANY:
            return
        min_rows = self.min_rows_in(scope)
        yield judge_number(
            self._of_both_classes(evidence[self._value(scope)], min_rows), self._limit, self._wording({}, ""),
            warn=limit(self.warn_below, self.warn_above), min_rows=min_rows, confidence=self.confidence_in(scope),
        )  # fmt: skip

    def _of_both_classes(self, reading: Reading, min_rows: int) -> Reading:
        """Refuse what rests on a few rows of the rarer of two classes, however many there are of the other.

        A policy that asks for no rows is asked for none of a class either.
        """
        if self.metric not in _ON_BOTH_CLASSES or min_rows < FEWEST_OF_A_CLASS:
            return reading
        if not isinstance(reading, Measured) or reading.rows < min_rows:
            return reading
        found = reading.details.get("smaller_class")
        if found is None or found >= FEWEST_OF_A_CLASS:
            return reading
        lacking = FEWEST_OF_A_CLASS - found
        return Missing(f"{METRICS[self.metric].title} rests on {found:,} labelled rows of the smaller class; "
                       f"{FEWEST_OF_A_CLASS} are needed, {lacking} more", rows=reading.rows,
                       rows_missing=lacking)  # fmt: skip

    def _wording(self, subject: dict[str, str], where: str) -> Wording:
        title = METRICS[self.metric].title
        return Wording(
            subject,
            says=lambda shown: f"{title} is {shown}{where}",
            remedy=f"look at the rows where the model is worst{where}, and improve the model or its data",
            aim=lambda shown, limited: f"{self.name}: bring {title}{where} from {shown} to {limited}",
            rows="labelled rows",
        )

    # --- the champion -------------------------------------------------------------------------------------------------

    def _compared(self, evidence: Evidence, scope: Scope) -> Iterator[Judgement]:
        if self.versus is None:
            return
        subject, allowed = {"versus": "champion"}, self.versus.champion
        match evidence[ChampionRecord(ANY)]:
            case Missing(broken=False) as missing if scope.champion_when_missing == "skip":
                yield skipped(missing, subject)
            case Missing() as missing:
                yield judge_missing(missing, subject, allowed.limit)
            case _:
                reading = self._of_both_classes(evidence[self._increase(allowed, scope)], self.min_rows_in(scope))
                yield judge_number(
                    reading, allowed.limit, self._versus_wording(subject, allowed, reading),
                    min_rows=self.min_rows_in(scope), confidence=self.confidence_in(scope),
                )  # fmt: skip

    def _versus_wording(self, subject: dict[str, str], allowed: ChampionMargin, reading: Reading) -> Wording:
        title = METRICS[self.metric].title
        show = _signed_percent if allowed.relative else _signed
        return Wording(
            subject,
            says=lambda shown: f"{title} differs from the champion's by {shown}{_sides(reading)}",
            remedy="keep the champion, or improve the candidate",
            aim=lambda shown, limited: f"{self.name}: bring the difference to the champion from {shown} to {limited}",
            show=show,
            rows="labelled rows",
        )

    # --- the segments -------------------------------------------------------------------------------------------------

    def _segmented(self, evidence: Evidence, scope: Scope) -> Iterator[Judgement]:
        for column in self._segment_columns:
            subject = {"segment": column}
            if column not in scope.current:
                yield cannot(f"segments by {column}: it is absent from the current data", subject, self._in_segments)
                continue
            match evidence[self._by(column, scope)]:
                case Grouped(readings=readings) if readings:
                    for group, reading in readings:
                        yield self._segment(f"{column}={group}", reading, scope)
                case Grouped():
                    yield cannot(f"segments by {column}: there are none", subject, self._in_segments)
                case Missing() as missing:
                    yield judge_missing(missing, subject, self._in_segments)
                case other:
                    reason = f"expected segments by {column}, got {type(other).__name__}: this is a bug in gate"
                    yield Judgement(Status.ERROR, reason, subject=subject, limit=self._in_segments)

    def _segment(self, segment: str, reading: Measured | Missing, scope: Scope) -> Judgement:
        assert self.segments is not None
        min_rows = self.min_rows_in(scope) if self.segments.min_rows is None else self.segments.min_rows
        return judge_number(
            self._of_both_classes(reading, min_rows), self._in_segments,
            self._wording({"segment": segment}, f" where {segment}"), min_rows=min_rows,
            confidence=self.confidence_in(scope),
        )  # fmt: skip


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


def _signed_percent(value: float) -> str:
    return f"+{percent(value)}" if value > 0 else percent(value)


def _sides(reading: Reading) -> str:
    """The two values that are compared, and whether on the same rows, as far as the evidence says."""
    details: Any = reading.details if isinstance(reading, Measured) else {}
    ours, theirs = details.get("candidate"), details.get("champion")
    if not isinstance(ours, int | float) or not isinstance(theirs, int | float):
        return ""
    rows = ", same rows" if details.get("paired") else ", different rows"
    return f" ({number(ours)} against {number(theirs)}{rows})"


def _require_sense(measure: Metric, least: float | None, most: float | None, where: str) -> None:
    """Refuse limits that can never fail, or that fail what is good."""
    require_order(least=least, most=most)
    if least is None and most is None:
        return
    if measure.bigger_is_better is None and (least is None or most is None):
        raise ValueError(f"{where}min and {where}max are both needed: {measure.name} is bad in either direction")
    if measure.bigger_is_better is True and least is None:
        raise ValueError(f"{where}min is missing: {measure.name} is better when it is bigger")
    if measure.bigger_is_better is False and most is None:
        raise ValueError(f"{where}max is missing: {measure.name} is better when it is smaller")
    for edge, name in ((least, "min"), (most, "max")):
        low, high = measure.low, measure.high
        if edge is not None and ((low is not None and edge < low) or (high is not None and edge > high)):
            span = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
            raise ValueError(f"{where}{name}: got {edge:g}, but {measure.name} goes from {span}")


def _require_harm(measure: Metric, allowed: ChampionMargin) -> None:
    """Refuse a margin on the side that does no harm: nothing could fail."""
    if measure.bigger_is_better is None:
        raise ValueError(f"versus: {measure.name} is bad in either direction; compare an error such as mae instead")
    harm = "max_decrease" if measure.bigger_is_better else "max_increase"
    if getattr(allowed, harm) is None:
        way = "bigger" if measure.bigger_is_better else "smaller"
        raise ValueError(f"versus.champion: {measure.name} is better when it is {way}; limit it with {harm}")
