"""The scope of an evaluation: what is known before a column is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gate.domain.candidate import Signature
from gate.domain.columns import Kind, Schema

Task = Literal["classification", "regression", "none"]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column plays which part, as the policy names them."""

    target: str | None = None
    prediction: str | None = None
    positive: str | None = None  # the positive class, as text
    score: str | None = None  # probability of the positive class
    scores: Mapping[str, str] = field(default_factory=dict, hash=False)  # class -> column, multi-class
    threshold: float | None = None  # score at or above which the class is positive
    timestamp: str | None = None
    key: str | None = None
    segments: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    champion_prediction: str | None = None
    champion_score: str | None = None

    @property
    def not_features(self) -> frozenset[str]:
        """The columns that are no inputs of the model."""
        named = (self.target, self.prediction, self.score, self.timestamp, self.key, self.champion_prediction,
                 self.champion_score, *self.scores.values(), *self.ignore, "model_version")  # fmt: skip
        return frozenset(name for name in named if name is not None)


@dataclass(frozen=True, slots=True)
class Scope:
    """What every check may know when it names its needs and when it judges.

    `kinds` is pinned for every column of either side: by the policy, else by the signature, else by the
    reference's storage type.
    """

    task: Task
    roles: Roles
    reference: Schema
    current: Schema
    kinds: Mapping[str, Kind] = field(hash=False)
    signature: Signature | None = None
    has_champion: bool = False
    champion_when_missing: Literal["hold", "skip"] = "hold"
    confidence: float | None = 0.95  # None: judge the value ("point")
    min_rows: int = 0
    owner: str = ""  # who answers for the outcome, by the policy

    @property
    def features(self) -> tuple[str, ...]:
        """The model's inputs: those of the signature, else every column of the reference without another role."""
        if self.signature is not None and self.signature.inputs:
            names = tuple(column.name for column in self.signature.inputs)
        else:
            names = self.reference.names
        return tuple(name for name in names if name not in self.roles.not_features)

    def absent(self, column: str) -> str | None:
        """Say on which side `column` is absent ("current", "reference", "both sides"), or None if on neither."""
        match column in self.reference, column in self.current:
            case True, True:
                return None
            case True, False:
                return "current"
            case False, True:
                return "reference"
            case _:
                return "both sides"
