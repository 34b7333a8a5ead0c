"""The JSON of the API, as classes: what is read is strict, what is written is documented."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gate.domain import evaluation as domain
from gate.server.problem import PREFIX, title_of

# Text that people and logs may see: no control characters, and nothing that reorders what stands beside it.
_PLAIN = "[^\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"
# No NUL: PostgreSQL keeps none. Tabs and line ends are what a policy is made of.
_FILE = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]*$"
MODEL_URI = (
    "^models:/+[^/@\\s\\u0000-\\u0020\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"
    "[^/@\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]{0,255}"
    "(/[1-9][0-9]{0,8}|@[A-Za-z0-9_-]{1,255})$"
)

PlainText = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=f"^{_PLAIN}+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=f"^{_PLAIN}+$")]
Stage = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Version = Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,8}$")]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern="^[A-Za-z0-9._~=-]+$")]

ID = "3f0c2a54-6e0b-5b64-8c1e-0d6f3a7b9c11"
_VERDICT = "b7f6c1d2-4a53-4b0e-9a37-2f6f0c9d8e10"
_SHA = "sha256:" + "ab" * 32


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClientPolicy(_Read):
    """A policy that comes along with a request; a server takes it only if it says `client_policies: tighten`."""

    file: Name = Field(description="The name of the file, for messages.", examples=["stricter.yaml"])
    text: Annotated[str, StringConstraints(min_length=1, max_length=262_144, pattern=_FILE)] = Field(
        description="Its text. It must extend one of the server's policies, and can only be stricter.",
        examples=["policy: gate/v1\nname: stricter\nextends: [bike-demand.yaml]\n"],
    )


class Submission(_Read):
    """What to judge."""

    model: Annotated[str, StringConstraints(pattern=MODEL_URI)] = Field(
        description="MLflow's URI of the candidate: `models:/NAME/VERSION` or `models:/NAME@ALIAS`.",
        examples=["models:/bike-demand/3"],
    )
    stage: Stage | None = Field(None, description="The stage to judge for; null: the policy's first.")
    reference: PlainText | None = Field(
        None, description="Other reference data than the policy's; the verdict says so."
    )
    current: PlainText | None = Field(None, description="Other current data than the policy's; the verdict says so.")
    report_only: bool = Field(
        False, description="Judge, but enforce nothing: never a promotion, exit code 0 for a hold."
    )
    policy: ClientPolicy | None = Field(None, description="A policy that is stricter than the server's.")
    trigger: Literal["ci", "api", "ui"] = Field("api", description="Who asks: a pipeline, a program, or the web pages.")

    def to_domain(self) -> domain.Submission:
        """The same as a frozen value."""
        brought = domain.ClientPolicy(self.policy.file, self.policy.text) if self.policy else None
        return domain.Submission(
            self.model, self.stage, self.reference, self.current, not self.report_only, brought,
            domain.Trigger(self.trigger),
        )  # fmt: skip


class Trouble(_Written):
    """Why an evaluation ended without a verdict."""

    type: str = Field(pattern=f"^{PREFIX}", examples=[PREFIX + "registry-unreachable"])
    title: str = Field(examples=["The registry does not answer"])
    detail: str = Field(examples=["the registry did not answer within 15 s"])
    exit_code: int = Field(ge=2, le=4, description="What `gate check` exits with.", examples=[4])
    problems: list[str] = Field(description="Of a wrong policy, everything that is wrong with it.", examples=[[]])

    @classmethod
    def of(cls, trouble: domain.Trouble) -> Trouble:
        """Write a trouble."""
        return cls(
            type=PREFIX + trouble.kind,
            title=title_of(trouble.kind),
            detail=_whole(trouble.detail),
            exit_code=trouble.exit_code,
            problems=[_whole(problem) for problem in trouble.problems],
        )


class Links(_Written):
    """Where to go from here. Those of the API are relative to the server; `page` is for people."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    self_: str = Field(alias="self", examples=[f"/v1/evaluations/{ID}"])
    events: str = Field(examples=[f"/v1/evaluations/{ID}/events"])
    verdict: str | None = Field(examples=[f"/v1/verdicts/{_VERDICT}"])
    page: str = Field(examples=[f"https://gate.example.com/evaluations/{ID}"])


class Evaluation(_Written):
    """A request on its way to a verdict, or to the reason why there is none."""

    id: str = Field(examples=[ID])
    state: domain.State = Field(description="The last three are final. A hold is `done`.", examples=["done"])
    model: str = Field(description="The candidate as it was asked for.", examples=["models:/bike-demand/3"])
    model_name: str = Field(examples=["bike-demand"])
    stage: str | None = Field(examples=[None])
    report_only: bool = Field(examples=[False])
    trigger: domain.Trigger = Field(examples=["ci"])
    created_at: datetime = Field(examples=["2026-11-22T12:00:00Z"])
    started_at: datetime | None = Field(examples=["2026-11-22T12:00:00.120000Z"])
    finished_at: datetime | None = Field(examples=["2026-11-22T12:00:01.480000Z"])
    expires_at: datetime = Field(
        description="When it is given up: while queued, for want of a worker; while running, at its deadline.",
        examples=["2026-11-22T12:30:00.120000Z"],
    )
    tries: int = Field(description="How often work began; more than one after a crash.", examples=[1])
    retry_of: str | None = Field(description="The evaluation that this one tries again.", examples=[None])
    verdict_id: str | None = Field(examples=[_VERDICT])
    verdict_url: str | None = Field(
        description="The verdict's page, for people.", examples=[f"https://gate.example.com/verdicts/{_VERDICT}"]
    )
    decision: Literal["promote", "hold"] | None = Field(
        description="Null until it is done, and where the verdict is gone or damaged.", examples=["hold"]
    )
    exit_code: int | None = Field(
        ge=0, le=5, examples=[1],
        description="What `gate check` exits with; null until it is over, and where the verdict is gone or damaged.",
    )  # fmt: skip
    trouble: Trouble | None = Field(description="Why it ended in error.", examples=[None])
    phase: str | None = Field(description="What it does now, while it runs.", examples=[None])
    links: Links


