# ruff: noqa: E501, ISC004  # messages and files are written out in full
import pytest

from gate.policy.lint import lint
from gate.policy.load import load

GOOD = "  - {check: schema_match, severity: blocker}\n  - {check: metric, metric: accuracy, min: 0.8}\n"


@pytest.fixture
def remarks(tmp_path):
    """What the linter says about a policy with these checks and other keys, without the path of the file."""

    def say(checks="", extra="owner: us\n", good=GOOD, columns=""):
        path = tmp_path / "p.yaml"
        path.write_text(
            "policy: gate/v1\nname: p\napplies_to: {models: [p]}\ntask: classification\n"
            "data:\n  reference: {mlflow: training}\n  current: {uri: now.parquet}\n"
            f"  columns: {{target: y, prediction: p, positive: a, score: s, timestamp: at{columns}}}\n{extra}checks:\n{good}{checks}"
        )
        return [str(advice).removeprefix(str(path)) for advice in lint(load(path))]

    return say


def test_a_good_policy_needs_no_advice(remarks):
    assert remarks() == []


@pytest.mark.parametrize(
    ("check", "remark"),
    [
        ("{id: x, check: metric, metric: f1, min: 0.5, confidence: point}",
         "warning: x.confidence: point judges the value as if it had no sampling error; name a confidence such as 0.95"),
        ("{id: x, check: metric, metric: f1, min: 1.0}", "error: x.min: f1 is 0 to 1: only a perfect model reaches 1"),
        ("{id: x, check: metric, metric: brier, max: 1.0}", "error: x.max: brier is 0 to 1: every model keeps to 1"),
        ("{id: x, check: metric, metric: roc_auc, min: 0.5}", "warning: x.min: a coin reaches 0.5"),
        ("{id: x, check: metric, metric: log_loss, max: 1, segments: {by: [at], max: 0}}",
         "error: x.segments.max: log_loss is at least 0: only a perfect model keeps to 0"),
        ("{id: x, check: metric, metric: f1, min: 0.5, segments: {by: [at], min_rows: 10}}",
         "warning: x.segments.min_rows: 10 rows of a segment say little; 50 are few"),
        ("{id: x, check: metric, metric: f1, min: 0.5, min_rows: 99}", "warning: x.min_rows: 99 rows say little; 100 are few"),
        ("{check: missing_share, max: 1.0}", "error: missing_share.max: a share is never above 1: 1 lets everything through"),
        ("{check: new_categories, max_share: 1.0}",
         "error: new_categories.max_share: a share is never above 1: 1 lets everything through"),
        ("{id: x, check: row_share, column: a, equals: b, max: 1.0}",
         "error: x.max: a share is never above 1: 1 lets everything through"),
        ("{check: feature_drift, max: 0}",
         "error: feature_drift.max: two samples of one population differ a little: 0 holds everything"),
        ("{check: feature_drift, max: 1.0}",
         "error: feature_drift.max: jensenshannon is never above 0.8326: 1 lets everything through"),
        ("{check: feature_drift, max: 0.1, bins: evidently}",
         "warning: feature_drift.bins: equal bins over the whole range: one outlier puts all other rows into one bin; "
         "prefer bins: reference"),
        ("{check: prediction_drift, max: 0.1, min_rows: 20}",
         "warning: prediction_drift.min_rows: a distance between 20 rows and the reference is mostly chance; "
         "ask for 100 at least"),
        ("{check: missing_share, max: 0.1, severity: info}",
         "warning: missing_share.severity: info never decides: the check is shown and not enforced"),
        ("{check: evidently, metric: MinValu, min: 3}",
         "error: evidently.metric: Evidently has no metric 'MinValu'; did you mean 'MinValue'?"),
        ("{check: evidently, metric: MinValue, min: 3}",
         "error: evidently.parameters: MinValue needs the parameter 'column': text"),
        ("{id: x, check: row_share, column: a, equals: b, min: 0.1, max: 1.0}", ""),
        ("{id: x, check: metric, metric: f1, min: 0.5, min_rows: 100}", ""),
        ("{check: prediction_drift, max: 0.1, min_rows: 100}", ""),
        ("{check: evidently, metric: MinValue, parameters: {column: a}, min: 3}", ""),
    ],
)  # fmt: skip
def test_a_check_that_does_not_do_what_it_seems_to(remarks, check, remark):
    assert remarks(f"  - {check}\n") == ([f":13: {remark}"] if remark else [])


@pytest.mark.parametrize(
    ("extra", "remark"),
    [
        ("", ":1: warning: owner is missing: nobody answers for the outcome after launch"),
        ("owner: us\ndefaults: {confidence: point}\n",
         ":10: warning: defaults.confidence: point judges values as if they had no sampling error; "
         "name a confidence such as 0.95"),
        ("owner: us\ndefaults: {min_rows: 99}\n", ":10: warning: defaults.min_rows: 99 rows say little; 100 are few"),
        ("owner: us\nchampion: {alias: live}\n", ":10: warning: champion: no check compares with it; add versus to a metric"),
    ],
)  # fmt: skip
def test_what_is_missing_around_the_checks(remarks, extra, remark):
    assert remarks(extra=extra) == [remark]


def test_a_skipped_comparison_is_said(remarks):
    assert remarks(
        "  - {id: x, check: metric, metric: f1, versus: {champion: {max_decrease: 0.01}}}\n",
        extra="owner: us\nchampion: {when_missing: skip}\n",
    ) == [
        ":10: warning: champion.when_missing: skip lets a candidate through without the comparison (as a counted warning)"
    ]


def test_what_no_check_looks_at(remarks):
    assert remarks(good="  - {check: row_count, min: 10}\n") == [
        ":10: warning: no check is a blocker: every one of them can be waived",
        ":10: warning: no metric: whether the model is any good is not judged",
        ":10: warning: no schema_match: columns may disappear or change their type unnoticed",
    ]
