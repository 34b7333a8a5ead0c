"""Sums over labelled rows: confusions, score bins, class losses, errors. A row whose target is null is unlabelled."""

from __future__ import annotations

import numpy as np
from sqlglot import exp

from gate.datasets.parts.answering import Arrays, Rows, Unanswered, by_group, group_of, is_null, plain
from gate.datasets.storage import canonical, key, number, text
from gate.datasets.template import double, fill, string, whole
from gate.domain.part import ClassLoss, Confusion, ErrorSums, ScoreBins, Split
from gate.statistics.parts import ConfusionCounts, ErrorMoments, LossSums, Part, ScoreCounts, SplitParts

MOST_PAIRS = 100_000
"""Combinations of target and prediction that a confusion may have: beyond, the target is a number and no class."""

_FLOOR = repr(2.0**-52)  # of a probability before its logarithm: as scikit-learn floors those of doubles
_UNLABELLED, _INVALID, _VALID = -2, -1, 0


def _group(rows: Rows, split: Split | None) -> tuple[exp.Expr, tuple[str, ...]]:
    """The expression that groups are told apart by (one single group without a Split), and its column."""
    if split is None:
        return string(""), ()
    return group_of(rows, split), (split.column,)


# --- confusion -------------------------------------------------------------------------------------------------------

_CONFUSION = """
SELECT g, $target_text AS t, $prediction_text AS p, $champion_text AS c, n FROM (
  SELECT g, t, CASE WHEN t IS NOT NULL THEN p END AS p, CASE WHEN t IS NOT NULL THEN c END AS c, COUNT(*) AS n
  FROM (SELECT $g AS g, $target AS t, $prediction AS p, $champion AS c FROM data) GROUP BY ALL)
ORDER BY ALL LIMIT $most
"""
# A score that is no number, or infinite, is no prediction: NaN is above every threshold to the engine.
_BY_THRESHOLD = "CASE WHEN ABS($s) <= 1.7976931348623157e308 THEN CASE WHEN $s >= $at THEN $positive ELSE '' END END"


def count_confusion(rows: Rows, request: Confusion) -> ConfusionCounts | SplitParts:
    """Count (target, prediction[, champion]) over labelled rows."""
    target = rows.column(request.target)
    prediction, prediction_text = _predicted(rows, request, request.prediction, "p")
    holes = {"target": key(target), "target_text": text(target, exp.column("t"))}
    holes |= {"prediction": prediction, "prediction_text": prediction_text}
    holes |= {"champion": exp.Null(), "champion_text": exp.Null()}
    columns = [request.target, request.prediction]
    if request.champion is not None:
        columns.append(request.champion)
        holes["champion"], holes["champion_text"] = _predicted(rows, request, request.champion, "c")
    holes["g"], more = _group(rows, request.split)
    statement = rows.select(_CONFUSION, (*columns, *more), **holes, most=whole(MOST_PAIRS + 1))
    arrays = rows.fetch(statement)
    if len(arrays["n"]) > MOST_PAIRS:
        raise Unanswered(
            f"columns {request.target!r} and {request.prediction!r} have more than {MOST_PAIRS:,} combinations, "
            "too many for classes"
        )

    def make(some: Arrays) -> ConfusionCounts:
        n = plain(some["n"]).astype(np.int64)
        unlabelled = is_null(some["t"])
        unpredicted = ~unlabelled & is_null(some["p"])
        if request.champion is not None:
            unpredicted |= ~unlabelled & is_null(some["c"])
        kept = ~unlabelled & ~unpredicted
        return ConfusionCounts(
            plain(some["t"])[kept].astype(object),
            plain(some["p"])[kept].astype(object),
            None if request.champion is None else plain(some["c"])[kept].astype(object),
            n[kept],
            unlabelled=int(n[unlabelled].sum()),
            unpredicted=int(n[unpredicted].sum()),
            thresholded=request.threshold is not None,
            positive=request.positive,
        )

    return make(arrays) if request.split is None else by_group(arrays, make)


def _predicted(rows: Rows, request: Confusion, name: str, alias: str) -> tuple[exp.Expr, exp.Expr]:
    """A prediction as a value to group by, and its text once it is called `alias`."""
    if request.threshold is None:
        column = rows.column(name)
        return key(column), text(column, exp.column(alias))
    if not request.positive:  # the empty text stands for "not positive"
        raise Unanswered("a threshold needs the name of the positive class")
    score = number(rows.numeric(name))
    predicted = fill(_BY_THRESHOLD, s=score, at=double(request.threshold), positive=string(request.positive))
    return predicted, exp.column(alias)


# --- scores ----------------------------------------------------------------------------------------------------------

