"""The request: which model version, under which policy, on which data, and how to answer."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gate.domain.candidate import Candidate, ModelRef
from gate.domain.evaluation import Trigger
from gate.policy.match import PolicySet


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks. `reference` and `current` override the policy's data; the verdict says so.

    `policies` is a policy file, a folder of them, or a set that is loaded already. `enforced` False is report-only.
    `timeout_seconds` bounds the download of files; the registry has deadlines of its own.
    """

    model: ModelRef
    policies: Path | PolicySet
    reference: str | None = None
    current: str | None = None
    stage: str | None = None
    enforced: bool = True
    report: bool = False
    timeout_seconds: float = 600.0
    data_folder: Path | None = None  # where relative URIs of a policy begin; None: the folder of the policy
    kept: Literal["local", "server"] = "local"  # where the verdict is kept, as it says itself
    evaluation: str | None = None  # the server's evaluation that this request is the work of
    trigger: Trigger = Trigger.CI

    def again(self, candidate: Candidate, policy: str) -> str:
        """Write the command that asks the same again: the version by number, the policy that was chosen.

        A server chooses among its own policies, and its paths mean nothing to whoever asks it.
        """
        words = ["gate", "check", candidate.uri, *(["--policy", policy] if self.kept == "local" else [])]
        for option, value in (("--reference", self.reference), ("--current", self.current), ("--stage", self.stage)):
            words += [option, value] if value is not None else []
        return shlex.join(words)
