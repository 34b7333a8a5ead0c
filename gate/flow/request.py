"""The request: which model version, under which policy, on which data, and how to answer."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from gate.domain.candidate import Candidate, ModelRef


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
    data_folder: Path | None = None  # where relative URIs of a policy begin; None: the folder of the policy

    def again(self, candidate: Candidate, policy: str) -> str:
        """Write the command that asks the same again: the version by number, the policy that was chosen."""
        words = ["gate", "check", candidate.uri, "--policy", policy]
        for option, value in (("--reference", self.reference), ("--current", self.current), ("--stage", self.stage)):
            words += [option, value] if value is not None else []
        return shlex.join(words)