_SCORES = f"""
SELECT g, b, SUM(y) AS positives, COUNT(*) AS n, SUM(s) AS score, MIN(s) AS lo, MAX(s) AS hi,
       SUM(-LN(GREATEST(CASE WHEN y = 1 THEN s ELSE 1 - s END, {_FLOOR}))) AS log_loss,
       SUM((s - y) * (s - y)) AS squared
FROM (SELECT g, y, CASE WHEN s >= 0 AND s <= 1 AND y IS NOT NULL THEN s END AS s,
             CASE WHEN y IS NULL THEN {_UNLABELLED} WHEN s >= 0 AND s <= 1 THEN CAST(FLOOR(s * $resolution) AS INT)
                  ELSE {_INVALID} END AS b
      FROM (SELECT $g AS g, CASE WHEN $target = $positive THEN 1 WHEN $target IS NOT NULL THEN 0 END AS y,
                   $score AS s FROM data))
GROUP BY g, b ORDER BY g, b
"""  # noqa: S608  # constants of this module


def count_scores(rows: Rows, request: ScoreBins) -> ScoreCounts | SplitParts:
    """Count positives and negatives by score bin over labelled rows."""
    group, more = _group(rows, request.split)
    statement = rows.select(
        _SCORES,
        (request.target, request.score, *more),
        g=group,
        target=canonical(rows.column(request.target)),
        positive=string(request.positive),
        score=number(rows.numeric(request.score)),
        resolution=whole(request.resolution),
    )

    def make(some: Arrays) -> ScoreCounts:
        b, n = plain(some["b"]).astype(np.int64), plain(some["n"]).astype(np.int64)
        ok = b >= _VALID
        positives = plain(some["positives"])[ok].astype(np.int64)
        lo, hi = (plain(some[name])[ok].astype(np.float64) for name in ("lo", "hi"))
        mean = plain(some["score"])[ok].astype(np.float64) / n[ok]
        return ScoreCounts(
            np.clip(mean, lo, hi),  # rounding of the sum must not move a score out of its bin
            positives,
            n[ok] - positives,
            is_exact=bool(np.array_equal(lo, hi)),
            log_loss=float(plain(some["log_loss"])[ok].sum()),
            squared=float(plain(some["squared"])[ok].sum()),
            unlabelled=int(n[b == _UNLABELLED].sum()),
            invalid=int(n[b == _INVALID].sum()),
        )

    arrays = rows.fetch(statement)
    return make(arrays) if request.split is None else by_group(arrays, make)


# --- losses of several classes ---------------------------------------------------------------------------------------

_LOSSES = f"""
SELECT g, state, COUNT(*) AS n, SUM(CASE WHEN state = {_VALID} THEN -LN(GREATEST(own, {_FLOOR})) END) AS log_loss,
       SUM(CASE WHEN state = {_VALID} THEN squared END) AS squared
FROM (SELECT g, own, squared, CASE WHEN t IS NULL THEN {_UNLABELLED} WHEN valid AND own IS NOT NULL THEN {_VALID}
                                   ELSE {_INVALID} END AS state
      FROM (SELECT $g AS g, $target AS t, $own AS own, $squared AS squared, $valid AS valid FROM data))
GROUP BY g, state
"""  # noqa: S608  # constants of this module


# Scores rounded to four digits, or stored as float32, still add up; logits and shares of only some classes do not.
_ADDS_UP = "COALESCE(ABS($total - 1) <= 1e-3, FALSE)"


def sum_losses(rows: Rows, request: ClassLoss) -> LossSums | SplitParts:
    """Sum log-loss and squared error over labelled rows.

    A row is invalid if any score is null, NaN or outside 0..1, if they do not add up to 1, or if its target is no class
    that has a score.
    """
    target = canonical(rows.column(request.target))
    own = exp.Case()
    squared: list[exp.Expr] = []
    valid: list[exp.Expr] = []
    for name, column in request.scores:
        holes = {"t": target, "class": string(name), "s": number(rows.numeric(column))}
        own = own.when(fill("$t = $class", **holes), holes["s"])
        squared.append(fill("($s - CAST($t = $class AS INT)) * ($s - CAST($t = $class AS INT))", **holes))
        valid.append(fill("COALESCE($s >= 0 AND $s <= 1, FALSE)", **holes))
    if not valid:
        raise Unanswered("no score column is named")
    group, more = _group(rows, request.split)
    statement = rows.select(
        _LOSSES,
        (request.target, *(column for _, column in request.scores), *more),
        g=group,
        target=target,
        own=own,
        squared=_sum_of(squared),
        valid=exp.and_(*valid, fill(_ADDS_UP, total=_sum_of([number(rows.numeric(c)) for _, c in request.scores]))),
    )

    def make(some: Arrays) -> LossSums:
        state, n = plain(some["state"]), plain(some["n"]).astype(np.int64)
        ok = state == _VALID
        return LossSums(
            n=int(n[ok].sum()),
            log_loss=float(plain(some["log_loss"])[ok].sum()),
            squared=float(plain(some["squared"])[ok].sum()),
            unlabelled=int(n[state == _UNLABELLED].sum()),
            invalid=int(n[state == _INVALID].sum()),
        )

    arrays = rows.fetch(statement)
    return make(arrays) if request.split is None else by_group(arrays, make)


