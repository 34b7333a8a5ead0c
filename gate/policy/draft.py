"""The text of a first policy: what was seen, limits that follow from it, and what is left for a person to decide."""

from __future__ import annotations

import glob
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from gate.domain.plain import plain
from gate.domain.scope import Task

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Plain, these are no text for one reader of YAML or another.
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"})
USUAL_DRIFT_LIMIT = 0.1  # of all drift methods in use; docs/decisions/0006-proposed-limits.md
PILOT_ROWS = 1_000  # labelled rows that a small pilot has, at least
_MARGIN = 2.0
_LONGEST_NAME = 200
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE = 112


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of one side are: logged on the run in a context, or at a URI. Exactly one is set."""

    mlflow: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """The largest distance seen between random halves of the reference in one column: what chance alone does."""

    column: str
    distance: float


@dataclass(frozen=True, slots=True)
class SeenMetric:
    """A quality metric of the model on `rows` labelled rows of the reference, and which way is better.

    `half_interval` is half the width of its confidence interval there, 0.0 where none is known.
    """

    metric: str
    value: float
    higher_is_better: bool
    rows: int
    half_interval: float = 0.0


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns as the draft names them; None where nothing is known."""

    target: str | None = None
    prediction: str | None = None
    positive: str | None = None
    score: str | None = None
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is known of a model and its reference data.

    Attributes:
        model: the registered model's name, and `uri` the version that was looked at.
        owner: from the registry, None if it names nobody.
        rows: of the reference; `half` of each random half that the noise was measured on (0: it was not).
        missing: the share of missing values of each input, 0 to 1.
        noise: per input that can be compared, worst first.
        decisions: what a person must decide, as sentences.
    """

    model: str
    uri: str
    owner: str | None
    description: str
    task: Task
    reference: Place
    current: Place
    roles: Roles
    rows: int
    half: int
    missing: tuple[tuple[str, float], ...]
    noise: tuple[Noise, ...]
    metrics: tuple[SeenMetric, ...]
    has_champion: bool
    has_categories: bool
    decisions: tuple[str, ...]


def draft(proposal: Proposal) -> str:
    """Write the policy file. It passes `gate policy lint`, and each proposed limit says what it follows from."""
    return "\n".join([*_head(proposal), *_data(proposal), *_champion(proposal), *_checks(proposal), ""])


def file_name(model: str) -> str:
    """The name of the policy file of a model: its own, cut to 80 characters of letters, digits, `.`, `_` and `-`."""
    return (re.sub(r"[^A-Za-z0-9._-]+", "-", model)[:80].strip("-._") or "policy") + ".yaml"


def is_writable(name: str) -> bool:
    """Whether a policy can hold this name: not empty, at most 200 characters, no control characters."""
    return 0 < len(name) <= _LONGEST_NAME and not _CONTROL.search(name)


UNNAMED = "TO-BE-NAMED"
"""The owner of a proposed policy until a person puts a name there; it counts as none."""


def _head(p: Proposal) -> Iterator[str]:
    yield f"# The policy of {plain(p.model)}, proposed by `gate init {plain(p.uri)}` from {p.rows:,} reference rows."
    if p.decisions:
        yield "#"
        yield "# Decide before you rely on it:"
        for number, decision in enumerate(p.decisions, start=1):
            yield from _comment(f"{number}. {decision}", hang="   ")
    yield "policy: gate/v1"
    yield f"name: {_yaml(file_name(p.model).removesuffix('.yaml'))}"
    if p.description:
        yield f"description: {_yaml(_readable(p.description, 2_000))}"
    yield f"owner: {_yaml(_readable(p.owner or UNNAMED, 200))}   # answers for the outcome after launch"
    yield f"applies_to: {{models: [{_yaml(_pattern(p.model))}]}}"
    yield f"task: {p.task}"
    yield ""


def _data(p: Proposal) -> Iterator[str]:
    yield "data:"
    yield f"  reference: {_place(p.reference)}"
    yield f"  current: {_place(p.current)}"
    yield "  columns:"
    yield f"    target: {_yaml(p.roles.target)}"
    for role in ("prediction", "positive", "score", "timestamp"):
        value = getattr(p.roles, role)
        if value is not None:
            yield f"    {role}: {_yaml(value)}"
    yield ""


def _champion(p: Proposal) -> Iterator[str]:
    """How to compare with the champion, as comments: the gate does not know where its predictions are."""
    if not p.has_champion:
        return
    yield from _comment(
        "To compare with the version that serves today on the same rows, log its predictions beside the candidate's, "
        "take the # from the next line, and add versus: {champion: {max_increase: 2%}} to a metric below."
    )
    yield "# champion: {alias: champion, when_missing: hold, predictions: {prediction: champion_predicted}}"
    yield ""


def _checks(p: Proposal) -> Iterator[str]:
    yield "checks:"
    yield "  - {check: registry_record, requires: [owner, description, signature, lineage]}"
    yield "  # A feed of another shape is not what the model was built for, whoever signs it off."
    yield "  - {check: schema_match, severity: blocker}"
    yield "  # Fewer rows than this say little about a share or a mean."
    yield "  - {check: row_count, min: 500}"
    if p.roles.timestamp:
        yield "  - {check: freshness, max_age: 7d}"
    yield from _missing(p)
    yield "  - {check: constant_columns}"
    if p.has_categories:
        yield "  - {check: new_categories, max_share: 0.001}"
    yield from _drift(p)
    yield from _metrics(p)


def _missing(p: Proposal) -> Iterator[str]:
    """One check for each limit that follows from what was seen."""
    columns_of: dict[float, list[str]] = defaultdict(list)
    for column, share in p.missing:
        columns_of[_missing_limit(share)].append(column)
    shares = dict(p.missing)
    for number, (limit, columns) in enumerate(sorted(columns_of.items()), start=1):
        worst = max(shares[column] for column in columns)
        seen = f"at most {worst * 100:.3g} % missing" if worst else "nothing missing"
        yield f"  # In the reference: {seen}."
        name = "" if number == 1 else f"id: missing_share_{number}, "
        yield from _flow(f"{{{name}check: missing_share, max: {_number(limit)}", columns)


def _missing_limit(share: float) -> float:
    """Twice what was seen, and at least one row in a hundred, rounded up to whole per cents."""
    return min(1.0, max(0.01, math.ceil(share * _MARGIN * 100 - 1e-9) / 100))


def _drift(p: Proposal) -> Iterator[str]:
    limit = drift_limit(p.noise)
    if p.noise:
        worst = p.noise[0]
        yield from _comment(
            f"Random halves of the reference, {p.half:,} rows each, lie up to {worst.distance:.2g} apart "
            f"(in {plain(worst.column)}): that is chance. {_why(limit)}", "  ",
        )  # fmt: skip
    else:
        yield from _comment("The noise of the reference could not be measured; 0.1 is the usual limit.", "  ")
    yield f"  - check: feature_drift\n    max: {_number(limit)}"
    yield "    method: {numeric: wasserstein, categorical: jensenshannon}"
    if p.roles.prediction or p.roles.score:
        yield f"  - {{check: prediction_drift, max: {_number(limit)}}}"


def _why(limit: float) -> str:
    if limit == USUAL_DRIFT_LIMIT:
        return "The usual limit of 0.1 leaves room for it."
    return "The usual limit of 0.1 would give false alarms; this is twice the noise. More rows allow a lower one."


def drift_limit(noise: tuple[Noise, ...]) -> float:
    """The usual limit, or twice the noise, rounded up to hundredths, if that is more."""
    worst = max((n.distance for n in noise), default=0.0)
    return max(USUAL_DRIFT_LIMIT, math.ceil(worst * _MARGIN * 100 - 1e-9) / 100)


def _metrics(p: Proposal) -> Iterator[str]:
    for seen in p.metrics:
        yield from _comment(
            f"On the reference {seen.metric} is {seen.value:.4g}. The limit leaves room for a tenth more error, and "
            f"for the chance in {PILOT_ROWS:,} labelled rows; what the use needs is for a person to say.", "  ",
        )  # fmt: skip
        side = "min" if seen.higher_is_better else "max"
        yield f"  - {{check: metric, id: {seen.metric}, metric: {seen.metric}, {side}: {_number(metric_limit(seen))}}}"


def metric_limit(seen: SeenMetric) -> float:
    """A tenth more error than on the reference, or twice the half interval of a small pilot, whichever is more.

    The whole interval has to keep the limit, so half an interval alone would hold every other pilot that is as good as
    the reference. An interval shrinks with the root of the rows. To three digits, on the lenient side.
    """
    chance = 2 * seen.half_interval * math.sqrt(seen.rows / PILOT_ROWS)
    if seen.higher_is_better:
        return _rounded(seen.value - max((1 - seen.value) / 10, chance), down=True)
    return _rounded(seen.value + max(seen.value / 10, chance), down=False)


def _rounded(value: float, *, down: bool) -> float:
    """Three significant digits, to the lenient side."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    whole = math.floor(value / step + 1e-9) if down else math.ceil(value / step - 1e-9)
    return round(whole * step, 12)


