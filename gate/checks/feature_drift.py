"""Limits how far the model's inputs have moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from gate.checks.choosing import nothing, of_kind
from gate.checks.drift import DriftCheck
from gate.checks.fields import Names
from gate.checks.judging import percent
from gate.checks.tighten import FIXED, Order
from gate.domain import need
from gate.domain.columns import Kind
from gate.domain.evidence import Evidence
from gate.domain.finding import Judgement, Status
from gate.domain.need import Limit
from gate.domain.scope import Scope

_REMEDY = "find out what changed at the source of {column}, or train on data like that of today"
# Without a share every drifted column fails, which is the strictest of all.
_SHARE = Order(
    "lowered or left out", lambda base, override: override is None or (base is not None and override <= base)
)


class FeatureDrift(DriftCheck):
    """Requires that each feature moved at most `max` between reference and current, by a distance of its kind.

    Distances are pinned, bigger is worse: `wasserstein` in standard deviations of the reference, `jensenshannon`,
    `psi`, `kl`, `hellinger`, `ks` (the D statistic), `tvd`, `cramers_v`. Binned distances of numbers take their bins
    from quantiles of the reference; `bins: evidently` takes Evidently's, which one far outlier blinds.

    Every column over the limit fails. With `max_drifted_share` it warns, and the share of drifted columns decides: pass
    if it holds with every undecided column counted as drifted, fail if it is exceeded counting none of them. Without
    `columns`: all numeric and categorical features. Below `min_rows` rows a column is not judged.

    Example:
        - check: feature_drift
          max: 0.1
          method: {numeric: wasserstein, categorical: jensenshannon}
          columns: [temp, hum, weathersit]
          max_drifted_share: 0.34
    """

    # More columns would dilute the share of drifted ones, fewer would hide one: only the same list is as strict.
    columns: Annotated[Names | None, FIXED] = None
    # Below 1: a share that all may exceed together would be no limit.
    max_drifted_share: Annotated[Annotated[float, Field(ge=0, lt=1)] | None, _SHARE] = None

    def columns_in(self, scope: Scope) -> tuple[str, ...]:
        """The columns that are judged."""
        return self.columns or of_kind(scope.features, scope, Kind.NUMERIC, Kind.CATEGORICAL)

    def needs(self, scope: Scope) -> tuple[need.Drift, ...]:
        """The distance of each column."""
        return self.drift_needs(self.columns_in(scope), scope)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """One for each column, and one for the share of drifted ones if that is what decides."""
        columns = self.columns_in(scope)
        if not columns:
            return nothing("there is no feature whose drift could be measured", "list the columns of feature_drift")
        judged = tuple(
            self.judge_drift(column, evidence, scope, remedy=_REMEDY.format(column=column)) for column in columns
        )
        if self.max_drifted_share is None:
            return judged
        return (_share(judged, self.max_drifted_share), *map(_advisory, judged))


def _advisory(judgement: Judgement) -> Judgement:
    """The share decides, so a column that drifted or cannot be judged only warns. What broke stays broken."""
    if judgement.status is Status.FAIL:
        return replace(judgement, status=Status.WARN, reason=f"{judgement.reason}; the share of such columns decides")
    if judgement.status is Status.INSUFFICIENT:
        return replace(judgement, status=Status.WARN, reason=f"{judgement.reason}; counted as drifted in the share")
    return judgement


def _share(judged: tuple[Judgement, ...], most: float) -> Judgement:
    """Hold the share of drifted columns against its limit, with the undecided columns counted either way."""
    total = len(judged)
    drifted = sum(one.status is Status.FAIL for one in judged)
    undecided = sum(one.status in (Status.INSUFFICIENT, Status.ERROR) for one in judged)
    least, worst = drifted / total, (drifted + undecided) / total
    open_ = f" and {undecided} cannot be judged" if undecided else ""
    reason = f"{drifted} of {total} columns drifted ({percent(least)}){open_}, limit at most {percent(most)}"
    remedy, flip = "", ""
    if worst <= most:
        status = Status.PASS
    elif least > most:
        status = Status.FAIL
        remedy = "find out what changed at the source of these columns, or train on data like that of today"
        flip = f"bring the drifted columns from {drifted} of {total} to at most {int(most * total)}"
    else:
        status = Status.INSUFFICIENT
        reason += f"; with those counted as drifted it is {percent(worst)}"
        remedy = flip = "make the columns that cannot be judged measurable"
    return Judgement(
        status, reason, measured=least, limit=Limit(max=most), method="share of columns", remedy=remedy, flip=flip,
        details={"drifted": drifted, "undecided": undecided, "columns": total},
    )  # fmt: skip
