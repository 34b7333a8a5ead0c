"""The measurements of gate as Evidently metrics. Importing this file imports Evidently: seconds, so do it late.

Each metric finds its measurement in the profile by its own id, in constant time, and takes the number there. Ours are
named `Profile...`, never like one of Evidently's: those read rows, these read aggregates.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd
from evidently import DataDefinition
from evidently.core.datasets import PandasDataset
from evidently.core.metric_types import (
    CountCalculation,
    CountMetric,
    CountValue,
    Metric,
    SingleValue,
    SingleValueCalculation,
    SingleValueMetric,
)

from gate.domain.picture import Distribution
from gate.evidence.measurement import Measurement
from gate.evidence.widgets import number_widget, plot_widget

S = TypeVar("S", bound=SingleValueMetric)
C = TypeVar("C", bound=CountMetric)


class ProfileDataset(PandasDataset):  # type: ignore[misc]  # the library ships no types
    """An Evidently Dataset without rows: it knows the measurement behind each metric id."""

    def __init__(
        self, measurements: Mapping[str, Measurement], pictures: Mapping[str, Distribution] | None = None
    ) -> None:
        no_columns = DataDefinition(
            numerical_columns=[], categorical_columns=[], text_columns=[], datetime_columns=[],
            unknown_columns=[], list_columns=[],
        )  # fmt: skip
        super().__init__(pd.DataFrame(), no_columns)
        self._measurements = measurements
        self._pictures = pictures or {}

    def measurement(self, metric_id: str) -> Measurement:
        """The measurement that the metric with this id shows."""
        return self._measurements[metric_id]

    def picture(self, column: str) -> Distribution | None:
        """Both distributions of a column, if there is a report to draw them in."""
        return self._pictures.get(column)


class _Titled:
    """A metric with a heading, filled from its own fields."""

    heading: ClassVar[str]

    def title(self) -> str:
        """The metric as a heading."""
        return self.heading.format_map(self.dict())  # type: ignore[attr-defined]  # a pydantic model, mixed in


class _Single(SingleValueCalculation[S], Generic[S], ABC):  # type: ignore[misc]  # noqa: PYI059  # Evidently's base has this order
    """A number from the profile."""

    def calculate(self, context: Any, current_data: ProfileDataset, reference_data: Any) -> SingleValue:  # noqa: ARG002  # the signature is Evidently's
        measurement = current_data.measurement(self.id)
        result = self.result(measurement.measured.value)
        result.widget = [number_widget(self.display_name(), measurement.measured), *self.drawn(current_data)]
        return result

    def drawn(self, profile: ProfileDataset) -> Sequence[Any]:
        """What to show below the number."""
        return profile.measurement(self.id).widgets()

    def display_name(self) -> str:
        return str(self.metric.title())


class _Count(CountCalculation[C], Generic[C], ABC):  # type: ignore[misc]  # noqa: PYI059  # Evidently's base has this order
    """A share from the profile, with the count behind it."""

    def calculate(self, context: Any, current_data: ProfileDataset, reference_data: Any) -> CountValue:  # noqa: ARG002  # the signature is Evidently's
        measured = current_data.measurement(self.id).measured
        result = self.result(measured.details["count"], measured.value)
        result.widget = [number_widget(self.display_name(), measured)]
        return result

    def display_name(self) -> str:
        return str(self.metric.title())


# --- the delivered batch ---------------------------------------------------------------------------------------------


class ProfileRowCount(_Titled, SingleValueMetric):  # type: ignore[misc]
    """Rows of one side."""

    heading: ClassVar[str] = "Rows in {side}"
    side: str


class ProfileRowCountCalculation(_Single[ProfileRowCount]):
    """From the opened dataset."""


class ProfileLabelledShare(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current rows that have a target."""

    heading: ClassVar[str] = "Labelled rows ({column} is known)"
    column: str


class ProfileLabelledShareCalculation(_Count[ProfileLabelledShare]):
    """From value counts or bins."""


class ProfileMissingShare(_Titled, CountMetric):  # type: ignore[misc]
    """Share of rows of one side where a column is null or NaN."""

    heading: ClassVar[str] = "Missing values of {column} in {side}"
    column: str
    side: str


class ProfileMissingShareCalculation(_Count[ProfileMissingShare]):
    """From value counts or bins."""


