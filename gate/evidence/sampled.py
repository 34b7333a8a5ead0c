"""Evidently's own metrics, by name, on a bounded and seeded sample of rows.

Everything that decides the outcome is explicit: the types of the columns, which rows are labelled, the seeds. What
Evidently would infer, it would infer from values, and drop in silence what it does not know.
"""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from gate.domain.columns import Kind
from gate.domain.dataset import Side
from gate.domain.evidence import Measured
from gate.domain.need import EvidentlyMetric
from gate.evidence.asking import NEVER_CAUGHT, Unanswerable
from gate.evidence.columns import Setting
from gate.evidence.measurement import Answering, Measurement
from gate.policy.evidently import complaints

if TYPE_CHECKING:
    import pandas as pd
    from evidently import DataDefinition

_COLUMN_PARAMETERS = ("column", "column_name")
_SHOWN_CLASSES = 10
_LABELLED = ("classification", "regression")  # modules of evidently.metrics that read target and prediction


def evidently_metric(need: EvidentlyMetric, setting: Setting) -> Answering:
    """Run one of Evidently's metrics; what it says about the sample is what the finding says."""
    yield from ()  # reads sampled rows, not parts
    parameters = json.loads(need.parameters)
    columns = [parameters[name] for name in _COLUMN_PARAMETERS if isinstance(parameters.get(name), str)]
    setting.require(*columns, sides=(Side.REFERENCE, Side.CURRENT))
    run = _Run(need, parameters, setting)
    fields = {"metric": need.metric, "parameters": need.parameters, "field": need.field,
              "sample_rows": need.sample_rows, "seed": need.seed}  # fmt: skip
    return Measurement("ProfileSampled", fields, run.take, run.drawn)


class _Run:
    """One run of one metric; remembers what Evidently drew."""

    def __init__(self, need: EvidentlyMetric, parameters: Mapping[str, Any], setting: Setting) -> None:
        self._need, self._parameters, self._setting = need, parameters, setting
        self._widgets: list[Any] = []

    def drawn(self) -> list[Any]:
        return self._widgets

    def take(self) -> Measured:
        from evidently import Dataset, Report

        need = self._need
        metric = _metric(need, self._parameters)
        labelled = type(metric).__module__.rpartition(".")[2] in _LABELLED
        reference, current = _samples(need, self._setting, labelled=labelled)
        definition = _definition(self._setting, current, labelled=labelled)
        datasets = [None if frame is None else Dataset.from_pandas(frame, definition) for frame in (current, reference)]
        try:
            with _reproducible(need.seed):
                snapshot = Report([metric]).run(*datasets, timestamp=self._setting.now)
        except NEVER_CAUGHT:
            raise
        except BaseException as crash:  # Evidently raises some errors outside of Exception
            raise Unanswerable(f"Evidently's {need.metric} failed with {type(crash).__name__}: {crash}",
                               rows=len(current), broken=True) from crash  # fmt: skip
        result = snapshot.metric_results[metric.metric_id]
        self._widgets = result.get_widgets()
        value = _value(need, result)
        if not math.isfinite(value):
            raise Unanswerable(f"Evidently's {need.metric} is {value} on a sample of {len(current):,} rows",
                               rows=len(current))  # fmt: skip
        method = f"Evidently's {need.metric} on a sample of rows"
        before = 0 if reference is None else len(reference)
        details = {"sample": len(current), "sample_of_reference": before, "seed": need.seed}
        return Measured(value, len(current), method, details=details)


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Seed the generators that Evidently's permutation tests draw from, and give them back as they were.

    Warnings of the libraries below are silenced: a number that they warn about is judged, or is not finite.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  # the generator that Evidently uses
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # as above
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002  # as above


def _metric(need: EvidentlyMetric, parameters: Mapping[str, Any]) -> Any:
    """Build the metric from its name and parameters, which come from a policy: nothing else may be reached by them.

    Evidently builds objects of any class from a mapping with a `type`; those could load a model or call a network.
    """
    from evidently import metrics

    for _, complaint in complaints(need.metric, parameters, need.field):
        raise Unanswerable(complaint)
    for key, value in parameters.items():
        if key == "type" or _names_a_class(value):
            raise Unanswerable(f"{key}: names a class of Evidently's to load, which gate refuses")
    try:
        return getattr(metrics, need.metric)(**parameters)
    except (ValueError, TypeError) as wrong:
        said = " ".join(str(wrong).split())
        raise Unanswerable(f"Evidently's {need.metric} does not take these parameters: {said}") from wrong


def _names_a_class(value: Any) -> bool:
    match value:
        case Mapping():
            return "type" in value or any(map(_names_a_class, value.values()))
        case list():
            return any(map(_names_a_class, value))
        case _:
            return False


