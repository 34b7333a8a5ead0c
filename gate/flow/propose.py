"""From a model and its reference data to the proposal of a first policy: what `gate init` knows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gate.domain.candidate import Candidate, ModelRef
from gate.domain.columns import Kind, Schema
from gate.domain.dataset import Side, Source
from gate.domain.evidence import Measured
from gate.domain.need import ANY, Drift, MissingShare, Need, Quality
from gate.domain.part import Values
from gate.domain.scope import Roles as ScopeRoles
from gate.domain.scope import Scope, Task
from gate.errors import UsageError
from gate.flow.ports import Dataset, Ports
from gate.flow.scope import pinned_kinds
from gate.flow.sources import fetched
from gate.policy.draft import Noise, Place, Proposal, Roles, SeenMetric, is_writable
from gate.policy.model import Columns
from gate.statistics.parts import ValueCounts

if TYPE_CHECKING:
    import pandas as pd

_SPLITS = 3
_CONFIDENCE = 0.95  # the default of a policy
_SAMPLE_ROWS = 100_000
_METHOD = {Kind.NUMERIC: "wasserstein", Kind.CATEGORICAL: "jensenshannon"}
_PILOT_CONTEXTS = ("pilot", "current", "shadow", "serving", "production", "inference")
_PREDICTION_NAMES = ("prediction", "predicted", "predictions", "y_pred", "pred")
_SCORE_NAMES = ("score", "probability", "proba", "y_score")
_TARGET_NAMES = ("target", "label", "y", "y_true", "truth", "actual")
_MOST_CLASSES = 20  # a numeric target with more values than this is taken for an amount


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller says about the data; None is left to the proposal."""

    reference: str | None = None
    current: str | None = None
    target: str | None = None
    prediction: str | None = None
    score: str | None = None


def propose(ref: ModelRef, ports: Ports, wish: Wish, *, folder: Path, now: datetime) -> Proposal:
    """Look at a model version and its reference data, and propose a policy.

    `folder` is where relative URIs of the policy will begin; those of `wish` begin in the working directory.

    Raises:
        UsageError: there is no reference data to look at, or a named column is not in it.
        RegistryError, DataError: it cannot be read.
    """
    ports.observer.phase("registry", ref.uri)
    candidate = ports.registry.find(ref)
    champion = ports.registry.champion(candidate.name, "champion")
    place = _reference(candidate, wish)
    uri = _uri(place, candidate)
    ports.observer.phase("data", uri)
    source = fetched(_source(uri), Side.REFERENCE, ports)
    reference = ports.datasets.open(source, now=now)
    roles = _roles(reference.facts.schema, candidate, wish)
    task, classes = _task(reference, candidate, roles)
    roles = replace(roles, positive=_positive(classes, task, roles))
    metrics = _metrics(task, roles)
    task = task if metrics else "none"
    scope = _scope(candidate, reference.facts.schema, roles, task)

    ports.observer.phase("evidence", f"{reference.facts.rows:,} reference rows")
    features = [name for name in scope.features if scope.absent(name) is None and is_writable(name)]
    missing: dict[Need, str] = {MissingShare(ANY, column, Side.REFERENCE): column for column in features}
    quality: dict[Need, str] = {Quality(ANY, metric, confidence=_CONFIDENCE): metric for metric in metrics}
    seen = ports.evidence.gather([*missing, *quality], scope, reference, reference, now=now, report=False).evidence
    noise, half = _noise(reference, features, scope, ports, now)
    current = _current(candidate, wish)
    return Proposal(
        model=candidate.name,
        uri=candidate.uri,
        owner=candidate.tags.get("owner") or candidate.model_tags.get("owner"),
        description=candidate.model_description,
        task=task,
        reference=_seen_from(folder, place),
        current=_seen_from(folder, current or Place(uri=f"data/{candidate.name}/*.parquet")),
        roles=roles,
        rows=reference.facts.rows,
        half=half,
        missing=tuple((column, _value(seen, need) or 0.0) for need, column in missing.items()),
        noise=noise,
        metrics=tuple(
            _seen_metric(metric, reading, task)
            for need, metric in quality.items()
            if isinstance(reading := seen[need], Measured)
        ),
        has_champion=champion is not None and champion.version != candidate.version,
        has_categories=any(scope.kinds.get(column) is Kind.CATEGORICAL for column in scope.features),
        decisions=tuple(_decisions(candidate, reference.facts.schema, wish, roles, task, current)),
    )


# --- where the rows are -----------------------------------------------------------------------------------------------


