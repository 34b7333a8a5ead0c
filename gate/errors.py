"""Everything that gate raises on purpose.

GateError                      exit 4   could not decide
├── UsageError                 exit 2   the command or the configuration is wrong
│   ├── PolicyError            exit 2   a policy or waiver file is wrong; carries every problem found
│   ├── CandidateError         exit 2   no such model, version or alias, or an entry that cannot be judged
│   ├── MissingExtraError      exit 2   an optional part of gate is not installed
│   ├── DataRefusedError       exit 2   data lies where settings do not let gate read
│   ├── KeyReusedError         exit 2   an Idempotency-Key came again with another request
│   ├── ClientPolicyError      exit 2   a server judges by its own policies, not by the one that came along
│   └── OverError              exit 2   an evaluation's state does not allow what is asked: it is over, or is not
├── TooBusyError               exit 4   too much work waits already; ask again later
├── RegistryError              exit 4   the registry is unreachable, or answers nonsense
├── DataError                  exit 4   a dataset cannot be found or read
├── EvidenceError              exit 4   evidence could not be gathered
├── StoreError                 exit 4   a verdict could not be stored or read
│   ├── DamagedError           exit 4   what is stored is not what was stored: its digest does not match
│   ├── AttemptTakenError      exit 4   another verdict took the attempt's number; number anew and store again
│   └── SupersededError        exit 4   the evaluation ended meanwhile: cancelled, swept up, or judged elsewhere
├── EngineError                exit 4   work could not be made durable
├── ServerError                exit 4   the gate server is unreachable, refuses, or answers nonsense
└── OutOfTimeError             exit 5   the caller's own time limit passed

A message starts with the place or the thing, says what was got and what is allowed, and names the next step
where there is one. It never carries a secret or a whole row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class GateError(Exception):
    """Base of all errors that gate raises on purpose."""

    exit_code: ClassVar[int] = 4


class UsageError(GateError):
    """The command, its arguments or the configuration are wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one file: where, and what."""

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        """Render as `file:line: message`, which editors and CI logs turn into a link."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


class PolicyError(UsageError):
    """A policy or waiver file is wrong; `problems` holds everything that is, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line or 0, p.message))
        super().__init__("\n".join(map(str, self.problems)))


class CandidateError(UsageError):
    """The registry has no such model, version or alias, or the entry cannot be judged."""


class MissingExtraError(UsageError):
    """An optional part of gate is not installed; the message holds the command that installs it."""

    def __init__(self, extra: str, module: str) -> None:
        super().__init__(
            f"this needs the '{extra}' extra of gate (no module named {module!r}); "
            f"install it with: pip install 'readiness-gate[{extra}]'"
        )


class DataRefusedError(UsageError):
    """Data lies outside the folders, buckets and hosts that settings name. Asking again changes nothing."""


class KeyReusedError(UsageError):
    """A key that named one request names another; `differences` says field by field what changed."""

    def __init__(self, differences: list[str]) -> None:
        self.differences = differences
        super().__init__(f"this Idempotency-Key was used for another request: {'; '.join(differences)}")


class ClientPolicyError(UsageError):
    """A server was given a policy that it does not judge by."""


class OverError(UsageError):
    """An evaluation is over and cannot be cancelled, or is not over in the way that allows a retry."""


class TooBusyError(GateError):
    """Too much work waits already; `retry_after` is when to ask again, in seconds."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"{waiting:,} evaluations wait already; ask again in {retry_after} s")


class RegistryError(GateError):
    """The registry cannot be reached, refuses, or answers nonsense."""


class DataError(GateError):
    """A dataset cannot be found, opened or read."""


class EvidenceError(GateError):
    """Evidence could not be gathered."""


class StoreError(GateError):
    """A verdict could not be stored or read back."""


class DamagedError(StoreError):
    """A stored verdict or report was changed after it was stored."""


class AttemptTakenError(StoreError):
    """Another verdict took this attempt's number between numbering and storing."""


class SupersededError(StoreError):
    """The evaluation that a verdict is for has ended meanwhile: its verdict is not stored."""


class EngineError(GateError):
    """Work could not be put in line, stopped or looked up."""


class ServerError(GateError):
    """The gate server cannot be reached, refuses, or answers nonsense."""


class OutOfTimeError(GateError):
    """The caller's own time limit passed before there was an answer."""

    exit_code = 5
