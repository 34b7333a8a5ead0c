"""Questions to MLflow, each told to an observer with its answer in one word."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from gate.flow.ports import Observer
from gate.registry.session import Mlflow
from gate.registry.trouble import answer_of

T = TypeVar("T")

# A method of MLflow's, and what gate calls the question.
_OPERATIONS: Mapping[str, str] = {
    "get_registered_model": "get_model",
    "get_model_version": "get_version",
    "get_run": "get_run",
    "get_metric_history": "get_run",
    "get_logged_model": "get_logged_model",
    "get_model_version_download_uri": "get_location",
    "search_registered_models": "search",
    "search_model_versions": "search",
    "list_artifacts": "read_files",
    "_download_file": "read_files",
    "set_model_version_tag": "set_tag",
    "delete_model_version_tag": "set_tag",
}

# What an answer must echo. MLflow fills the fields that an answer misses with nothing, and calls it a success.
_ECHOES: Mapping[str, Callable[[Any], tuple[object, ...]]] = {
    "get_registered_model": lambda model: (model.name,),
    "get_model_version": lambda version: (version.name, str(version.version)),
    "get_run": lambda run: (run.info.run_id,),
    "get_logged_model": lambda logged: (logged.model_id,),
}


class Calls:
    """The calls of one piece of work. What runs when the work is given up is a timeout; what comes later is unheard."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._lock = threading.Lock()
        self._running: dict[object, tuple[str, float]] = {}
        self._is_closed = False

    def observed(self, mlflow: Mlflow) -> Mlflow:
        """The same MLflow, whose artifact repositories tell what they are asked."""
        return replace(mlflow, artifacts=lambda *where, **named: Observed(mlflow.artifacts(*where, **named), self))

    def run(self, method: str, action: Callable[..., T], where: tuple[Any, ...], named: Mapping[str, Any]) -> T:
        """Ask, and tell what came of it."""
        call = object()
        with self._lock:
            self._running[call] = (_OPERATIONS[method], time.perf_counter())
        try:
            answer = action(*where, **named)
        except Exception as error:
            self._end(call, answer_of(error))
            raise
        self._end(call, "ok" if _echoes(method, answer, where) else "bad_response")
        return answer

    def close(self) -> None:
        """The work is over, or given up."""
        with self._lock:
            running, self._running, self._is_closed = self._running, {}, True
        for operation, began in running.values():
            self._observer.called(operation, "timeout", time.perf_counter() - began)

    def _end(self, call: object, result: str) -> None:
        with self._lock:
            known = None if self._is_closed else self._running.pop(call)
        if known is not None:
            self._observer.called(known[0], result, time.perf_counter() - known[1])


class Observed:
    """One of MLflow's clients or repositories; each of its methods that asks the server is told."""

    def __init__(self, behind: Any, calls: Calls) -> None:
        self._behind = behind
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        """Look a method up; one that is not counted would be a question that nobody hears of."""
        if name not in _OPERATIONS:
            raise AttributeError(f"{name} is not among the counted questions to MLflow")
        method = getattr(self._behind, name)
        return lambda *where, **named: self._calls.run(name, method, where, named)


def _echoes(method: str, answer: Any, asked: tuple[Any, ...]) -> bool:
    """Whether an answer is about what was asked. It says nothing on answers that echo nothing."""
    if method == "get_model_version_download_uri":
        return bool(answer)
    if method not in _ECHOES:
        return True
    try:
        said = _ECHOES[method](answer)
    except AttributeError:
        return False
    return said == tuple(map(str, asked[: len(said)]))