def _reference(candidate: Candidate, wish: Wish) -> Place:
    """The dataset logged as training data, or the only one there is."""
    if wish.reference is not None:
        return Place(uri=wish.reference)
    for datasets in (candidate.logged_as("training"), candidate.logged_as("reference"), candidate.datasets):
        usable = [dataset for dataset in datasets if dataset.uri and dataset.context]
        if len({dataset.uri for dataset in usable}) == 1:
            return Place(mlflow=usable[0].context)
    known = ", ".join(f"{dataset.name} ({dataset.context})" for dataset in candidate.datasets) or "none"
    raise UsageError(
        f"{candidate.uri}: no dataset of its run is clearly the training data (logged are: {known}); "
        "name one with --reference URI, or log one with mlflow.log_input(dataset, context='training')"
    )


def _current(candidate: Candidate, wish: Wish) -> Place | None:
    if wish.current is not None:
        return Place(uri=wish.current)
    for context in _PILOT_CONTEXTS:
        if len(candidate.logged_as(context)) == 1:
            return Place(mlflow=context)
    return None


def _uri(place: Place, candidate: Candidate) -> str:
    if place.uri is not None:
        return place.uri
    return next(str(dataset.uri) for dataset in candidate.logged_as(str(place.mlflow)) if dataset.uri)


def _seen_from(folder: Path, place: Place) -> Place:
    """The same place, written as a policy in `folder` names it."""
    if place.uri is None or urlsplit(place.uri).scheme:
        return place
    return Place(uri=os.path.relpath(Path(place.uri).expanduser(), folder))


def _source(uri: str) -> Source:
    return Source(uri, path=None if urlsplit(uri).scheme else str(Path(uri).expanduser().absolute()))


# --- what the columns are ---------------------------------------------------------------------------------------------


def _roles(schema: Schema, candidate: Candidate, wish: Wish) -> Roles:
    """Name the columns that are no inputs: as the caller says, else by the signature, else by the usual names.

    A target of another name is found if it is the only column left that is of the prediction's kind.
    """
    for option, column in (("--target", wish.target), ("--prediction", wish.prediction), ("--score", wish.score)):
        if column is not None and column not in schema:
            raise UsageError(f"{option}: the reference has no column {column!r}; it has {', '.join(schema.names)}")
    inputs = {column.name for column in candidate.signature.inputs} if candidate.signature else set()
    outputs = tuple(column.name for column in candidate.signature.outputs) if candidate.signature else ()
    free = [column for column in schema if column.name not in inputs and is_writable(column.name)]
    numeric = [column.name for column in free if column.kind is Kind.NUMERIC]
    names = [column.name for column in free]
    prediction = wish.prediction or _first(names, (*outputs, *_PREDICTION_NAMES))
    score = wish.score or _first(numeric, _SCORE_NAMES) or next((n for n in numeric if n.startswith("p_")), None)
    timestamps = [column.name for column in free if column.kind is Kind.TIMESTAMP]
    said = schema.find(prediction) if prediction else None
    alike = [c.name for c in free if said and c.kind is said.kind and c.name not in (prediction, score)]
    target = wish.target or _first(alike if said else names, _TARGET_NAMES)
    return Roles(
        target=target or (alike[0] if len(alike) == 1 else None),
        prediction=prediction,
        score=score if score != prediction else None,
        timestamp=timestamps[0] if len(timestamps) == 1 else None,
    )


def _first(names: Iterable[str], usual: Iterable[str]) -> str | None:
    here = set(names)
    return next((name for name in usual if name in here), None)


def _task(reference: Dataset, candidate: Candidate, roles: Roles) -> tuple[Task, ValueCounts | None]:
    """The task that the target's values speak for, and these values."""
    column = roles.target or roles.prediction
    if column is None:
        return "none", None
    request = Values(column, cap=_MOST_CLASSES)
    counts = reference.parts([request])[request]
    kind = pinned_kinds(Columns(), candidate.signature, reference.facts.schema, reference.facts.schema).get(column)
    few = isinstance(counts, ValueCounts) and counts.distinct <= (_MOST_CLASSES if kind is Kind.CATEGORICAL else 2)
    if kind is Kind.CATEGORICAL or few:
        return "classification", counts if isinstance(counts, ValueCounts) else None
    return "regression", None


def _positive(classes: ValueCounts | None, task: Task, roles: Roles) -> str | None:
    """The rarer of two classes: what models look for is rare more often than not."""
    if task != "classification" or classes is None or classes.distinct != 2 or roles.target is None:
        return None
    *_, rarest = classes.values.tolist()  # a field of ours, most frequent first
    return str(rarest)


def _scope(candidate: Candidate, schema: Schema, roles: Roles, task: Task) -> Scope:
    return Scope(
        task=task,
        roles=ScopeRoles(
            target=roles.target, prediction=roles.prediction, positive=roles.positive,
            score=roles.score if roles.positive else None, timestamp=roles.timestamp,
        ),
        reference=schema,
        current=schema,
        kinds=pinned_kinds(Columns(), candidate.signature, schema, schema),
        signature=candidate.signature,
    )  # fmt: skip


