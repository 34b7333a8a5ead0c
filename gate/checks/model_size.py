"""Limits how large a model may be."""

from __future__ import annotations

from typing import Annotated

from gate.checks.contract import Check
from gate.checks.fields import Bytes, size
from gate.checks.judging import Wording, judge_number
from gate.checks.tighten import LOWER
from gate.domain.candidate import Candidate
from gate.domain.evidence import Evidence, Measured, Missing, Reading, Stated
from gate.domain.finding import Judgement
from gate.domain.need import Limit, Record
from gate.domain.scope import Scope


class ModelSize(Check):
    """Requires that the files of the logged model take at most `max`, a number of bytes or a size such as 500MB.

    Judged on the sizes in the registry's list of files. Units: KB, MB, GB, TB of 1000, KiB, MiB, GiB, TiB of 1024.

    Example:
        - {check: model_size, max: 500MB}
    """

    max: Annotated[Bytes, LOWER]

    @property
    def _limit(self) -> Limit:
        return Limit(max=float(self.max))

    def needs(self, scope: Scope) -> tuple[Record, ...]:  # noqa: ARG002  # the same in every scope
        """The record of the candidate, which lists its files."""
        return (Record(self._limit),)

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold the sum of the sizes against the limit."""
        wording = Wording(
            {},
            says=lambda shown: f"the files of the model take {shown}",
            remedy="leave out what serving does not need, or make the model smaller",
            aim=lambda shown, limited: f"bring the size of the model from {shown} to {limited}",
            show=size,
        )
        (wanted,) = self.needs(scope)
        return (judge_number(_total(evidence[wanted]), self._limit, wording),)


def _total(record: Reading) -> Reading:
    """The size as a number. No files is no evidence of a small model."""
    if not (isinstance(record, Stated) and isinstance(record.value, Candidate)):
        return record
    files = record.value.artifacts
    if not files:
        return Missing(f"the registry lists no files for {record.value.uri}, so its size is unknown")
    return Measured(float(record.value.size_bytes), len(files), "list of files", details={"files": len(files)})
