"""The request: which model version, under which policy, on which data, and how to answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gate.domain.candidate import ModelRef


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks. `reference` and `current` override the policy's data; the verdict says so.

    `policies` is a policy file or a folder of them. `enforced` False is report-only. `timeout_seconds` bounds the
    download of files; the registry has deadlines of its own.
    """

    model: ModelRef
    policies: Path
    reference: str | None = None
    current: str | None = None
    stage: str | None = None
    enforced: bool = True
    report: bool = False
    timeout_seconds: float = 600.0
    command: str = "gate check"  # how to ask again, for the findings' `reproduce`
