"""`gate checks`."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gate.checks.catalog import check_kinds
from gate.cli.checks import command
from gate.errors import UsageError


def said(*arguments):
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_lists_every_kind_on_a_line_under_its_dimension():
    lines = said().splitlines()
    assert lines[:2] == [
        "business", "  row_share          Limits how often something happened, such as overrides.",
    ]  # fmt: skip
    assert sum(line.split()[:1] == [kind] for kind in check_kinds() for line in lines) == len(check_kinds())
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "gate checks KIND explains one of them."


def test_explains_one_kind():
    text = said("freshness")
    assert text.startswith("freshness  (technical)\n\nRequires that the newest current row is at most `max_age` old")
    assert "  max_age: text such as 36h; required; may only be shortened\n" in text
    assert text.endswith("Example\n  - {check: freshness, max_age: 36h}\n")


@pytest.mark.parametrize("kind", check_kinds())
def test_every_kind_fits_a_terminal(kind):
    assert max(map(len, said(kind).splitlines())) <= 80


def test_an_implicit_kind_has_no_parameters():
    text = said("champion")
    assert text.startswith("champion  (technical, judged without being named in a policy)\n")
    assert "Parameters" not in text


@pytest.mark.parametrize(
    ("kind", "hint"), [("feature_drfit", "did you mean 'feature_drift'?"), ("zzz", "`gate checks` lists them")]
)
def test_an_unknown_kind_is_a_usage_error(kind, hint):
    with pytest.raises(UsageError) as error:
        said(kind)
    assert str(error.value) == f"unknown check kind {kind!r}; {hint}"
