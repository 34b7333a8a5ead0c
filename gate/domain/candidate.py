"""What asks to be promoted: a registered model version and everything the registry says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gate.errors import UsageError

_URI = re.compile(r"models:/+(?P<name>[^/@\s][^/@]*?)(?:/(?P<version>[1-9][0-9]{0,8})|@(?P<alias>[A-Za-z0-9_-]+))\Z")

_LONGEST_NAME = 256  # the column of MLflow's registry


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version as a person names it: by number or by alias, exactly one of them."""

    name: str
    version: str | None = None
    alias: str | None = None

    @classmethod
    def parse(cls, uri: str) -> ModelRef:
        """Read MLflow's `models:/name/3` or `models:/name@alias`; anything else is a UsageError that shows both."""
        match = _URI.match(uri)
        if match is None or any(ord(c) < 32 or c in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e" for c in uri):
            raise UsageError(f"{uri!r} is not a model URI; write models:/NAME/VERSION or models:/NAME@ALIAS")
        if len(match["name"]) > _LONGEST_NAME:
            raise UsageError(f"the model's name has {len(match['name']):,} characters; MLflow keeps {_LONGEST_NAME}")
        return cls(match["name"], match["version"], match["alias"])

    @property
    def uri(self) -> str:
        """The same reference as an MLflow URI."""
        return f"models:/{self.name}/{self.version}" if self.version else f"models:/{self.name}@{self.alias}"


@dataclass(frozen=True, slots=True)
class SignatureColumn:
    """A column of the model signature: name, MLflow type (`double`, `string`, ...), whether it must be there."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs and outputs that the model declares. A tensor signature has unnamed columns and is kept empty."""

    inputs: tuple[SignatureColumn, ...]
    outputs: tuple[SignatureColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class LoggedDataset:
    """A dataset logged on the run. MLflow's digest samples the rows: it names, it proves nothing."""

    name: str
    digest: str
    context: str | None
    source_type: str
    uri: str | None
    rows: int | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistryMetric:
    """A metric value in the registry, with the dataset it was measured on where the registry knows."""

    key: str
    value: float
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of the logged model: posix path below the model folder, size in bytes."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered model version as the registry showed it at one moment. The champion is one too."""

    name: str
    version: str
    digest: str  # sha256 of the manifest of the logged model's files
    run_id: str | None
    model_id: str | None
    source: str
    description: str = ""
    model_description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)  # of the version
    model_tags: Mapping[str, str] = field(default_factory=dict)  # of the registered model
    run_tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    signature: Signature | None = None
    datasets: tuple[LoggedDataset, ...] = ()
    metrics: tuple[RegistryMetric, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    created_at: datetime | None = None

    @property
    def uri(self) -> str:
        """The candidate by number, whatever alias it was asked for by."""
        return f"models:/{self.name}/{self.version}"

    @property
    def size_bytes(self) -> int:
        """The size of all files of the model."""
        return sum(artifact.size_bytes for artifact in self.artifacts)

    def logged_as(self, context: str) -> tuple[LoggedDataset, ...]:
        """The datasets that were logged on the run in `context`."""
        return tuple(d for d in self.datasets if d.context == context)
