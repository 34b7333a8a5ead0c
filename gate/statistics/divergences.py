"""How far two lists of shares lie apart. Each function is 0 for equal lists; bigger is worse.

All take `reference` and `current` of equal shape (k,), non-negative, each with a sum of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gate.statistics.parts import Floats

Divergence = Callable[[Floats, Floats], float]


def jensenshannon(reference: Floats, current: Floats) -> float:
    """The square root of the Jensen-Shannon divergence in nats, 0 to sqrt(ln 2) = 0.8326.

    Source: Lin 1991, doi:10.1109/18.61115; the same numbers as scipy.spatial.distance.jensenshannon.
    """
    middle = (reference + current) / 2
    return float(np.sqrt(max(_relative_entropy(reference, middle) + _relative_entropy(current, middle), 0.0) / 2))


def hellinger(reference: Floats, current: Floats) -> float:
    """sqrt(1 - sum of sqrt(r * c)), 0 to 1.

    Summed as half the squared differences of the roots, which does not cancel near 0.
    """
    return float(np.sqrt(min(np.square(np.sqrt(reference) - np.sqrt(current)).sum() / 2, 1.0)))


def tvd(reference: Floats, current: Floats) -> float:
    """Half the sum of absolute differences: the share of rows that would have to change, 0 to 1."""
    return min(float(np.abs(reference - current).sum()) / 2, 1.0)


def cramers_v(reference: Floats, current: Floats) -> float:
    """Cramér's V of the table side x bin with both sides weighted alike, 0 to 1.

    With the sides weighted by their rows, a current side much smaller than the reference has a V near 0 however much
    it moved; so the sides count alike, and with equal rows this is Cramér's V as always: sqrt(chi-square / rows).
    """
    both = reference + current
    seen = both > 0
    return float(np.sqrt(min((np.square(reference - current)[seen] / both[seen]).sum() / 2, 1.0)))


def psi(reference: Floats, current: Floats) -> float:
    """The population stability index, the sum of (r - c) * ln(r / c), after `fill_zeros`."""
    r, c = fill_zeros(reference), fill_zeros(current)
    return float(((r - c) * np.log(r / c)).sum())


def kl(reference: Floats, current: Floats) -> float:
    """The Kullback-Leibler divergence of reference from current in nats, after `fill_zeros` and rescaling to 1."""
    r, c = fill_zeros(reference), fill_zeros(current)
    return max(_relative_entropy(r / r.sum(), c / c.sum()), 0.0)


def fill_zeros(shares: Floats) -> Floats:
    """Give empty bins a small share, so that logarithms are finite.

    It is 0.0001; where the smallest share that is not 0 is at most that, it is a millionth of that share.
    Source: Evidently 0.7 (`get_binned_data`), kept so that PSI and KL agree with Evidently's on the same bins.
    """
    smallest = float(shares[shares > 0].min())
    return np.where(shares == 0, smallest / 1e6 if smallest <= 1e-4 else 1e-4, shares)


def _relative_entropy(p: Floats, q: Floats) -> float:
    held = p > 0
    return float((p[held] * np.log(p[held] / q[held])).sum())


DIVERGENCES: Mapping[str, Divergence] = {
    "jensenshannon": jensenshannon,
    "psi": psi,
    "kl": kl,
    "hellinger": hellinger,
    "tvd": tvd,
    "cramers_v": cramers_v,
}
BOUNDED = frozenset({"jensenshannon", "hellinger", "tvd", "cramers_v"})  # finite also for disjoint shares
