"""What must fit together across the fields of a policy.

Each rule looks at a policy whose fields are right one by one, and says what does not fit, with the path it is about.
A path that starts with a Check is inside that check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gate.checks.contract import Check
from gate.checks.metric import MetricCheck
from gate.domain.finding import Severity
from gate.domain.metrics import METRICS
from gate.policy.document import Path
from gate.policy.model import Base, DataSource, Policy


@dataclass(frozen=True, slots=True)
class Misfit:
    """Two things that do not fit: `check` is the id of the check it is about, None for the rest of the policy."""

    path: Path
    message: str
    check: str | None = None


def misfits(policy: Base, checks: Sequence[Check]) -> Iterator[Misfit]:
    """Everything that does not fit together. A base may leave things open, so less is asked of it."""
    for rule in _OF_ANY:
        yield from rule(policy, checks)
    if isinstance(policy, Policy):
        for complete in _OF_COMPLETE:
            yield from complete(policy, checks)


def _sources(policy: Base, _: Sequence[Check]) -> Iterator[Misfit]:
    """Rows are in one place, and one rule says which of them count."""
    if policy.data is None:
        return
    places: tuple[tuple[Path, DataSource], ...] = (
        (("data", "reference"), policy.data.reference),
        (("data", "current"), policy.data.current),
    )
    for path, source in places:
        if (source.mlflow is None) == (source.uri is None):
            got = "neither" if source.mlflow is None else "both"
            yield Misfit(path, f"got {got} of mlflow and uri, allowed is exactly one")
        if source.window and source.last_rows:
            yield Misfit((*path, "last_rows"), "window and last_rows both say which rows count; keep one")


def _columns(policy: Base, _: Sequence[Check]) -> Iterator[Misfit]:
    """A column plays one part."""
    taken: dict[str, str] = {}
    for path, role, column in _roles(policy):
        if column in taken:
            yield Misfit(path, f"column {column!r} is the {taken[column]} already")
        taken.setdefault(column, role)
    if policy.data is None:
        return
    columns = policy.data.columns
    at: Path = ("data", "columns")
    for column, role in taken.items():
        if column in columns.ignore:
            yield Misfit((*at, "ignore"), f"column {column!r} is the {role}; it cannot be ignored")
    for column in sorted(set(columns.categorical) & set(columns.numeric)):
        yield Misfit((*at, "numeric"), f"column {column!r} is in categorical too; a column is one or the other")
    for listing in ("segments", "categorical", "numeric", "ignore"):
        names: tuple[str, ...] = getattr(columns, listing)
        for column in sorted({name for name in names if names.count(name) > 1}):
            yield Misfit((*at, listing), f"column {column!r} is listed twice")


def _roles(policy: Base) -> Iterator[tuple[Path, str, str]]:
    """Each part that a column plays: where it is said, what it is called, and the column."""
    if policy.data is not None:
        columns, at = policy.data.columns, ("data", "columns")
        for role in ("target", "prediction", "score", "timestamp", "key"):
            if (column := getattr(columns, role)) is not None:
                yield (*at, role), role, column
        # Two classes that share a column are another mistake, which `_scores` reports.
        for column, label in {column: label for label, column in columns.scores.items()}.items():
            yield (*at, "scores", label), f"score of {label!r}", column
    if policy.champion is not None and (said := policy.champion.predictions) is not None:
        for role in ("prediction", "score"):
            if (column := getattr(said, role)) is not None:
                yield ("champion", "predictions", role), f"champion's {role}", column


def _scores(policy: Base, _: Sequence[Check]) -> Iterator[Misfit]:
    """Scores need to know what they are scores of."""
    if policy.data is None:
        return
    columns, at = policy.data.columns, ("data", "columns")
    if columns.score and columns.scores:
        yield Misfit((*at, "scores"), "score is for two classes and scores for more; keep one")
    if columns.score and columns.positive is None and policy.task != "regression":
        yield Misfit(
            (*at, "score"), "the positive class is missing: score says how likely it is, so name it in positive"
        )
    if len(columns.scores) == 1:
        yield Misfit(
            (*at, "scores"), "got one class, allowed are two or more; for two classes write positive and score"
        )
    if len(set(columns.scores.values())) < len(columns.scores):
        yield Misfit((*at, "scores"), "two classes share a column")
    if columns.threshold is not None and columns.score is None:
        yield Misfit((*at, "threshold"), "there is no score that it could be the threshold of")
    if policy.task == "regression":
        for role in ("positive", "score", "scores", "threshold"):
            if getattr(columns, role):
                yield Misfit((*at, role), "is for classification; the task is regression")


def _labels(policy: Base, _: Sequence[Check]) -> Iterator[Misfit]:
    if policy.data is None or policy.data.labels is None:
        return
    columns, labels = policy.data.columns, policy.data.labels
    if columns.target is None:
        yield Misfit(("data", "labels"), "labels bring the target; name its column in data.columns.target")
    if labels.delay and columns.timestamp is None and policy.data.current.window is None:
        message = "the age of a row is unknown; name its time in data.columns.timestamp"
        yield Misfit(("data", "labels", "delay"), message)


def _champion(policy: Base, checks: Sequence[Check]) -> Iterator[Misfit]:
    """A comparison needs somebody to compare with, and says what happens without."""
    champion = policy.champion
    for check in checks:
        if champion is None and isinstance(check, MetricCheck) and check.versus is not None:
            message = "compares with the champion, but the policy has none; add champion: {alias: champion}"
            yield Misfit(("versus",), message, check.name)
    if champion is None or champion.predictions is None:
        return
    said = champion.predictions
    if said.prediction is None and said.score is None:
        yield Misfit(("champion", "predictions"), "names no column; write prediction, score or both")
    if policy.data and said.score and not policy.data.columns.score:
        message = "the candidate has no score to compare it with; name it in data.columns.score"
        yield Misfit(("champion", "predictions", "score"), message)


def _pilot(policy: Base, _: Sequence[Check]) -> Iterator[Misfit]:
    pilot = policy.pilot
    if pilot and pilot.started and pilot.decide_by and pilot.decide_by < pilot.started:
        yield Misfit(("pilot", "decide_by"), f"{pilot.decide_by} is before the pilot started, {pilot.started}")


def _warnings(_: Base, checks: Sequence[Check]) -> Iterator[Misfit]:
    """A warning comes before the limit, else it never shows."""
    for check in checks:
        if not isinstance(check, MetricCheck):
            continue
        if check.max is not None and check.warn_above is not None and check.warn_above >= check.max:
            message = f"got {check.warn_above:g}, which the limit max: {check.max:g} never lets show"
            yield Misfit(("warn_above",), message, check.name)
        if check.min is not None and check.warn_below is not None and check.warn_below <= check.min:
            message = f"got {check.warn_below:g}, which the limit min: {check.min:g} never lets show"
            yield Misfit(("warn_below",), message, check.name)


def _decides(policy: Policy, checks: Sequence[Check]) -> Iterator[Misfit]:
    """Something has to be able to hold: a policy that cannot would promote everything."""
    if not checks:
        yield Misfit(("checks",), "there are no checks; such a policy would promote everything")
        return
    if all((c.severity or c.kind_severity or policy.defaults.severity) is Severity.INFO for c in checks):
        yield Misfit(("checks",), "every check is info, which never decides; make one major or blocker")


def _metrics(policy: Policy, checks: Sequence[Check]) -> Iterator[Misfit]:
    """A metric needs the right task, truth and predictions."""
    for check in checks:
        if isinstance(check, MetricCheck):
            yield from (Misfit(path, message, check.name) for path, message in _metric(check, policy))


def _metric(check: MetricCheck, policy: Policy) -> Iterator[tuple[Path, str]]:
    metric, columns = METRICS[check.metric], policy.data.columns
    if policy.task != metric.task:
        yield ("metric",), f"{metric.name} is a metric of {metric.task}; the task is {policy.task}"
        return
    if columns.target is None:
        yield ("metric",), f"{metric.name} compares with the truth; name its column in data.columns.target"
    has_score = columns.score is not None and columns.positive is not None
    if metric.part == "scores":
        if not metric.multiclass and not has_score:
            yield ("metric",), f"{metric.name} is for two classes; name positive and score in data.columns"
        elif not has_score and not columns.scores:
            yield ("metric",), f"{metric.name} needs scores; name positive and score, or scores, in data.columns"
    elif columns.prediction is None and not has_score:
        choice = "" if metric.task == "regression" else ", or positive and score"
        yield ("metric",), f"{metric.name} needs predictions; name their column in data.columns.prediction{choice}"
    if metric.averages and check.average is None and columns.positive is None:
        yield ("metric",), f"{metric.name} of which class? Name it in data.columns.positive, or choose an average"


def _needed_columns(policy: Policy, checks: Sequence[Check]) -> Iterator[Misfit]:
    """A check of one column knows which one."""
    columns = policy.data.columns
    said = {
        "target_drift": (columns.target, "data.columns.target"),
        "prediction_drift": (columns.prediction or columns.score or columns.scores, "data.columns.prediction"),
        "freshness": (columns.timestamp, "data.columns.timestamp"),
        "continuity": (columns.timestamp, "data.columns.timestamp"),
    }
    for check in checks:
        named, where = said.get(check.kind, (True, ""))
        if not named and getattr(check, "column", None) is None:
            yield Misfit((), f"does not know its column; name it in {where}", check.name)


_Rule = Callable[[Base, Sequence[Check]], Iterator[Misfit]]
_OF_ANY: tuple[_Rule, ...] = (_sources, _columns, _scores, _labels, _champion, _pilot, _warnings)
_OF_COMPLETE: tuple[Callable[[Policy, Sequence[Check]], Iterator[Misfit]], ...] = (
    _decides, _metrics, _needed_columns,
)  # fmt: skip
