"""What the flow needs from the world: small protocols that adapters fulfil."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gate.domain.candidate import Candidate, ModelRef
from gate.domain.dataset import DatasetFacts, Source
from gate.domain.evidence import Missing, Reading
from gate.domain.need import Need
from gate.domain.part import PartRequest
from gate.domain.picture import Pictures
from gate.domain.scope import Scope
from gate.domain.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

    from gate.statistics.parts import Part


class Registry(Protocol):
    """The model registry, read only. Every method raises RegistryError within the registry's own deadline."""

    def find(self, ref: ModelRef) -> Candidate:
        """Read a model version, its run and its files' digest; CandidateError if there is none."""

    def champion(self, name: str, alias: str) -> Candidate | None:
        """Read the version that `alias` names, or None if the model has no such alias."""

    def fetch(self, uri: str, folder: Path) -> Path:
        """Download the artifact behind a `runs:/`, `models:/` or `mlflow-artifacts:/` URI into `folder`."""


class Dataset(Protocol):
    """Opened rows of one side: a window resolved, labels joined, nothing measured yet."""

    @property
    def facts(self) -> DatasetFacts:
        """What is known without measuring."""

    def parts(self, requests: Iterable[PartRequest]) -> Mapping[PartRequest, Part | Missing]:
        """Compute profile parts; one answer for every request. What cannot be computed is Missing, with the reason."""

    def versions(self, column: str) -> tuple[str, ...]:
        """The distinct values of a `model_version` column, as text, at most ten; null shows as ''."""

    def shared_rows(self, reference: Dataset, columns: tuple[str, ...]) -> int | Missing:
        """Count the rows that also occur in `reference`, compared on `columns`."""

    def sample(self, rows: int, seed: int, columns: Sequence[str]) -> pd.DataFrame:
        """Draw at most `rows` rows, the same ones for the same seed, as a frame."""


class Datasets(Protocol):
    """Opens datasets."""

    def open(self, source: Source, *, now: datetime) -> Dataset:
        """Open the rows of `source`; DataError if they cannot be found or read. Empty data opens."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The evidence report: file name -> content, ready to be written into a folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The answers to all needs, the report that shows the same numbers, and what there is to draw."""

    evidence: Mapping[Need, Reading]
    report: ReportFiles = field(default_factory=ReportFiles)
    pictures: Pictures = field(default_factory=Pictures)
    timings_seconds: Mapping[str, float] = field(default_factory=dict)


class EvidenceSource(Protocol):
    """Measures."""

    def gather(
        self, needs: Sequence[Need], scope: Scope, reference: Dataset, current: Dataset, *, now: datetime, report: bool
    ) -> Gathered:
        """Answer every need; what has no answer is Missing. With `report`, also make the report and the pictures."""


class VerdictStore(Protocol):
    """Keeps verdicts."""

    def save(self, verdict: Verdict, document: Mapping[str, object]) -> None:
        """Store a verdict with its JSON document, or raise StoreError. Nothing is published before this returns."""

    def attempt(self, model_digest: str, stage: str, inputs_digest: str) -> int:
        """The number of this attempt: 1 for the first; equal inputs are the same attempt, an error uses none."""

    def find(self, verdict_id: str) -> Mapping[str, object] | None:
        """The document of a verdict by its id or an unambiguous prefix of it."""

    def latest(self, model_name: str, *, other_than: str | None = None) -> Mapping[str, object] | None:
        """The document of the newest verdict on any version of a model, leaving out one id."""


class Observer(Protocol):
    """Hears what happens."""

    def phase(self, name: str, detail: str = "") -> None:
        """A phase of the evaluation begins."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as the flow sees it. `folder` is a private place for downloads, removed afterwards."""

    registry: Registry
    datasets: Datasets
    evidence: EvidenceSource
    store: VerdictStore
    observer: Observer
    folder: Path
