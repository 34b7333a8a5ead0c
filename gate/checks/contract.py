"""What every check fulfils. The fields of a check are its YAML parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gate.checks.tighten import CONFIDENCE, HIGHER, RANK
from gate.domain.evidence import Evidence
from gate.domain.finding import Dimension, Judgement, Severity
from gate.domain.need import Need
from gate.domain.scope import Scope

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Confidence = Annotated[float, Field(ge=0.5, le=0.999)] | Literal["point"]


class Check(BaseModel, ABC):
    """One requirement of a policy.

    A kind is one module of `gate.checks` named like the kind, with exactly one class. Its docstring explains it to
    people (`gate checks KIND`, the policy reference) and holds a YAML example that a test loads.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    kind: ClassVar[str]
    kind_dimension: ClassVar[Dimension] = Dimension.TECHNICAL
    kind_severity: ClassVar[Severity | None] = None  # None: what the policy's defaults say
    is_implicit: ClassVar[bool] = False  # always judged, never written in a policy

    check: Name = ""
    id: Name | None = None
    severity: Annotated[Severity | None, RANK, Field(strict=False)] = None
    dimension: Annotated[Dimension | None, Field(strict=False)] = None
    owner: Name | None = None
    confidence: Annotated[Confidence | None, CONFIDENCE] = None
    min_rows: Annotated[int | None, Field(ge=0), HIGHER] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Name the kind after its module."""
        cls.kind = cls.__module__.rpartition(".")[2]

    def __hash__(self) -> int:
        """Hash by name: the id is unique in a policy, and a field may be a mapping."""
        return hash((self.kind, self.name))

    @property
    def name(self) -> str:
        """The id of the check: the kind unless the policy names it."""
        return self.id or self.kind

    def confidence_in(self, scope: Scope) -> float | None:
        """The confidence of this check's intervals; None to judge the value as it is."""
        chosen = self.confidence if self.confidence is not None else scope.confidence
        return None if chosen == "point" else chosen

    def min_rows_in(self, scope: Scope) -> int:
        """The rows below which a number inferred from a sample is not judged."""
        return scope.min_rows if self.min_rows is None else self.min_rows

    @abstractmethod
    def needs(self, scope: Scope) -> tuple[Need, ...]:
        """Name the evidence that `judge` will read, with the limits it will be held against."""

    @abstractmethod
    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Answer from `evidence` alone: no clock, no network, no files. Never empty: silence would look green."""