# --- writing YAML -----------------------------------------------------------------------------------------------------


def _place(place: Place) -> str:
    return f"{{mlflow: {_yaml(place.mlflow)}}}" if place.mlflow is not None else f"{{uri: {_yaml(place.uri)}}}"


def _flow(head: str, columns: list[str]) -> Iterator[str]:
    """A check as a flow mapping that ends in its columns, folded at the width of a line."""
    line = f"  - {head}, columns: ["
    for number, column in enumerate(columns):
        word = _yaml(column) + ("]}" if number == len(columns) - 1 else ", ")
        if len(line) + len(word) > _LINE:
            yield line.rstrip()
            line = "      "
        line += word
    yield line


def _comment(text: str, indent: str = "", hang: str = "") -> Iterator[str]:
    """Fold a comment at the width of a line; the lines after the first hang by `hang`."""
    line = f"{indent}#"
    for word in plain(text).split():
        if len(line) + 1 + len(word) > _LINE:
            yield line
            line = f"{indent}#{hang}"
        line += f" {word}"
    yield line


def _yaml(value: str | None) -> str:
    """A value that every YAML reader reads as this very text: plain where that is safe, else in double quotes."""
    if value is None:
        return "null"
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)


def _readable(text: str, most: int) -> str:
    """Free text as a policy may hold it: on one line, without control characters, cut to its longest."""
    return " ".join(_CONTROL.sub(" ", text).split())[:most] or "?"


def _pattern(model: str) -> str:
    """The glob that fits this model; what a policy cannot hold is left to a wildcard."""
    if len(glob.escape(model)) > _LONGEST_NAME:
        return _CONTROL.sub("?", glob.escape(model[: _LONGEST_NAME // 4])) + "*"
    return _CONTROL.sub("?", glob.escape(model))


def _number(value: float) -> str:
    """A plain decimal, which is all that policies allow."""
    text = f"{value:.12f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
