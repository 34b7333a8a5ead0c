"""A verdict as a server hands it over: believed only if it is whole, true to its digest, and about what was asked.

What stands between client and server may answer anything: an old page, half a file, another model's verdict. None of
that may read as a promotion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.client.reading import first_error, not_gate, refusal
from gate.client.reply import Reply
from gate.domain.candidate import ModelRef
from gate.domain.finding import Dimension, Severity, Status
from gate.domain.plain import plain
from gate.domain.verdict import EXIT_CODES, Cause
from gate.errors import ServerError
from gate.flow.document import SCHEMA, digest_of

LARGEST_BYTES = 64 * 2**20

_Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
_Name = Annotated[str, Field(min_length=1)]
_Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class Model(_Part):
    """Which version was judged."""

    name: _Name
    version: _Name
    uri: Annotated[str, Field(pattern="^models:/")]
    digest: _Sha256
    run_id: str | None


class Champion(_Part):
    """Which version served."""

    version: str
    digest: _Sha256


class Policy(_Part):
    """By which policy."""

    name: str
    digest: _Sha256
    source: str


class Side(_Part):
    """One side of the data."""

    uri: str
    digest: Annotated[str, Field(pattern=r"^(none$|[a-z0-9]+:)")]
    rows: _Count
    since: Annotated[_Moment | None, Field(alias="from")]
    until: _Moment | None
    labelled: _Count | None = None


class Data(_Part):
    """On which data."""

    reference: Side
    current: Side
    predictions: Literal["bound", "unbound", "foreign", "none"]
    overridden: bool


class Bounds(BaseModel):
    """What a number was held against."""

    model_config = ConfigDict(strict=True, extra="forbid")

    min: _Number | None = None
    max: _Number | None = None


class Finding(_Part):
    """One finding."""

    check: _Name
    kind: _Name
    dimension: Literal[tuple(map(str, Dimension))]  # type: ignore[valid-type]  # the words of the domain
    status: Literal[tuple(map(str, Status))]  # type: ignore[valid-type]  # as above
    severity: Literal[tuple(map(str, Severity))]  # type: ignore[valid-type]  # as above
    waived: bool
    waiver: str | None
    subject: dict[str, str]
    measured: _Number | None
    interval: Annotated[list[_Number], Field(min_length=2, max_length=2)] | None
    bound: Annotated[_Number, Field(ge=0)] | None
    exact: bool
    limit: Bounds | None
    rows: _Count | None
    rows_missing: int | None
    method: str | None
    reason: _Name
    remedy: str
    flip: str
    owner: str
    policy_file: str | None = None
    policy_line: Annotated[int, Field(ge=1)] | None
    reproduce: str
    details: dict[str, Any]

    @property
    def lets_through(self) -> bool:
        """Whether this finding allows a promotion, as the domain has it."""
        waived = self.waived and self.severity == Severity.MAJOR and self.status in (Status.FAIL, Status.INSUFFICIENT)
        return self.severity == Severity.INFO or self.status in (Status.PASS, Status.WARN) or waived


class Summary(_Part):
    """How many findings ended how."""

    passed: Annotated[_Count, Field(alias="pass")]
    warn: _Count
    fail: _Count
    insufficient: _Count
    error: _Count
    waived: _Count


class Shape(_Part):
    """The whole of a verdict document, as `gate/flow/verdict.schema.json` has it."""

    form: Annotated[Literal["gate.verdict/v1"], Field(alias="schema")]
    id: Annotated[str, Field(min_length=8, max_length=64)]
    decision: Literal["promote", "hold"]
    cause: Literal["failed", "error", "awaiting", "insufficient"] | None
    enforced: bool
    stage: _Name
    store: str
    model: Model
    champion: Champion | None
    policy: Policy
    data: Data
    findings: list[Finding]
    summary: Summary
    flip: list[str]
    evaluated_at: _Moment
    valid_until: _Moment
    attempt: _Count
    inputs_digest: _Sha256
    digest: _Sha256
    engine: dict[str, str]
    timings_seconds: dict[str, Annotated[_Number, Field(ge=0)]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the verdict has to be about. None is not known, and not compared."""

    verdict_id: str
    model: ModelRef
    enforced: bool
    stage: str | None = None
    overridden: bool | None = None
    decision: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict that was found good: its document, and the exit code that it stands for."""

    document: Mapping[str, Any]
    exit_code: int


def read_document(reply: Reply, server: str) -> dict[str, Any]:
    """Read a whole verdict document that is true to its digest and to itself; ServerError for anything else."""
    if reply.status != 200:
        raise refusal(reply, server)
    if reply.media_type != "application/json":
        raise not_gate(reply, server)
    return checked(reply.body, f"{server}: the verdict")


def checked(content: bytes, named: str) -> dict[str, Any]:
    """Parse and check a document; `named` begins the message of the ServerError."""
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as wrong:
        raise ServerError(f"{named} is not whole: {plain(wrong)[:200]}") from wrong
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ServerError(f"{named} is no verdict ({SCHEMA})")
    try:
        if digest_of(document) != document.get("digest"):
            raise ServerError(f"{named} was changed on its way (its digest does not match)")
    except (ValueError, TypeError, RecursionError) as wrong:
        raise ServerError(f"{named} cannot be digested: {plain(wrong)[:200]}") from wrong
    try:
        shape = Shape.model_validate(document)
    except ValidationError as wrong:
        raise ServerError(f"{named} is not whole: {first_error(wrong)}") from wrong
    if contradiction := _contradiction(shape):
        raise ServerError(f"{named} contradicts itself: {contradiction}")
    return document


def rule(document: Mapping[str, Any], asked: Asked, server: str, now: datetime) -> Ruling:
    """The exit code of a checked document, if it is about what was asked; else ServerError.

    Report-only forgives 1 and 3, never 4, exactly as in process.
    """
    model = document["model"]
    compared: tuple[tuple[str, object, object], ...] = (
        ("id", document["id"], asked.verdict_id),
        ("model", model["name"], asked.model.name),
        ("version", model["version"], asked.model.version),
        ("enforced", document["enforced"], asked.enforced),
        ("stage", document["stage"], asked.stage),
        ("overridden", document["data"]["overridden"], asked.overridden),
        ("decision", document["decision"], asked.decision),
    )
    for what, got, wanted in compared:
        if wanted is not None and got != wanted:
            raise ServerError(f"{server}: the verdict is not the one that was asked for: "
                              f"{what} is {plain(repr(got))[:100]}, expected {plain(repr(wanted))[:100]}")  # fmt: skip
    if document["decision"] == "promote" and document["valid_until"] <= f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}":
        raise ServerError(f"{server}: the verdict was valid until {document['valid_until']}: ask again with gate check")
    code = EXIT_CODES[Cause(document["cause"]) if document["cause"] else None]
    code = 0 if not document["enforced"] and code in (1, 3) else code
    if asked.exit_code is not None and asked.exit_code != code:
        raise ServerError(f"{server}: the evaluation says exit code {asked.exit_code}, its verdict says {code}")
    return Ruling(document, code)


def _contradiction(shape: Shape) -> str:
    """What a promotion says that no promotion of gate says; empty if there is nothing."""
    if (shape.decision == "promote") != (shape.cause is None):
        return f"it says {shape.decision} for the cause {shape.cause}"
    deciding = [finding for finding in shape.findings if finding.severity != Severity.INFO]
    held = [finding.check for finding in deciding if not finding.lets_through]
    if shape.decision == "promote" and not deciding:
        return "it promotes without anything that decides"
    if shape.decision == "promote" and held:
        return f"it promotes although {plain(held[0])[:100]} stands in the way"
    return ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands there twice")
    return made