def _sum_of(terms: list[exp.Expr]) -> exp.Expr:
    total = terms[0]
    for term in terms[1:]:
        total = exp.Add(this=total, expression=term)
    return total


# --- errors ----------------------------------------------------------------------------------------------------------

_FINITE = "1.7976931348623157e308"
# e and c are errors of the candidate and the champion, y the target, u and w their absolute percentage errors.
_SUMS = {
    "error": "SUM(e)",
    "absolute": "SUM(ABS(e))",
    "squared": "SUM(e * e)",
    "fourth": "SUM(e * e * e * e)",
    "target": "SUM(y)",
    "target_squared": "SUM(y * y)",
    "percent": "SUM(u)",
    "percent_squared": "SUM(u * u)",
    "zeros": "COUNT_IF(y = 0)",
}
_PAIRED = {
    "champion_error": "SUM(c)",
    "champion_absolute": "SUM(ABS(c))",
    "champion_squared": "SUM(c * c)",
    "champion_percent": "SUM(w)",
    "difference": "SUM(ABS(e) - ABS(c))",
    "difference_squared": "SUM((ABS(e) - ABS(c)) * (ABS(e) - ABS(c)))",
    "square_difference": "SUM(e * e - c * c)",
    "square_difference_squared": "SUM((e * e - c * c) * (e * e - c * c))",
    "percent_difference": "SUM(u - w)",
    "percent_difference_squared": "SUM((u - w) * (u - w))",
    "signed_difference": "SUM(e - c)",
    "signed_difference_squared": "SUM((e - c) * (e - c))",
}
_ERRORS = f"""
SELECT g, state, COUNT(*) AS n, {", ".join(f"{sql} AS {name}" for name, sql in (_SUMS | _PAIRED).items())}
FROM (SELECT g, state, y, e, c, CASE WHEN y <> 0 THEN ABS(e) / ABS(y) END AS u,
             CASE WHEN y <> 0 THEN ABS(c) / ABS(y) END AS w
      FROM (SELECT g, state, CASE WHEN state = {_VALID} THEN y END AS y, CASE WHEN state = {_VALID} THEN p - y END AS e,
                   CASE WHEN state = {_VALID} THEN q - y END AS c
            FROM (SELECT g, y, p, q,
                         CASE WHEN y IS NULL OR ISNAN(y) THEN {_UNLABELLED}
                              WHEN ABS(y) <= {_FINITE} AND ABS(p) <= {_FINITE} AND ABS(q) <= {_FINITE} THEN {_VALID}
                              ELSE {_INVALID} END AS state
                  FROM (SELECT $g AS g, $target AS y, $prediction AS p, $champion AS q FROM data))))
GROUP BY g, state
"""  # noqa: S608  # constants of this module


def sum_errors(rows: Rows, request: ErrorSums) -> ErrorMoments | SplitParts:
    """Sum errors over labelled rows. A row with a null, NaN or infinite prediction (or target infinite) is invalid."""
    prediction = number(rows.numeric(request.prediction))
    champion = prediction if request.champion is None else number(rows.numeric(request.champion))
    group, more = _group(rows, request.split)
    names = (request.target, request.prediction, *([request.champion] if request.champion else []), *more)
    statement = rows.select(
        _ERRORS, names, g=group, target=number(rows.numeric(request.target)), prediction=prediction, champion=champion
    )

    def make(some: Arrays) -> ErrorMoments:
        state, n = plain(some["state"]), plain(some["n"]).astype(np.int64)
        ok = state == _VALID
        sums = {name: _total(some[name], ok) for name in _SUMS}
        paired = {name: _total(some[name], ok) for name in _PAIRED} if request.champion else {}
        zeros = int(sums.pop("zeros"))
        return ErrorMoments(
            n=int(n[ok].sum()), zeros=zeros, unlabelled=int(n[state == _UNLABELLED].sum()),
            invalid=int(n[state == _INVALID].sum()), **sums, **paired,
        )  # fmt: skip

    arrays: Arrays = rows.fetch(statement)
    return make(arrays) if request.split is None else by_group(arrays, make)


def _total(array: np.ndarray, rows: np.ndarray) -> float:
    """The sum of one state's row; null (no row had it) is zero."""
    return float(np.where(is_null(array), 0.0, plain(array))[rows].sum())


Outcome = Confusion | ScoreBins | ClassLoss | ErrorSums


def answer_outcome(rows: Rows, request: Outcome) -> Part:
    """Answer a request about labelled rows."""
    match request:
        case Confusion():
            return count_confusion(rows, request)
        case ScoreBins():
            return count_scores(rows, request)
        case ClassLoss():
            return sum_losses(rows, request)
        case ErrorSums():
            return sum_errors(rows, request)