class ProfileDuplicateShare(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current rows that repeat an earlier one on `columns` (empty: all)."""

    columns: list[str]

    def title(self) -> str:
        """The metric as a heading."""
        return f"Repeated rows ({', '.join(self.columns) or 'all columns'})"


class ProfileDuplicateShareCalculation(_Count[ProfileDuplicateShare]):
    """From the number of distinct rows."""


class ProfileOutsideRange(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current values outside a range."""

    column: str
    low: float | None
    high: float | None

    def title(self) -> str:
        """The metric as a heading."""
        low, high = ("any" if edge is None else f"{edge:g}" for edge in (self.low, self.high))
        return f"Values of {self.column} outside {low} to {high}"


class ProfileOutsideRangeCalculation(_Count[ProfileOutsideRange]):
    """From one count."""


class ProfileNewCategories(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current rows whose category the reference never had."""

    heading: ClassVar[str] = "New categories of {column}"
    column: str


class ProfileNewCategoriesCalculation(_Count[ProfileNewCategories]):
    """From value counts of both sides."""


class ProfileDistinct(_Titled, SingleValueMetric):  # type: ignore[misc]
    """Distinct current values, counted up to two."""

    heading: ClassVar[str] = "Distinct values of {column} (counted up to 2)"
    column: str


class ProfileDistinctCalculation(_Single[ProfileDistinct]):
    """From value counts or bins."""


class ProfileAge(_Titled, SingleValueMetric):  # type: ignore[misc]
    """Seconds since the newest current row."""

    heading: ClassVar[str] = "Age of the newest row by {column}, seconds"
    column: str


class ProfileAgeCalculation(_Single[ProfileAge]):
    """From the timeline."""


class ProfileLargestGap(_Titled, SingleValueMetric):  # type: ignore[misc]
    """Seconds of the longest time without a row."""

    heading: ClassVar[str] = "Largest gap in {column}, seconds"
    column: str


class ProfileLargestGapCalculation(_Single[ProfileLargestGap]):
    """From the timeline."""


class ProfileRowsPerDay(_Titled, SingleValueMetric):  # type: ignore[misc]
    """The fewest rows on a whole day."""

    heading: ClassVar[str] = "Fewest rows on a whole day by {column}"
    column: str


class ProfileRowsPerDayCalculation(_Single[ProfileRowsPerDay]):
    """From the timeline."""


class ProfileOverlap(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current rows that are also in the reference."""

    heading: ClassVar[str] = "Current rows that are also in the reference"
    columns: list[str]


class ProfileOverlapCalculation(_Count[ProfileOverlap]):
    """From a join of both sides."""


class ProfilePatternShare(_Titled, CountMetric):  # type: ignore[misc]
    """Share of texts in which a pattern occurs."""

    heading: ClassVar[str] = "Values of {column} that match {pattern}"
    column: str
    pattern: str


class ProfilePatternShareCalculation(_Count[ProfilePatternShare]):
    """From one count."""


# --- the population behind it ----------------------------------------------------------------------------------------


class ProfileRowShare(_Titled, CountMetric):  # type: ignore[misc]
    """Share of current rows where a column equals a value."""

    heading: ClassVar[str] = "Rows where {column} is {equals}"
    column: str
    equals: str


class ProfileRowShareCalculation(_Count[ProfileRowShare]):
    """From value counts."""


class ProfileDrift(_Titled, SingleValueMetric):  # type: ignore[misc]
    """Distance between reference and current in one column."""

    heading: ClassVar[str] = "Drift of {column} ({method})"
    column: str
    method: str
    bins: str


class ProfileDriftCalculation(_Single[ProfileDrift]):
    """From bins, values or value counts of both sides."""

    def drawn(self, profile: ProfileDataset) -> Sequence[Any]:
        """Both distributions."""
        picture = profile.picture(self.metric.column)
        return [] if picture is None else [plot_widget(picture)]


class ProfileQuality(_Titled, SingleValueMetric):  # type: ignore[misc]
    """A quality metric on the labelled current rows, or on one group of them."""

    metric: str
    of: str
    relative: bool
    average: str | None
    by: str | None
    group: str | None

    def title(self) -> str:
        """The metric as a heading."""
        name = self.metric if self.average is None else f"{self.average} {self.metric}"
        whose = f"of the {self.of}"
        if self.of == "increase":
            whose = "increase over the champion, relative" if self.relative else "increase over the champion"
        return f"{name} {whose}" + ("" if self.by is None else f" where {self.by} is {self.group}")


class ProfileQualityCalculation(_Single[ProfileQuality]):
    """From confusion counts, score bins or sums of errors."""


class ProfileSampled(_Titled, SingleValueMetric):  # type: ignore[misc]
    """One of Evidently's own metrics, run on a seeded sample of rows."""

    metric: str
    parameters: str
    field: str | None
    sample_rows: int
    seed: int

    def title(self) -> str:
        """The metric as a heading."""
        part = "" if self.field is None else f", {self.field}"
        return f"Evidently's {self.metric} {self.parameters}{part} on at most {self.sample_rows:,} rows a side"


class ProfileSampledCalculation(_Single[ProfileSampled]):
    """From Evidently's own calculation."""


def metric_of(measurement: Measurement) -> Metric:
    """The Evidently metric that shows a measurement."""
    return METRIC_CLASSES[measurement.metric](**measurement.parameters)


METRIC_CLASSES: Mapping[str, type[Metric]] = {
    kind.__name__: kind
    for kind in (
        ProfileRowCount, ProfileLabelledShare, ProfileMissingShare, ProfileDuplicateShare, ProfileOutsideRange,
        ProfileNewCategories, ProfileDistinct, ProfileAge, ProfileLargestGap, ProfileRowsPerDay, ProfileOverlap,
        ProfilePatternShare, ProfileRowShare, ProfileDrift, ProfileQuality, ProfileSampled,
    )
}  # fmt: skip
