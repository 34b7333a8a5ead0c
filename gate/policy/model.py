"""What a policy says: frozen models whose fields are the keys of the YAML.

Two models: a `Base` is a file without `applies_to`, which others extend and which may leave things open; a `Policy`
is complete and can judge. Fields say how `extends` may tighten them (`gate.checks.tighten`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, SerializeAsAny, WithJsonSchema
from pydantic_core import PydanticCustomError

from gate.checks.contract import Check, Confidence, Name
from gate.checks.tighten import CONFIDENCE, FREE, HIGHER, RANK, SHORTER, SUPERSET, one_way
from gate.domain.finding import Severity
from gate.domain.moments import format_duration, format_moment, parse_day, parse_duration, parse_moment
from gate.domain.scope import Task


def _from_text(parse: Any) -> BeforeValidator:
    """Read text with `parse`; anything else is refused with the words of `parse` for what is allowed."""

    def read(value: Any) -> Any:
        try:
            return parse(value if isinstance(value, str) else "")
        except ValueError as wrong:
            raise PydanticCustomError("allowed", "{allowed}", {"allowed": str(wrong)}) from wrong

    return BeforeValidator(read)


def _text_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Duration = Annotated[
    timedelta,
    _from_text(parse_duration),
    PlainSerializer(format_duration),
    _text_schema("^[1-9][0-9]{0,5}(d|h|m|s)$", "28d"),
]
Moment = Annotated[
    datetime,
    _from_text(parse_moment),
    PlainSerializer(format_moment),
    _text_schema("^[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-11-20"),
]
Day = Annotated[
    date,
    _from_text(parse_day),
    PlainSerializer(date.isoformat),
    _text_schema("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "2026-09-01"),
]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
LongText = Annotated[str, Field(min_length=1, max_length=2000)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Columns_ = Annotated[tuple[Name, ...], Field(max_length=5000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Settled(_Part):
    """A part that a base settles as a whole by setting it: what it leaves out there is not open to who extends it.

    Which rows count, and what each column is, decides what every check sees: a column more to ignore, or a window
    where there was none, would loosen them all.
    """


class Pilot(_Part):
    """The pilot that the policy decides about. Shown; nothing depends on it."""

    started: Day | None = None
    decide_by: Day | None = None
    sponsor: ShortText | None = None
    department: ShortText | None = None
    use_case: ShortText | None = None
    risk: Literal["low", "medium", "high"] | None = None


class AppliesTo(_Part):
    """Which model versions the policy is for: the name fits one of the globs, and every tag has its value."""

    models: Annotated[tuple[Name, ...], Field(min_length=1)]
    tags: Mapping[str, str] = {}


class DataWindow(_Part):
    """The rows of `last` before `until`, by the time in `column`; without `until`, before the evaluation."""

    column: Name
    last: Duration
    until: Moment | None = None


class DataSource(_Part):
    """Where rows are: a dataset logged on the run in an MLflow context, or a URI."""

    mlflow: Name | None = None
    uri: Name | None = None
    window: DataWindow | None = None
    last_rows: Annotated[int, Field(ge=1)] | None = None


class Labels(_Part):
    """Truth that arrives later, joined to the current rows by the column `on`."""

    uri: Name
    on: Name
    delay: Duration = timedelta(0)


class Columns(_Part):
    """Which column plays which part. `target` null is a pilot without labels."""

    target: Name | None = None
    prediction: Name | None = None
    positive: ShortText | None = None
    score: Name | None = None
    scores: Mapping[str, Name] = {}
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    timestamp: Name | None = None
    key: Name | None = None
    segments: Annotated[Columns_, SUPERSET] = ()
    categorical: Columns_ = ()
    numeric: Columns_ = ()
    ignore: Columns_ = ()


class Data(Settled):
    """The two sides, the labels and the columns."""

    reference: DataSource
    current: DataSource
    labels: Labels | None = None
    columns: Columns = Columns()
    data_digest: Annotated[Literal["any", "content"], one_way("any", "content")] = "any"


class ChampionPredictions(_Part):
    """The columns of the current data that hold what the champion said about the same rows."""

    prediction: Name | None = None
    score: Name | None = None


class Champion(Settled):
    """The version that serves today, and where its predictions are."""

    alias: Name = "champion"
    when_missing: Annotated[Literal["hold", "skip"], one_way("skip", "hold")] = "hold"
    predictions: ChampionPredictions | None = None


class Defaults(_Part):
    """What holds for every check that says nothing else."""

    confidence: Annotated[Confidence, CONFIDENCE] = 0.95
    min_rows: Annotated[int, Field(ge=0), HIGHER] = 500
    severity: Annotated[Severity, RANK, Field(strict=False)] = Severity.MAJOR


class Evaluate(_Part):
    """How a server evaluates: how often it looks again at the version that serves, and how long one look may take."""

    every: Annotated[Duration | None, SHORTER] = None
    deadline: Annotated[Duration | None, SHORTER] = None


class VerdictRule(_Part):
    """How long a verdict holds."""

    valid_for: Annotated[Duration, SHORTER] = timedelta(days=14)


class Base(_Part):
    """What a policy file may say. Everything but `policy` and `name` may be left to the file that extends it."""

    policy: Literal["gate/v1"]
    name: Annotated[Identifier, FREE]
    description: Annotated[LongText | None, FREE] = None
    owner: Annotated[ShortText | None, FREE] = None
    pilot: Annotated[Pilot | None, FREE] = None
    applies_to: Annotated[AppliesTo | None, FREE] = None
    extends: Annotated[tuple[Name, ...], Field(max_length=8), FREE] = ()
    task: Task | None = None
    data: Data | None = None
    champion: Champion | None = None
    defaults: Defaults = Defaults()
    checks: Annotated[tuple[SerializeAsAny[Check], ...], FREE] = ()
    evaluate: Evaluate = Evaluate()
    verdict: VerdictRule = VerdictRule()


class Policy(Base):
    """A complete policy: it says which models it is for, on which data, and what must hold."""

    applies_to: Annotated[AppliesTo, FREE]
    task: Task
    data: Data
