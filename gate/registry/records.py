"""From MLflow's entities to gate's values. What cannot be a fact (an infinite metric, half a dataset) does not pass."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from gate.domain.candidate import LoggedDataset, RegistryMetric
from gate.registry.address import shown

_CONTEXT_TAG = "mlflow.data.context"


def moment(milliseconds: int | None) -> datetime | None:
    """Read MLflow's milliseconds since 1970 as a moment in UTC; 0 and None are no moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


def tags(entity_tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Copy tags as text, but for `gate.` ones: gate leaves copies there, and whoever can write tags can forge them."""
    return {str(key): str(value) for key, value in (entity_tags or {}).items() if not str(key).startswith("gate.")}


def datasets(inputs: Any) -> tuple[LoggedDataset, ...]:
    """Read the datasets logged on a run, each with the context it was logged in."""
    return tuple(_dataset(entry) for entry in (inputs.dataset_inputs if inputs is not None else ()))


def _dataset(entry: Any) -> LoggedDataset:
    dataset = entry.dataset
    contexts = [tag.value for tag in entry.tags or () if tag.key == _CONTEXT_TAG]
    rows = _json(dataset.profile).get("num_rows")
    return LoggedDataset(
        name=dataset.name or "",
        digest=dataset.digest or "",
        context=contexts[0] if len(contexts) == 1 else None,
        source_type=dataset.source_type or "",
        uri=_source_uri(_json(dataset.source)),
        rows=rows if isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0 else None,
        columns=_column_names(_json(dataset.schema)),
    )


def _source_uri(source: Mapping[str, Any]) -> str | None:
    """Find where a dataset is: a path for local files, else the URI. Sources in code or in tables have none."""
    uri = source.get("uri") or source.get("url")
    if not isinstance(uri, str):
        return None
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return unquote(parts.path)
    # A password in a URI would travel into verdicts and reports; without it the URI still names the place.
    return shown(uri) if parts.scheme in ("http", "https", "ftp") and "@" in parts.netloc else uri


def _column_names(schema: Mapping[str, Any]) -> tuple[str, ...]:
    columns = schema.get("mlflow_colspec")
    names = [column.get("name") for column in columns if isinstance(column, dict)] if isinstance(columns, list) else []
    return tuple(name for name in names if isinstance(name, str))


def _json(text: Any) -> dict[str, Any]:
    """Read a JSON object that the training code logged. A broken one says nothing, and so it is empty."""
    try:
        document = json.loads(text) if text else {}
    except (TypeError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def metrics(
    model_metrics: Iterable[Any],
    run_metrics: Mapping[str, float],
    history: Callable[[str, str], Iterable[Any]],
) -> tuple[RegistryMetric, ...]:
    """Join the logged model's metrics, which know their dataset, with the run's, which do not; finite values only.

    Args:
        model_metrics: MLflow's metrics of the logged model.
        run_metrics: key -> last value of the run.
        history: (run id, key) -> the metric's history. MLflow stores a NaN of a logged model as 0.0 and forgets that
            it was one; the run's history remembers, so a zero is looked up there.
    """
    latest: dict[tuple[str, str | None, str | None], Any] = {}
    for metric in model_metrics:
        place = (metric.key, metric.dataset_name or None, metric.dataset_digest or None)
        if place not in latest or _order(metric) >= _order(latest[place]):
            latest[place] = metric
    linked = tuple(
        RegistryMetric(key, metric.value, name, digest)
        for (key, name, digest), metric in latest.items()
        if _is_number(metric.value) and not (metric.value == 0.0 and _was_nan(metric, history))
    )
    known = {(metric.key, metric.value) for metric in linked}
    return linked + tuple(
        RegistryMetric(key, value)
        for key, value in run_metrics.items()
        if _is_number(value) and (key, value) not in known
    )


def _order(metric: Any) -> tuple[int, int]:
    return metric.step or 0, metric.timestamp or 0


def _is_number(value: float) -> bool:
    """Whether a value is a number. MLflow stores an infinity as the largest float."""
    return math.isfinite(value) and abs(value) < sys.float_info.max


def _was_nan(metric: Any, history: Callable[[str, str], Iterable[Any]]) -> bool:
    if not metric.run_id:
        return True  # nobody can say what the zero was
    return any(math.isnan(past.value) and _order(past) == _order(metric) for past in history(metric.run_id, metric.key))
