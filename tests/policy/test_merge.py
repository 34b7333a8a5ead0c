# ruff: noqa: E501, ISC004  # messages and files are written out in full
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gate.checks.catalog import policy_kinds
from gate.checks.tighten import SUPERSET, Order
from gate.domain.columns import Column, Kind, Schema
from gate.domain.evidence import Measured
from gate.domain.finding import Severity, Status
from gate.domain.need import Rows
from gate.domain.scope import Roles, Scope
from gate.errors import PolicyError
from gate.policy.load import load
from gate.policy.merge import effective, loosened, loosened_header
from gate.policy.model import Base

BASE = """\
policy: gate/v1
name: base
defaults: {min_rows: 300}
champion: {alias: champion}
data:
  reference: {mlflow: training}
  current: {uri: now.parquet, window: {column: at, last: 7d}}
  columns: {target: cnt, segments: [season]}
task: regression
checks:
  - {check: schema_match}
  - {check: missing_share, max: 0.05, columns: [temp, hum]}
  - {id: error, check: metric, metric: mae, max: 60, segments: {by: [season], max: 80}}
evaluate: {every: 7d}
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Load what a file says over BASE, as a base of its own."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)

    def lay(text):
        Path("child.yaml").write_text(f"policy: gate/v1\nname: child\nextends: [base.yaml]\n{text}")
        return load(Path("child.yaml"))

    return lay


def problem(lay, text):
    with pytest.raises(PolicyError) as caught:
        lay(text)
    return str(caught.value)


def check_named(loaded, name):
    return next(check for check in loaded.checks if check.name == name)


# --- what is said merges ----------------------------------------------------------------------------------------------


def test_saying_nothing_changes_nothing(child):
    merged = child("")
    base = load(Path("base.yaml"))
    assert merged.checks == base.checks
    assert merged.policy.data == base.policy.data
    assert merged.policy.defaults == base.policy.defaults


def test_the_same_id_overrides_and_keeps_what_it_does_not_say(child):
    merged = check_named(child("checks: [{id: error, check: metric, max: 50}]\n"), "error")
    assert (merged.max, merged.metric, merged.segments.max, merged.segments.by) == (50, "mae", 80, ("season",))


def test_a_mapping_inside_a_check_merges_too(child):
    merged = check_named(child("checks: [{id: error, check: metric, segments: {max: 70}}]\n"), "error")
    assert (merged.segments.max, merged.segments.by) == (70, ("season",))


def test_a_new_id_adds_at_the_end(child):
    merged = child("checks: [{id: looser, check: missing_share, max: 0.5, columns: [wind]}]\n")
    assert [check.name for check in merged.checks] == ["schema_match", "missing_share", "error", "looser"]


def test_a_file_speaks_for_its_own_name(child):
    assert child("description: mine\n").policy.name == "child"


def test_an_owner_is_inherited_and_may_change(child):
    assert child("owner: mine\n").policy.owner == "mine"


# --- what is said may only be stricter --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {min_rows: 300}\n",
        "defaults: {min_rows: 301, confidence: 0.99, severity: blocker}\n",
        "verdict: {valid_for: 7d}\n",
        "evaluate: {every: 7d, deadline: 10m}\n",
        "evaluate: {every: 1h}\n",
        "data: {data_digest: content}\n",
        "data: {columns: {segments: [season, weather]}}\n",
        "champion: {when_missing: hold}\n",
        "checks: [{check: missing_share, max: 0.05}]\n",
        "checks: [{check: missing_share, columns: [temp, hum, wind], severity: blocker}]\n",
        "checks: [{check: missing_share, min_rows: 300, confidence: 0.99}]\n",
        "checks: [{id: error, check: metric, versus: {champion: {max_increase: 1%}}, min_rows: 1000}]\n",
    ],
)
def test_stricter_or_equal_is_fine(child, text):
    child(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "evaluate: {every: 8d}\n",
            "child.yaml:4: evaluate.every: got 8d, but base.yaml:14 has 7d, and it may only be shortened",
        ),
        (
            "data: {current: {uri: other.parquet}}\n",
            "child.yaml:4: data.current.uri: got other.parquet, but base.yaml:7 has now.parquet, and it is fixed there\n"
            'child.yaml:4: data.current.window: got null, but base.yaml:7 has {"column": "at", "last": "7d"}, '
            "and it is fixed there",
        ),
        (
            "data: {columns: {target: casual}}\n",
            "child.yaml:4: data.columns.target: got casual, but base.yaml:8 has cnt, and it is fixed there",
        ),
        (
            "data: {columns: {segments: [weather]}}\n",
            'child.yaml:4: data.columns.segments: got ["weather"], but base.yaml:8 has ["season"], '
            "and it may only be extended",
        ),
        ("task: none\n", "child.yaml:4: task: got none, but base.yaml:9 has regression, and it is fixed there"),
        (
            "champion: {alias: other}\n",
            "child.yaml:4: champion.alias: got other, but base.yaml:4 has champion, and it is fixed there",
        ),
        (
            "champion: null\n",
            'child.yaml:4: champion: got null, but base.yaml:4 has {"alias": "champion"}, and it is fixed there',
        ),
        (
            "checks: [{id: error, check: metric, metric: rmse}]\n",
            "child.yaml:4: error.metric: got rmse, but base.yaml:13 has mae, and it is fixed there",
        ),
        (
            "checks: [{id: error, check: metric, segments: null}]\n",
            'child.yaml:4: error.segments: got null, but base.yaml:13 has {"by": ["season"], "max": 80.0}, '
            "and it is fixed there",
        ),
        (
            "checks: [{id: error, check: metric, segments: {max: 81}}]\n",
            "child.yaml:4: error.segments.max: got 81.0, but base.yaml:13 has 80.0, and it may only be lowered",
        ),
        (
            "checks: [{id: error, check: metric, min_rows: 299}]\n",
            "child.yaml:4: error.min_rows: got 299, but the base, by default, has 300, and it may only be raised",
        ),
        (
            "checks: [{id: error, check: metric, severity: null, max: null}]\n",
            "child.yaml:4: error.max: got null, but base.yaml:13 has 60.0, and it may only be lowered",
        ),
    ],
)
def test_looser_says_what_the_base_has_and_which_way_is_allowed(child, text, message):
    assert problem(child, text) == message


BARE = """\
policy: gate/v1
name: bare
champion: {alias: champion, when_missing: skip}
data: {reference: {mlflow: training}, current: {uri: now.parquet}}
"""


@pytest.mark.parametrize(
    ("said", "path", "got", "has"),
    [
        ("data: {columns: {target: cnt}}", "data.columns.target", "cnt", "null"),
        ("data: {columns: {prediction: p}}", "data.columns.prediction", "p", "null"),
        ("data: {columns: {positive: yes}}", "data.columns.positive", "yes", "null"),
        ("data: {columns: {key: id}}", "data.columns.key", "id", "null"),
        ("data: {columns: {timestamp: at}}", "data.columns.timestamp", "at", "null"),
        ("data: {columns: {ignore: [temp]}}", "data.columns.ignore", '["temp"]', "[]"),
        ("data: {columns: {categorical: [temp]}}", "data.columns.categorical", '["temp"]', "[]"),
        ("data: {columns: {numeric: [temp]}}", "data.columns.numeric", '["temp"]', "[]"),
        ("data: {columns: {scores: {a: sa, b: sb}}}", "data.columns.scores", '{"a": "sa", "b": "sb"}', "{}"),
        ("data: {current: {uri: now.parquet, last_rows: 9}}", "data.current.last_rows", "9", "null"),
        ("data: {reference: {mlflow: training, last_rows: 9}}", "data.reference.last_rows", "9", "null"),
        ("data: {current: {uri: now.parquet, window: {column: at, last: 7d}}}", "data.current.window",
         '{"column": "at", "last": "7d"}', "null"),
        ("champion: {predictions: {prediction: old}}", "champion.predictions", '{"prediction": "old"}', "null"),
        ("champion: {alias: other}", "champion.alias", "other", "champion"),
    ],
)  # fmt: skip
def test_what_a_base_leaves_out_of_its_data_or_champion_is_fixed_too(child, said, path, got, has):
    Path("base.yaml").write_text(BARE)
    said = said.replace("yes", "'yes'")
    where = "base.yaml:3" if path == "champion.alias" else "the base, by default,"
    assert (
        problem(child, said + "\n") == f"child.yaml:4: {path}: got {got}, but {where} has {has}, and it is fixed there"
    )


@pytest.mark.parametrize(
    ("base", "said", "path"),
    [
        ("columns: {score: s, positive: a}", "columns: {threshold: 0.9}", "data.columns.threshold"),
        ("columns: {positive: a}", "columns: {score: s}", "data.columns.score"),
        ("columns: {target: y}", "labels: {uri: l.parquet, on: id}", "data.labels"),
        ("columns: {target: y, timestamp: at}, labels: {uri: l.parquet, on: id}", "labels: {delay: 2d}", "data.labels.delay"),
        ("columns: {target: y}, labels: {uri: l.parquet, on: id}", "labels: {uri: m.parquet}", "data.labels.uri"),
        ("columns: {ignore: [a]}", "columns: {ignore: [a, b]}", "data.columns.ignore"),
        ("columns: {numeric: [a]}", "columns: {numeric: [a, b]}", "data.columns.numeric"),
        ("columns: {categorical: [a]}", "columns: {categorical: [a, b]}", "data.columns.categorical"),
    ],
)  # fmt: skip
def test_what_a_base_says_of_its_columns_and_labels_is_fixed(child, base, said, path):
    Path("base.yaml").write_text(BARE.replace("now.parquet}}", f"now.parquet}}, {base}}}"))
    message = problem(child, f"data: {{{said}}}\n")
    assert message.startswith(f"child.yaml:4: {path}: got ")
    assert message.endswith("and it is fixed there")
    assert "\n" not in message


def test_a_window_that_runs_on_cannot_be_stopped(child):
    message = problem(child, "data: {current: {uri: now.parquet, window: {column: at, last: 7d, until: 2026-01-01}}}\n")
    assert message.startswith("child.yaml:4: data.current.window.until: got ")
    assert message.endswith(", but the base, by default, has null, and it is fixed there")


def test_more_segments_a_stricter_digest_and_holding_without_champion_are_fine(child):
    Path("base.yaml").write_text(BARE)
    merged = child("data: {data_digest: content, columns: {segments: [season]}}\nchampion: {when_missing: hold}\n")
    assert merged.policy.data.columns.segments == ("season",)
    assert (merged.policy.data.data_digest, merged.policy.champion.when_missing) == ("content", "hold")


def test_a_base_without_data_and_champion_leaves_them_open(child):
    Path("base.yaml").write_text("policy: gate/v1\nname: bare\n")
    child(
        "data: {reference: {mlflow: t}, current: {uri: c, last_rows: 9}, columns: {ignore: [a], numeric: [b]}}\n"
        "champion: {alias: other, when_missing: skip}\n"
    )


column_parts = st.fixed_dictionaries({}, optional={
    **{role: st.sampled_from(["a", "b"]) for role in ("target", "prediction", "score", "positive", "key", "timestamp")},
    **{listing: st.sampled_from([[], ["c"], ["c", "d"]]) for listing in ("segments", "ignore", "numeric", "categorical")},
})  # fmt: skip


@given(column_parts, column_parts)
def test_only_segments_of_a_bases_columns_ever_change_and_only_grow(below, above):
    def policy(columns):
        data = {"reference": {"mlflow": "t"}, "current": {"uri": "c"}, "columns": columns}
        return Base.model_validate_json(json.dumps({"policy": "gate/v1", "name": "any", "data": data}))

    base, child = policy(below), policy(below | above)
    assume(not list(loosened_header(base, child)))
    ours, theirs = base.data.columns, child.data.columns
    assert set(ours.segments) <= set(theirs.segments)
    assert ours == theirs.model_copy(update={"segments": ours.segments})


def test_every_base_binds_not_only_the_last(child, tmp_path):
    Path("middle.yaml").write_text("policy: gate/v1\nname: middle\nextends: [base.yaml]\nchecks: [{check: missing_share, max: 0.01}]\n")  # fmt: skip
    Path("top.yaml").write_text("policy: gate/v1\nname: top\nextends: [middle.yaml]\nchecks: [{check: missing_share, max: 0.03}]\n")  # fmt: skip
    with pytest.raises(PolicyError) as caught:
        load(Path("top.yaml"))
    assert str(caught.value).startswith(
        "top.yaml:4: missing_share.max: got 0.03, but middle.yaml:4 has 0.01, and it may only be lowered"
    )


# --- the property -----------------------------------------------------------------------------------------------------

COLUMNS = ("temp", "hum", "wind")
SCHEMA = Schema(tuple(Column(name, "DOUBLE", Kind.NUMERIC) for name in (*COLUMNS, "cnt", "predicted")))
SCOPE = Scope(
    task="regression",
    roles=Roles(target="cnt", prediction="predicted"),
    reference=SCHEMA,
    current=SCHEMA,
    kinds={column.name: column.kind for column in SCHEMA},
)

limits = st.sampled_from([0.0, 0.1, 0.2, 0.5])
common = {
    "severity": st.sampled_from(["info", "major", "blocker"]),
    "confidence": st.sampled_from(["point", 0.8, 0.95]),
    "min_rows": st.sampled_from([0, 100, 1000]),
}
some_columns = {"columns": st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True)}
# Of each kind, what a check has to say and what it may say.
kinds = {
    "missing_share": ({"max": limits}, some_columns),
    "new_categories": ({"max_share": limits}, some_columns),
    "duplicate_share": ({"max": limits}, some_columns),
    "overlap": ({"max": limits}, some_columns),
    "row_count": ({"min": st.sampled_from([1, 100])}, {"max": st.sampled_from([200, 5000])}),
    "row_share": ({"column": st.just("temp"), "equals": st.just("yes"), "max": limits}, {"min": limits}),
    "metric": ({"metric": st.just("mae"), "max": limits}, {}),
    "feature_drift": ({"max": limits}, some_columns | {"max_drifted_share": st.sampled_from([0.3, 0.7])}),
    "prediction_drift": ({"max": limits}, {}),
    "evidently": (
        {"metric": st.just("MeanValue"), "parameters": st.just({"column": "temp"}), "max": limits},
        {"min": limits, "sample_rows": st.sampled_from([100])},
    ),
}


@st.composite
def overrides(draw):
    """What a base says about a check, and what a file that extends it says about the same one."""
    kind = draw(st.sampled_from(sorted(kinds)))
    needed, optional = kinds[kind]
    said = draw(st.fixed_dictionaries(needed, optional=optional | common))
    fields = needed | optional | common
    some = draw(st.lists(st.sampled_from(sorted(fields)), max_size=2, unique=True))
    return {"check": kind} | said, {field: draw(fields[field]) for field in some}


defaults = st.fixed_dictionaries({}, optional={
    "min_rows": st.sampled_from([10, 300]), "confidence": st.sampled_from([0.5, 0.9]), "severity": common["severity"],
})  # fmt: skip


def lets_through(check, policy, world):
    """Whether nothing that the check says stands in the way, given what the world measures."""
    filled = effective(check, policy)
    evidence = {need: world(need, filled.confidence) for need in filled.needs(SCOPE)}
    judged = filled.judge(evidence, SCOPE)
    return filled.severity is Severity.INFO or all(j.status in (Status.PASS, Status.WARN) for j in judged)


def read(said):
    """The check that a file would make of this, or nothing if it is refused."""
    try:
        return policy_kinds()[said["check"]].model_validate_json(json.dumps(said))
    except ValidationError:
        assume(False)


numbers = st.fixed_dictionaries(
    dict.fromkeys((*COLUMNS, "predicted", ""), st.sampled_from([0.0, 0.05, 0.1, 0.15, 0.3, 0.6]))
)


@settings(suppress_health_check=[HealthCheck.filter_too_much], max_examples=300)
@given(overrides(), defaults, defaults, numbers, st.sampled_from([0.0, 0.02, 0.2]), st.sampled_from([50, 150, 2000]))
def test_whatever_passes_the_merged_policy_passes_its_base(pair, base_defaults, own_defaults, values, width, rows):
    said, override = pair
    below, merged = read(said), read(said | override)
    header = {"policy": "gate/v1", "name": "any", "defaults": base_defaults}
    base = Base.model_validate_json(json.dumps(header))
    child = Base.model_validate_json(json.dumps(header | {"defaults": base_defaults | own_defaults}))
    assume(not list(loosened_header(base, child)))
    assume(not list(loosened(effective(below, base), effective(merged, child))))

    def world(need, confidence):
        value = float(rows) if isinstance(need, Rows) else values[getattr(need, "column", None) or ""]
        reach = 0.0 if need.census or confidence == "point" else width * confidence
        return Measured(value, rows, "drawn", interval=(value - reach, value + reach) if reach else None)

    event(f"{below.kind}: {'passes' if lets_through(merged, child, world) else 'holds'}")
    assert lets_through(below, base, world) or not lets_through(merged, child, world)


@pytest.mark.parametrize("name", sorted(policy_kinds()))
def test_no_list_that_may_only_grow_is_empty_and_means_everything(name):
    """An empty list would be the loosest to the order, and the strictest to the check."""
    for field in policy_kinds()[name].model_fields.values():
        orders = [entry for entry in field.metadata if isinstance(entry, Order)]
        assert len(orders) <= 1
        if SUPERSET in orders and field.default in ((), {}):
            assert name in ("forbidden_columns", "registry_record")  # these require what they list, and nothing else


def test_a_model_is_never_looser_than_itself():
    for kind in policy_kinds().values():
        if not any(field.is_required() for field in kind.model_fields.values()):
            try:
                check = kind(check=kind.kind)
            except ValueError:
                continue  # it wants something said
            assert list(loosened(check, check)) == []