def _samples(need: EvidentlyMetric, setting: Setting, *, labelled: bool) -> tuple[pd.DataFrame | None, pd.DataFrame]:
    """Rows of both sides, reference first, on the columns that both have, without unlabelled rows where that matters.

    A reference without predictions (training data often has none) is left out of a metric that reads them.
    """
    reference, current = (_plain(setting.sample(side, need.sample_rows, need.seed), setting) for side in Side)
    roles = setting.scope.roles
    if labelled:
        read = [name for name in (roles.target, roles.prediction, roles.score) if name is not None]
        if roles.target is None or len(read) < 2:
            raise Unanswerable(f"Evidently's {need.metric} needs a target and a prediction column in the policy")
        lacking = [name for name in read if name not in current]
        if lacking:
            raise Unanswerable(f"{', '.join(lacking)} is absent in current")
        current = current[current[roles.target].notna()]
        if not len(current):
            raise Unanswerable(f"no row of the sample of current has a {roles.target}")
        if any(name not in reference for name in read) or not reference[roles.target].notna().any():
            return None, current
        reference = reference[reference[roles.target].notna()]
    common = [name for name in current if name in reference]
    return reference[common], current[common]


def _plain(frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Convert nullable and Arrow types to NumPy's: Evidently leaves columns of other types out without a word."""
    import pandas as pd

    plain: dict[str, Any] = {}
    for name in map(str, frame.columns):
        column = frame[name]
        kind = setting.kind(name)
        if kind is Kind.NUMERIC and pd.api.types.is_numeric_dtype(column.dtype):
            plain[name] = column.to_numpy(np.float64, na_value=np.nan) if column.isna().any() else column.to_numpy()
        elif kind is Kind.CATEGORICAL:
            plain[name] = column.astype(object).mask(column.isna(), None).to_numpy(object)
        elif kind is Kind.TIMESTAMP and pd.api.types.is_datetime64_any_dtype(column.dtype):
            plain[name] = pd.to_datetime(column, utc=True).dt.tz_localize(None).astype("datetime64[ns]").to_numpy()
    return pd.DataFrame(plain, index=frame.index)


def _definition(setting: Setting, current: pd.DataFrame, *, labelled: bool) -> DataDefinition:
    """Say what every column is."""
    from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression

    scope, roles = setting.scope, setting.scope.roles
    kinds = {name: setting.kind(name) for name in map(str, current.columns)}
    has = {name for name in (roles.target, roles.prediction, roles.score, *roles.scores.values()) if name in kinds}
    tasks: dict[str, Any] = {}
    if scope.task == "regression" and {roles.target, roles.prediction} <= has:
        tasks["regression"] = [Regression(target=roles.target, prediction=roles.prediction)]
    if scope.task == "classification" and roles.target in has:
        labels = roles.prediction if roles.prediction in has else None
        kinds |= dict.fromkeys((name for name in (roles.target, labels) if name), Kind.CATEGORICAL)
        score = roles.score if roles.score in has else None
        if roles.positive is not None and (labels or score):
            classes = {_canonical(value): value for value in current[roles.target].dropna().unique()}
            if roles.positive in classes:
                tasks["classification"] = [BinaryClassification(target=roles.target, prediction_labels=labels,
                                                                prediction_probas=score,
                                                                pos_label=classes[roles.positive])]  # fmt: skip
            elif labelled:
                there = ", ".join(sorted(classes)[:_SHOWN_CLASSES])
                raise Unanswerable(f"{roles.positive!r} (positive) is no value of {roles.target} in the sample; "
                                   f"it has: {there}", rows=len(current))  # fmt: skip
        elif labels:
            tasks["classification"] = [MulticlassClassification(target=roles.target, prediction_labels=labels)]
    of = {kind: [name for name, its in kinds.items() if its is kind] for kind in Kind}
    return DataDefinition(
        numerical_columns=of[Kind.NUMERIC], categorical_columns=of[Kind.CATEGORICAL],
        datetime_columns=of[Kind.TIMESTAMP], text_columns=[], unknown_columns=[], list_columns=[], **tasks,
    )  # fmt: skip


def _canonical(value: Any) -> str:
    """The text of a value as the rest of gate spells it: `true`, and `1` for a whole number however it is stored."""
    match value:
        case bool() | np.bool_():
            return str(value).lower()
        case float() | np.floating() | Decimal() if value == value // 1:
            return str(int(value))
        case _:
            return str(value)


def _value(need: EvidentlyMetric, result: Any) -> float:
    """The number that the policy means. For counts by label, `field` is the label and the number its share."""
    from evidently.core.metric_types import ByLabelCountValue, ByLabelValue, CountValue, MeanStdValue, SingleValue

    match result:
        case SingleValue():
            return float(result.value)
        case CountValue():
            parts = {"count": result.count, "share": result.share}
        case MeanStdValue():
            parts = {"mean": result.mean, "std": result.std}
        case ByLabelValue():
            parts = {str(label): single for label, single in result.values.items()}
        case ByLabelCountValue():
            parts = {str(label): single for label, single in result.shares.items()}
        case _:
            raise Unanswerable(f"Evidently's {need.metric} gives a table; only numbers can be held against a limit")
    if need.field not in parts:
        raise Unanswerable(f"Evidently's {need.metric} has no value for {need.field!r}; it has {', '.join(parts)}")
    return float(parts[need.field].value)
