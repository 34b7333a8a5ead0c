"""What a server's answers say: read strictly, believed only as far as they hold together."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.client.reply import Reply
from gate.domain.evaluation import State
from gate.domain.plain import plain
from gate.errors import GateError, PolicyError, Problem, ServerError, UsageError

_JSON = frozenset({"application/json", "application/problem+json"})
_LONGEST_TEXT = 4_000
_MOST_PROBLEMS = 200
_PLACE = re.compile(r"(?P<file>[^\s:][^:]*)(?::(?P<line>[1-9][0-9]{0,8}))?: (?P<message>.+)", re.DOTALL)

# Refusals that nothing but another command, policy or configuration changes.
_OF_THE_CALLER = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 422})


class _Answer(BaseModel):
    """Part of an answer. Strict, and open for keys of later versions."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


_T = TypeVar("_T", bound=_Answer)


class ProblemAnswer(_Answer):
    """problem+json: why a request was refused."""

    type: str
    title: str = ""
    detail: str = ""
    problems: tuple[Any, ...] = ()
    errors: tuple[Any, ...] = ()

    @property
    def kind(self) -> str:
        """The last word of the type: `policy-error`, `too-many-requests`."""
        return re.split(r"[:/#]", self.type)[-1]


class TroubleAnswer(_Answer):
    """Why an evaluation ended without a verdict."""

    detail: str = ""
    title: str = ""
    exit_code: int = 4
    problems: tuple[str, ...] = ()


class EvaluationAnswer(_Answer):
    """An evaluation as the server tells of it."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$")]
    state: State
    model: str
    stage: str | None
    report_only: bool
    created_at: datetime
    verdict_id: str | None = None
    verdict_url: str | None = None
    decision: str | None = None
    exit_code: int | None = None
    trouble: TroubleAnswer | None = None
    phase: Any = None
    links: Any = None


class ReportFile(_Answer):
    """A file of a report. Its address is ours to build."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]


class ReportAnswer(_Answer):
    """The files of a report."""

    files: Annotated[tuple[ReportFile, ...], Field(max_length=100)]


class ReadinessAnswer(_Answer):
    """Whether a server can do its work."""

    class Check(_Answer):
        """One thing that it needs, or could do with."""

        ok: bool
        needed: bool = True
        detail: str = ""

    ready: bool
    checks: dict[str, Check]


class OpenApiAnswer(_Answer):
    """The description of the API, of which only the version is read."""

    class Info(_Answer):
        """About the API."""

        version: Annotated[str, Field(max_length=40)]

    info: Info


class Verdicts(_Answer):
    """A page of verdicts, of which only the ids are read."""

    class Item(_Answer):
        """One verdict."""

        id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$")]

    items: Annotated[tuple[Item, ...], Field(max_length=200)]


def read_answer(kind: type[_T], reply: Reply, server: str) -> _T:
    """Read a good answer; ServerError says what is odd about one that is none.

    A page of a proxy, half an answer and an answer of something else are all the same here: no answer.
    """
    if reply.status not in (200, 202):
        raise refusal(reply, server)
    if reply.media_type != "application/json":
        raise not_gate(reply, server)
    try:
        return kind.model_validate_json(reply.body)
    except ValidationError as wrong:
        raise ServerError(f"{server}: answered with something that gate does not say: {first_error(wrong)}") from wrong


def read_problem(reply: Reply) -> ProblemAnswer | None:
    """The problem that an answer states; None if it states none."""
    if reply.media_type != "application/problem+json":
        return None
    try:
        return ProblemAnswer.model_validate_json(reply.body)
    except ValidationError:
        return None


def refusal(reply: Reply, server: str) -> GateError:
    """The error that a refused request stands for: the caller's (exit 2) only if gate itself says so, else exit 4."""
    problem = read_problem(reply)
    if problem is None:
        return not_gate(reply, server)
    text = f"{server}: {_sentence(problem.detail or problem.title or problem.kind)}"
    if reply.status not in _OF_THE_CALLER:
        return ServerError(f"{text} ({reply.status})")
    if problem.kind == "policy-error" and problem.problems:
        return PolicyError([_problem(line, server) for line in problem.problems[:_MOST_PROBLEMS]])
    listed = [_listed(error) for error in (*problem.errors, *problem.problems)[:_MOST_PROBLEMS]]
    more = "; ".join(line for line in listed if line not in text)
    return UsageError(f"{text}; {more}" if more else text)


def not_gate(reply: Reply, server: str) -> ServerError:
    """The error for an answer that no gate server gives."""
    what = f"a page ({reply.media_type})" if "html" in reply.media_type else reply.media_type or "no content type"
    return ServerError(
        f"{server}: answered {reply.status} with {plain(what)[:100]}, not as a gate server does; "
        f"is this its address, and does a login or a proxy stand in front of it?"
    )


def first_error(wrong: ValidationError) -> str:
    """Say where the first thing that is wrong stands, and what it is."""
    error = wrong.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, error["loc"]))
    return plain(f"{place}: {error['msg']}" if place else error["msg"])[:300]


def _problem(line: object, server: str) -> Problem:
    """A problem from its line, `file:line: message`, such that it reads the same again."""
    text = _sentence(line)
    found = _PLACE.fullmatch(text)
    if found is None:
        return Problem(server, None, text)
    return Problem(found["file"], int(found["line"]) if found["line"] else None, found["message"])


def _listed(error: object) -> str:
    """One entry of a problem's list: a sentence, or the place and the message of a field."""
    if not isinstance(error, dict):
        return _sentence(error)
    return _sentence(f"{error.get('place', 'somewhere')}: {error.get('message', 'is wrong')}")


def _sentence(text: object) -> str:
    return str(text)[:_LONGEST_TEXT]
