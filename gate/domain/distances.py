"""The drift distances: what each is called, and which columns it is defined for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gate.domain.columns import Kind


@dataclass(frozen=True, slots=True)
class DistanceMethod:
    """One way to say how far two distributions lie apart: 0 when they are equal, bigger is worse.

    Attributes:
        name: as a policy writes it.
        title: as a person names it.
        unit: what a number of it counts, to follow the number in a sentence ("moved 0.41 " + unit); may be empty.
        numeric, categorical: the kinds of column that it is defined for.
        largest: the value that no pair of distributions exceeds; None when there is no such value.
        binned: whether numeric columns are first cut into bins, so that `bins` of the policy matters.
    """

    name: str
    title: str
    unit: str
    numeric: bool
    categorical: bool
    largest: float | None
    binned: bool

    @property
    def phrase(self) -> str:
        """What follows the number in a sentence: "reference standard deviations (Wasserstein)"."""
        return f"{self.unit} ({self.title})" if self.unit else f"({self.title})"

    def applies_to(self, kind: Kind) -> bool:
        """Whether the distance is defined for a column of this kind."""
        match kind:
            case Kind.NUMERIC | Kind.TIMESTAMP:
                return self.numeric
            case Kind.CATEGORICAL:
                return self.categorical
            case Kind.OTHER:
                return False


_SQRT_LN_2 = 0.8325546111576977

METHODS: Mapping[str, DistanceMethod] = {
    method.name: method
    for method in (
        DistanceMethod("wasserstein", "Wasserstein", "reference standard deviations",
                       numeric=True, categorical=False, largest=None, binned=False),
        DistanceMethod("ks", "Kolmogorov-Smirnov D", "",
                       numeric=True, categorical=False, largest=1.0, binned=False),
        DistanceMethod("jensenshannon", "Jensen-Shannon distance", "",
                       numeric=True, categorical=True, largest=_SQRT_LN_2, binned=True),
        DistanceMethod("psi", "population stability index", "",
                       numeric=True, categorical=True, largest=None, binned=True),
        DistanceMethod("kl", "Kullback-Leibler divergence", "nats",
                       numeric=True, categorical=True, largest=None, binned=True),
        DistanceMethod("hellinger", "Hellinger distance", "",
                       numeric=True, categorical=True, largest=1.0, binned=True),
        DistanceMethod("tvd", "total variation distance", "",
                       numeric=True, categorical=True, largest=1.0, binned=True),
        DistanceMethod("cramers_v", "Cramér's V", "",
                       numeric=True, categorical=True, largest=1.0, binned=True),
    )
}  # fmt: skip


def method_names(kind: Kind | None = None) -> tuple[str, ...]:
    """Name the distances that are defined for a kind of column, or all of them."""
    return tuple(name for name, method in METHODS.items() if kind is None or method.applies_to(kind))
