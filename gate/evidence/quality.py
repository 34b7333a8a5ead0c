"""Model quality on the labelled current rows: the candidate's, the champion's, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from gate.domain.dataset import Side
from gate.domain.evidence import Measured, Missing
from gate.domain.metrics import METRICS
from gate.domain.need import Quality
from gate.domain.part import NULL_GROUP, ClassLoss, Confusion, ErrorSums, ScoreBins, Split, Values
from gate.domain.scope import Roles
from gate.evidence.asking import Ask, Asking, Unanswerable, ask, ask_many
from gate.evidence.census import refuse_cut
from gate.evidence.columns import Setting
from gate.evidence.measurement import Answering, Groups, Measurement
from gate.statistics.confusion import examples, require_shared_classes, smaller_class
from gate.statistics.parts import ConfusionCounts, ErrorMoments, Part, ScoreCounts, SplitParts, ValueCounts
from gate.statistics.quality import Estimate, QualityPart, difference, estimate, increase

MOST_CLASSES = 10_000
"""Classes that a target may have: beyond, it is a number or a key."""

_POSITIVE = "data.columns.positive"

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
    classes = frozenset[str]()
    if METRICS[need.metric].task == "classification":
        classes = yield from _classes(source, setting)
    taking = _Taking(need, source, setting.scope.roles, classes)
    if need.by is None:
        parts = yield tuple(Ask(Side.CURRENT, request) for request in source.requests)
        return taking.measurement(parts, None)

    setting.require(need.by, sides=sides)
    reference = yield from ask(ValueCounts, Side.REFERENCE, Values(need.by))
    refuse_cut(need.by, Side.REFERENCE, reference)
    expected = {*reference.values.tolist(), *([NULL_GROUP] if reference.nulls else [])}
    split = Split(need.by)
    asks = tuple(Ask(Side.CURRENT, replace(request, split=split)) for request in source.requests)
    found = yield from ask_many(SplitParts, asks)
    names = expected.union(*(parts.groups for parts in found))
    members: list[tuple[str, Measurement | Missing]] = []
    for name in sorted(names):
        parts = tuple(split_parts.groups[name] for split_parts in found if name in split_parts.groups)
        if len(parts) < len(found):
            members.append((name, Missing(f"current has no rows where {need.by} is {name!r}")))
        else:
            members.append((name, taking.measurement(parts, name)))
    if not members:
        raise Unanswerable("no rows on either side")
    return Groups(tuple(members))


@dataclass(frozen=True)
class _Source:
    """Where the predictions are: what to ask for, and the columns that it reads.

    `requests` is one part, or two of the same kind (candidate, champion) for scores, which are those of one model.
    `named` are the classes that the metric takes from the policy, each with where the policy names it.
    """

    requests: tuple[Confusion | ScoreBins | ClassLoss | ErrorSums, ...]
    columns: tuple[str, ...]
    note: str = ""
    named: tuple[tuple[str, str], ...] = ()


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
        columns = _columns(target, roles.prediction, champion)
        of_positive = METRICS[need.metric].averages and need.average is None and roles.positive is not None
        named = ((str(roles.positive), _POSITIVE),) if of_positive else ()
        return _Source((Confusion(target, roles.prediction, champion),), columns, named=named)
    score = _named(roles.score, need, "data.columns.prediction, or score with positive")
    positive = _named(roles.positive, need, "data.columns.positive beside the score")
    champion = _champion(need, roles.champion_score)
    threshold = HALF if roles.threshold is None else roles.threshold
    request = Confusion(target, score, champion, positive, threshold)
    note = f"{positive!r} from {score} {threshold:g} on" + (" (the default)" if roles.threshold is None else "")
    return _Source((request,), _columns(target, score, champion), note, ((positive, _POSITIVE),))


def _scores(need: Quality, target: str, roles: Roles) -> _Source:
    if roles.score is None and roles.scores:
        if METRICS[need.metric].multiclass:
            if need.of != "candidate":
                raise Unanswerable(f"{need.metric} of several classes has no comparison with the champion")
            scores = tuple(sorted(roles.scores.items()))
            named = tuple((name, "data.columns.scores") for name, _ in scores)
            return _Source((ClassLoss(target, scores),), (target, *(column for _, column in scores)), named=named)
        raise Unanswerable(f"{need.metric} is for two classes: it needs data.columns.score and positive")
    score = _named(roles.score, need, "data.columns.score, the probability of the positive class")
    positive = _named(roles.positive, need, "data.columns.positive")
    champion = _champion(need, roles.champion_score)
    of = {"candidate": (score,), "champion": (champion,), "increase": (score, champion)}[need.of]
    columns = tuple(column for column in of if column is not None)
    requests = tuple(ScoreBins(target, positive, column) for column in columns)
    return _Source(requests, (target, *columns), named=((positive, _POSITIVE),))


def _classes(source: _Source, setting: Setting) -> Asking[frozenset[str]]:
    """The classes of the target on both sides; Unanswerable where those that count are not among the labelled rows.

    A class that the policy misspells would make every row "not positive", and one that nobody has labelled yet would
    be left out of the metric: either can only look better than it is.
    """
    target = source.requests[0].target
    sides = [side for side in (Side.CURRENT, Side.REFERENCE) if target in setting.schema(side)]
    counts = yield from ask_many(ValueCounts, (Ask(side, Values(target)) for side in sides))
    if any(side.is_cut for side in counts):
        counts = yield from ask_many(ValueCounts, (Ask(side, Values(target, MOST_CLASSES)) for side in sides))
    for side, values in zip(sides, counts, strict=True):
        refuse_cut(target, side, values)
    labelled, *before = (frozenset[str](values.values.tolist()) for values in counts)
    known = labelled.union(*before)
    rows = counts[0].total
    for name, where in source.named if known else ():
        if name not in known:
            raise Unanswerable(f"{where} names the class {name!r}, which {target} never has; its classes are "
                               f"{examples(known)}", rows=rows)  # fmt: skip
    if labelled and (lost := known - labelled):
        which = "class" if len(lost) == 1 else "classes"
        are = "is" if len(lost) == 1 else "are"
        raise Unanswerable(f"the {which} {examples(lost)} {are} in the reference but in none of the labelled current "
                           "rows", rows=rows)  # fmt: skip
    if before and setting.scope.roles.positive and (new := labelled - before[0]):
        raise Unanswerable(f"the labels have {examples(new)}, which the reference never had: with one positive class "
                           "any other spelling would count as not positive", rows=rows)  # fmt: skip
    return known


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


@dataclass(frozen=True)
class _Taking:
    """How the number is taken from its parts, the same way in every group. `classes` are those of the target."""

    need: Quality
    source: _Source
    roles: Roles
    classes: frozenset[str]

    def measurement(self, parts: tuple[Part, ...], group: str | None) -> Measurement:
        """The metric of all rows, or of one group."""
        need = self.need
        measured = tuple(part for part in parts if isinstance(part, get_args(QualityPart)))
        if len(measured) < len(parts):
            raise TypeError(f"expected parts of {need.metric}, got {[type(part).__name__ for part in parts]}")
        fields = {"metric": need.metric, "of": need.of, "relative": need.relative, "average": need.average,
                  "by": need.by, "group": group}  # fmt: skip
        return Measurement("ProfileQuality", fields, partial(self._take, measured))

    def _take(self, parts: tuple[QualityPart, ...]) -> Measured:
        need = self.need
        self._require_shared_classes(parts)
        of_one = partial(estimate, need.metric, positive=self.roles.positive, average=need.average)
        match parts:
            case (ScoreCounts() as candidate, ScoreCounts() as champion):
                sides = of_one(candidate), of_one(champion)
                result = difference(need.metric, *sides, relative=need.relative)
            case (ConfusionCounts() | ErrorMoments() as part,) if need.of == "increase":
                sides = of_one(part, of="candidate"), of_one(part, of="champion")
                result = increase(need.metric, part, positive=self.roles.positive, average=need.average,
                                  confidence=need.confidence, relative=need.relative)  # fmt: skip
            case (ConfusionCounts() | ErrorMoments() as part,) if need.of == "champion":
                return self._measured(of_one(part, of="champion", confidence=need.confidence), part)
            case (part,):
                return self._measured(of_one(part, confidence=need.confidence), part)
            case _:
                raise TypeError(f"expected one part or two score parts, got {len(parts)}")
        compared = {"candidate": sides[0].value, "champion": sides[1].value, "paired": True}
        return self._measured(result, parts[0], **compared)

    def _require_shared_classes(self, parts: tuple[QualityPart, ...]) -> None:
        for part in parts:
            if isinstance(part, ConfusionCounts):
                require_shared_classes(part, "candidate", self.classes)
                require_shared_classes(part, "champion", self.classes)

    def _measured(self, result: Estimate, part: QualityPart, **details: float | bool) -> Measured:
        method = f"{result.method}, {self.source.note}" if self.source.note else result.method
        smaller = self._smaller_class(part)
        sizes = {} if smaller is None else {"smaller_class": smaller}
        return Measured(result.value, result.rows, method, result.interval, result.bound,
                        details={"unlabelled": part.unlabelled, **sizes, **details})  # fmt: skip

    def _smaller_class(self, part: QualityPart) -> int | None:
        """Labelled rows of the smaller of two classes; None for a problem that has not two."""
        match part:
            case ScoreCounts():
                return int(min(part.positives.sum(), part.negatives.sum()))
            case ConfusionCounts():
                return smaller_class(part, self.source.named[0][0] if self.source.named else None)
            case _:
                return None
