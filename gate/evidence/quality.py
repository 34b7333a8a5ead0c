"""Model quality on the labelled current rows: the candidate's, the champion's, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.metrics import METRICS
from gate.domain.need import Quality
from gate.domain.part import ClassLoss, Confusion, ErrorSums, ScoreBins, Split, Values
from gate.domain.scope import Roles
from gate.evidence.asking import Ask, Unanswerable, ask, ask_many
from gate.evidence.census import refuse_cut
from gate.evidence.columns import Setting
from gate.evidence.measurement import Answering, Groups, Measurement
from gate.statistics.parts import ConfusionCounts, ErrorMoments, Part, ScoreCounts, SplitParts, ValueCounts
from gate.statistics.quality import Estimate, QualityPart, difference, estimate, increase

HALF = 0.5
"""The score from which on a class is predicted when the policy names neither predictions nor a threshold."""

_NO_CHAMPION = (
    "the champion's predictions are not known: put them beside the candidate's, on the same rows, and name their "
    "column under champion.predictions in the policy"
)


def quality(need: Quality, setting: Setting) -> Answering:
    """Measure a metric, or the increase of one over the champion on the same rows; by group where asked."""
    if need.metric not in METRICS:
        raise Unanswerable(f"there is no metric {need.metric!r}")
    source = _source(need, setting.scope.roles)
    sides = (Side.CURRENT,) if need.by is None else (Side.REFERENCE, Side.CURRENT)
    setting.require(*source.columns)
    if need.by is None:
        parts = yield tuple(Ask(Side.CURRENT, request) for request in source.requests)
        return _measurement(need, source, setting, parts, None)

    setting.require(need.by, sides=sides)
    expected = yield from ask(ValueCounts, Side.REFERENCE, Values(need.by))
    refuse_cut(need.by, Side.REFERENCE, expected)
    split = Split(need.by)
    asks = tuple(Ask(Side.CURRENT, replace(request, split=split)) for request in source.requests)
    found = yield from ask_many(SplitParts, asks)
    names = set(expected.values.tolist()).union(*(parts.groups for parts in found))
    members: list[tuple[str, Measurement | Missing]] = []
    for name in sorted(names):
        parts = tuple(split_parts.groups[name] for split_parts in found if name in split_parts.groups)
        if len(parts) < len(found):
            members.append((name, Missing(f"current has no rows where {need.by} is {name!r}")))
        else:
            members.append((name, _measurement(need, source, setting, parts, name)))
    if not members:
        raise Unanswerable(f"{need.by} is null in all rows of both sides")
    return Groups(tuple(members))


@dataclass(frozen=True)
class _Source:
    """Where the predictions are: what to ask for, and the columns that it reads.

    `requests` is one part, or two of the same kind (candidate, champion) for scores, which are those of one model.
    """

    requests: tuple[Confusion | ScoreBins | ClassLoss | ErrorSums, ...]
    columns: tuple[str, ...]
    note: str = ""


def _source(need: Quality, roles: Roles) -> _Source:
    """Choose the part that the metric is computed from, and the columns that the policy names for it."""
    if roles.target is None:
        raise Unanswerable(f"{need.metric} needs a target column (data.columns.target), and the policy names none")
    match METRICS[need.metric].part:
        case "errors":
            return _errors(need, roles.target, roles)
        case "confusion":
            return _confusion(need, roles.target, roles)
        case "scores":
            return _scores(need, roles.target, roles)


def _errors(need: Quality, target: str, roles: Roles) -> _Source:
    prediction = _named(roles.prediction, need, "data.columns.prediction")
    champion = _champion(need, roles.champion_prediction)
    return _Source((ErrorSums(target, prediction, champion),), _columns(target, prediction, champion))


def _confusion(need: Quality, target: str, roles: Roles) -> _Source:
    """Labels as predicted, else scores cut at the threshold. Both models are read in the same way."""
    if roles.prediction is not None:
        champion = _champion(need, roles.champion_prediction)
        return _Source((Confusion(target, roles.prediction, champion),), _columns(target, roles.prediction, champion))
    score = _named(roles.score, need, "data.columns.prediction, or score with positive")
    positive = _named(roles.positive, need, "data.columns.positive beside the score")
    champion = _champion(need, roles.champion_score)
    threshold = HALF if roles.threshold is None else roles.threshold
    request = Confusion(target, score, champion, positive, threshold)
    note = f"{positive!r} from {score} {threshold:g} on" + (" (the default)" if roles.threshold is None else "")
    return _Source((request,), _columns(target, score, champion), note)


def _scores(need: Quality, target: str, roles: Roles) -> _Source:
    if roles.score is None and roles.scores:
        if METRICS[need.metric].multiclass:
            if need.of != "candidate":
                raise Unanswerable(f"{need.metric} of several classes has no comparison with the champion")
            scores = tuple(sorted(roles.scores.items()))
            return _Source((ClassLoss(target, scores),), (target, *(column for _, column in scores)))
        raise Unanswerable(f"{need.metric} is for two classes: it needs data.columns.score and positive")
    score = _named(roles.score, need, "data.columns.score, the probability of the positive class")
    positive = _named(roles.positive, need, "data.columns.positive")
    champion = _champion(need, roles.champion_score)
    of = {"candidate": (score,), "champion": (champion,), "increase": (score, champion)}[need.of]
    columns = tuple(column for column in of if column is not None)
    return _Source(tuple(ScoreBins(target, positive, column) for column in columns), (target, *columns))


def _named(column: str | None, need: Quality, key: str) -> str:
    if column is None:
        raise Unanswerable(f"{need.metric} needs {key}, which the policy does not name")
    return column


def _champion(need: Quality, column: str | None) -> str | None:
    """The champion's column if it is asked for."""
    if need.of == "candidate":
        return None
    if column is None:
        raise Unanswerable(_NO_CHAMPION)
    return column


