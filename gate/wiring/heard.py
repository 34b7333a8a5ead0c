"""What happens to evaluations and in the registry, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gate.domain.evaluation import Evaluation

if TYPE_CHECKING:
    from gate.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Heard:
    """Counts; fulfils `gate.flow.work.WorkObserver`, and `gate.flow.ports.Observer` for a registry."""

    metrics: Metrics

    def begun(self) -> None:
        """One more is worked on."""
        self.metrics.in_progress(1)

    def ended(self, evaluation: Evaluation, outcome: str, seconds: float, answer: Mapping[str, Any]) -> None:
        """One is over, or will be begun again."""
        self.metrics.in_progress(-1)
        waited = (evaluation.started_at or evaluation.created_at) - evaluation.created_at
        self.metrics.evaluation(
            str(evaluation.submission.trigger), outcome, seconds, answer.get("phases", {}),
            None if outcome == "retried" else waited.total_seconds(),  # it is counted when the work is over
            evaluation.id,
        )  # fmt: skip
        self.metrics.checks(answer.get("findings", ()))

    def called(self, operation: str, result: str, seconds: float) -> None:
        """The registry was asked."""
        self.metrics.mlflow(operation, result, seconds)

    def phase(self, name: str, detail: str = "") -> None:
        """Phases come with the answer."""

    def scanned(self, rows: int) -> None:
        """Rows were read."""
        self.metrics.scanned(rows)