def _metrics(task: Task, roles: Roles) -> tuple[str, ...]:
    """The metrics that people look at first, as far as the columns allow them."""
    if roles.target is None:
        return ()
    if task == "regression":
        return ("mae",) if roles.prediction else ()
    accuracy = ("accuracy",) if roles.prediction else ()
    return (*accuracy, "roc_auc") if roles.score and roles.positive else accuracy


def _seen_metric(metric: str, measured: Measured, task: Task) -> SeenMetric:
    half = (measured.high - measured.low) / 2 if measured.interval else 0.0
    return SeenMetric(metric, measured.value, task == "classification", measured.rows, half)


# --- what chance does -------------------------------------------------------------------------------------------------


def _noise(
    reference: Dataset, features: Iterable[str], scope: Scope, ports: Ports, now: datetime
) -> tuple[tuple[Noise, ...], int]:
    """The largest distance between random halves of the reference, by column, worst first; and the rows of a half."""
    columns = [name for name in features if scope.kinds.get(name) in _METHOD]
    needs: dict[Need, str] = {Drift(ANY, name, _METHOD[scope.kinds[name]]): name for name in columns}
    rows = reference.sample(_SAMPLE_ROWS, 0, columns) if columns else None
    if rows is None or len(rows) < 2:
        return (), 0
    worst: dict[str, float] = {}
    for split in range(_SPLITS):
        ports.observer.phase("evidence", f"random halves of the reference, {split + 1} of {_SPLITS}")
        halves = [ports.datasets.open(source, now=now) for source in _halves(rows, split, ports.folder)]
        seen = ports.evidence.gather(list(needs), scope, halves[0], halves[1], now=now, report=False).evidence
        for need, column in needs.items():
            distance = _value(seen, need)
            if distance is not None:
                worst[column] = max(distance, worst.get(column, 0.0))
    ranked = sorted(worst.items(), key=lambda entry: -entry[1])
    return tuple(Noise(column, distance) for column, distance in ranked), len(rows) // 2


def _halves(rows: pd.DataFrame, split: int, folder: Path) -> Iterable[Source]:
    shuffled = rows.sample(frac=1, random_state=split)
    middle = len(shuffled) // 2
    for name, half in (("a", shuffled[:middle]), ("b", shuffled[middle:])):
        path = folder / f"half-{split}-{name}.parquet"
        half.to_parquet(path, index=False)
        yield Source(path.name, path=str(path))


def _value(seen: Mapping[Need, object], need: Need) -> float | None:
    reading = seen.get(need)
    return reading.value if isinstance(reading, Measured) else None


# --- what a person must decide ----------------------------------------------------------------------------------------


def _decisions(
    candidate: Candidate, schema: Schema, wish: Wish, roles: Roles, task: Task, current: Place | None
) -> Iterable[str]:
    if not (candidate.tags.get("owner") or candidate.model_tags.get("owner")):
        yield "owner: who answers for the outcome after launch? The registry names nobody."
    if current is None:
        yield "data.current: where does the pilot's data arrive? No dataset of the run is logged as pilot data."
    yield from _about_roles(wish, roles)
    yield from _about_inputs(candidate, schema)
    if task == "none":
        yield "task: regression or classification, once there are predictions."
    else:
        yield "the limits of the metrics: they follow from the reference, not from what the use needs."
        yield "segments: for whom must it hold as well? Add segments: {by: [COLUMN], min_rows: 200} to a metric."


def _about_roles(wish: Wish, roles: Roles) -> Iterable[str]:
    if roles.target is None:
        yield (
            "data.columns.target: which column holds the truth? Without one no quality is judged. "
            "If there is one, run gate init again with --target COLUMN."
        )
    elif wish.target is None:
        yield f"data.columns.target: {roles.target} is a guess; is it the truth?"
    if roles.prediction is None and roles.score is None:
        yield (
            "data.columns.prediction: which column holds what the model said? The gate never runs a model; "
            "log its predictions with the data, and run gate init again with --prediction COLUMN."
        )
    if roles.positive is not None:
        yield f"data.columns.positive: {roles.positive} is the rarer class; is it the one that the model looks for?"


def _about_inputs(candidate: Candidate, schema: Schema) -> Iterable[str]:
    inputs = candidate.signature.inputs if candidate.signature else ()
    whole = [column.name for column in inputs if column.type in ("integer", "long")]
    if whole:
        yield (
            f"data.columns.categorical: are any of {', '.join(whole)} codes rather than amounts? "
            "Whole numbers are measured as numbers unless they are listed there."
        )
    unnamed = [name for name in schema.names if not is_writable(name)]
    if unnamed:
        yield f"columns that a policy cannot name: {', '.join(map(repr, unnamed))}; rename them where they come from."
