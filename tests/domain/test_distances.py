from __future__ import annotations

import pytest

from gate.domain.columns import Kind
from gate.domain.distances import METHODS, method_names

CATEGORICAL = ("jensenshannon", "psi", "kl", "hellinger", "tvd", "cramers_v")


def test_there_are_eight_and_the_unordered_six_are_for_categories_too():
    assert (
        method_names()
        == method_names(Kind.NUMERIC)
        == method_names(Kind.TIMESTAMP)
        == ("wasserstein", "ks", *CATEGORICAL)
    )
    assert method_names(Kind.CATEGORICAL) == CATEGORICAL
    assert method_names(Kind.OTHER) == ()


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("wasserstein", "reference standard deviations (Wasserstein)"),
        ("psi", "(population stability index)"),
        ("kl", "nats (Kullback-Leibler divergence)"),
    ],
)
def test_names_itself_to_people(name, phrase):
    assert METHODS[name].phrase == phrase