class EvaluationPage(_Written):
    """A page of evaluations, newest first."""

    items: list[Evaluation]
    next: str | None = Field(description="`before` of the page that follows; null on the last one.", examples=[None])


class VerdictPage(_Written):
    """A page of verdicts, newest first."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="`before` of the page that follows; null on the last one.", examples=[None])


class ReportFile(_Written):
    """One file of a report."""

    name: str = Field(examples=["index.html"])
    url: str = Field(examples=[f"/v1/verdicts/{_VERDICT}/report/index.html"])


class Report(_Written):
    """The files of a verdict's report; none if none was kept, or it was purged."""

    files: list[ReportFile]


class StageVerdict(_Written):
    """The newest verdict on a model in a stage, on whichever version."""

    verdict_id: str = Field(examples=[_VERDICT])
    decision: Literal["promote", "hold"] = Field(examples=["hold"])
    cause: Literal["failed", "error", "awaiting", "insufficient"] | None = Field(examples=["failed"])
    version: str = Field(examples=["3"])
    evaluated_at: str = Field(examples=["2026-11-22T12:00:01Z"])
    valid_until: str = Field(examples=["2026-12-06T12:00:01Z"])
    enforced: bool = Field(examples=[True])


class ServedAlias(_Written):
    """Which version an alias of the registry named when it was last looked at."""

    alias: str = Field(examples=["champion"])
    version: str | None = Field(description="Null: the alias is not set.", examples=["2"])
    seen_at: datetime = Field(examples=["2026-11-22T11:59:30Z"])


class Model(_Written):
    """A model that was judged, or whose alias is watched."""

    name: str = Field(examples=["bike-demand"])
    stages: dict[str, StageVerdict] = Field(description="The newest verdict of each stage.")
    served: list[ServedAlias]


class ModelPage(_Written):
    """A page of models, by name."""

    items: list[Model]
    next: str | None = Field(description="`before` of the page that follows; null on the last one.", examples=[None])


class PolicyEntry(_Written):
    """A policy that the server judges by."""

    name: str = Field(examples=["bike-demand"])
    source: str = Field(examples=["bike-demand.yaml"])
    digest: str = Field(examples=[_SHA])
    owner: str = Field(examples=["mobility-analytics"])
    models: list[str] = Field(description="The names it is for, as globs.", examples=[["bike-demand*"]])
    every: str | None = Field(description="How often the serving version is looked at again.", examples=["1d"])


class ReloadStatus(_Written):
    """How the last look at the folder of policies went. While it is not ok, the last good set goes on judging."""

    ok: bool = Field(examples=[True])
    at: datetime = Field(
        description="When the policies in force were loaded.", examples=["2026-11-22T08:00:00Z"]
    )  # fmt: skip
    problems: list[str] = Field(examples=[[]])
    digest: str = Field(description="Of the policies in force, together.", examples=[_SHA])


class Policies(_Written):
    """The policies that the server judges by."""

    items: list[PolicyEntry]
    status: ReloadStatus


class ReadinessCheck(_Written):
    """One answer to "is it ready?"."""

    ok: bool = Field(examples=[True])
    needed: bool = Field(description="Whether the server is not ready without it.", examples=[True])
    detail: str = Field(examples=["answers, and takes writes"])


class Readiness(_Written):
    """Whether the server can do its work."""

    ready: bool = Field(examples=[True])
    checks: dict[str, ReadinessCheck]


class Alive(_Written):
    """The process answers."""

    alive: Literal[True] = Field(examples=[True])


class FieldError(_Written):
    """One thing that is wrong in a request."""

    place: str = Field(examples=["body.model"])
    message: str = Field(examples=["String should match pattern '...'"])


class Problem(BaseModel):
    """A problem document (RFC 9457). `type` never changes its meaning; other members may be added."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(pattern=f"^{PREFIX}")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="What to look for in the server's log; the header X-Request-Id says the same.")
    errors: list[FieldError] | None = Field(None, description="Of `invalid-request`: everything that is wrong.")
    problems: list[str] | None = Field(None, description="Of `policy-error`: everything that is wrong with the policy.")
    differences: list[str] | None = Field(None, description="Of `key-reused`: how the two requests differ.")
    state: str | None = Field(None, description="Of `already-over` and `not-retryable`: where the evaluation stands.")


def _whole(text: str) -> str:
    """Replace halves of characters, which come from names of files that are not UTF-8, and which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode()