def _columns(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name is not None)


def _measurement(
    need: Quality, source: _Source, setting: Setting, parts: tuple[Part, ...], group: str | None
) -> Measurement:
    measured = [part for part in parts if isinstance(part, get_args(QualityPart))]
    if len(measured) < len(parts):
        raise TypeError(f"expected parts of {need.metric}, got {[type(part).__name__ for part in parts]}")
    fields = {"metric": need.metric, "of": need.of, "relative": need.relative, "average": need.average, "by": need.by,
              "group": group}  # fmt: skip
    return Measurement(
        "ProfileQuality", fields, partial(_take, need, source.note, setting.scope.roles, tuple(measured))
    )


def _take(need: Quality, note: str, roles: Roles, parts: tuple[QualityPart, ...]) -> Measured:
    of_one = partial(estimate, need.metric, positive=roles.positive, average=need.average)
    match parts:
        case (ScoreCounts() as candidate, ScoreCounts() as champion):
            sides = of_one(candidate), of_one(champion)
            result = difference(need.metric, *sides, relative=need.relative)
        case (ConfusionCounts() | ErrorMoments() as part,) if need.of == "increase":
            sides = of_one(part, of="candidate"), of_one(part, of="champion")
            result = increase(need.metric, part, positive=roles.positive, average=need.average,
                              confidence=need.confidence, relative=need.relative)  # fmt: skip
        case (ConfusionCounts() | ErrorMoments() as part,) if need.of == "champion":
            return _measured(of_one(part, of="champion", confidence=need.confidence), part, note)
        case (part,):
            return _measured(of_one(part, confidence=need.confidence), part, note)
        case _:
            raise TypeError(f"expected one part or two score parts, got {len(parts)}")
    compared = {"candidate": sides[0].value, "champion": sides[1].value, "paired": True}
    return _measured(result, parts[0], note, **compared)


def _measured(result: Estimate, part: QualityPart, note: str, **details: float | bool) -> Measured:
    method = f"{result.method}, {note}" if note else result.method
    return Measured(result.value, result.rows, method, result.interval, result.bound,
                    details={"unlabelled": part.unlabelled, **details})  # fmt: skip
