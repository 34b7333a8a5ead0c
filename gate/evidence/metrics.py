"""The measurements of gate as Evidently metrics. Importing this file imports Evidently, which takes seconds: do it late.

Each metric finds its measurement in the profile by its own id, in constant time, and takes the number there. Ours are
named `Profile...`, never like one of Evidently's: those read rows, these read aggregates.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import Any, Generic

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
    TCountMetric,
    TSingleValueMetric,
)

from gate.domain.picture import Distribution
from gate.evidence.measurement import Measurement
from gate.evidence.widgets import number_widget, plot_widget


class ProfileDataset(PandasDataset):  # type: ignore[misc]  # the library ships no types
    """An Evidently Dataset without rows: it knows the measurement behind each metric id."""

    def __init__(
        self, measurements: Mapping[str, Measurement], pictures: Mapping[str, Distribution] | None = None
    ) -> None:
        no_columns = DataDefinition(numerical_columns=[], categorical_columns=[], text_columns=[], datetime_columns=[],
                                    unknown_columns=[], list_columns=[])  # fmt: skip
        super().__init__(pd.DataFrame(), no_columns)
        self._measurements = measurements
        self._pictures = pictures or {}

    def measurement(self, metric_id: str) -> Measurement:
        """The measurement that the metric with this id shows."""
        return self._measurements[metric_id]

    def picture(self, column: str) -> Distribution | None:
        """Both distributions of a column, if there is a report to draw them in."""
        return self._pictures.get(column)


class _Single(SingleValueCalculation[TSingleValueMetric], Generic[TSingleValueMetric], ABC):  # type: ignore[misc]
    """A number from the profile."""

    def calculate(self, context: Any, current_data: ProfileDataset, reference_data: Any) -> SingleValue:  # noqa: ARG002  # the base class names them
        measurement = current_data.measurement(self.id)
        result = self.result(measurement.measured.value)
        result.widget = [number_widget(self.display_name(), measurement.measured), *self.drawn(current_data)]
        return result

    def drawn(self, profile: ProfileDataset) -> Sequence[Any]:
        """What to show below the number."""
        return profile.measurement(self.id).widgets()

    def display_name(self) -> str:
        return str(self.metric.title())


class _Count(CountCalculation[TCountMetric], Generic[TCountMetric], ABC):  # type: ignore[misc]
    """A share from the profile, with the count behind it."""

    def calculate(self, context: Any, current_data: ProfileDataset, reference_data: Any) -> CountValue:  # noqa: ARG002  # the base class names them
        measured = current_data.measurement(self.id).measured
        result = self.result(measured.details["count"], measured.value)
        result.widget = [number_widget(self.display_name(), measured)]
        return result

    def display_name(self) -> str:
        return str(self.metric.title())


class ProfileRowCount(SingleValueMetric):  # type: ignore[misc]
    """Rows of one side."""

    side: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Rows in {self.side}"


class ProfileRowCountCalculation(_Single[ProfileRowCount]):
    """From the opened dataset."""


class ProfileLabelledShare(CountMetric):  # type: ignore[misc]
    """Share of current rows that have a target."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Labelled rows ({self.column} is known)"


class ProfileLabelledShareCalculation(_Count[ProfileLabelledShare]):
    """From value counts or bins."""


class ProfileMissingShare(CountMetric):  # type: ignore[misc]
    """Share of rows of one side where a column is null or NaN."""

    column: str
    side: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Missing values of {self.column} in {self.side}"


class ProfileMissingShareCalculation(_Count[ProfileMissingShare]):
    """From value counts or bins."""


class ProfileDuplicateShare(CountMetric):  # type: ignore[misc]
    """Share of current rows that repeat an earlier one."""

    columns: list[str]

    def title(self) -> str:
        """The metric as a heading."""
        return f"Repeated rows ({', '.join(self.columns) or 'all columns'})"


class ProfileDuplicateShareCalculation(_Count[ProfileDuplicateShare]):
    """From the number of distinct rows."""


class ProfileOutsideRange(CountMetric):  # type: ignore[misc]
    """Share of current values outside a range."""

    column: str
    low: float | None
    high: float | None

    def title(self) -> str:
        """The metric as a heading."""
        low, high = ("-" if edge is None else f"{edge:g}" for edge in (self.low, self.high))
        return f"{self.column} outside {low} to {high}"


class ProfileOutsideRangeCalculation(_Count[ProfileOutsideRange]):
    """From one count."""


class ProfileNewCategories(CountMetric):  # type: ignore[misc]
    """Share of current rows whose category the reference never had."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"New categories of {self.column}"


class ProfileNewCategoriesCalculation(_Count[ProfileNewCategories]):
    """From value counts of both sides."""


class ProfileDistinct(SingleValueMetric):  # type: ignore[misc]
    """Distinct current values, counted up to two."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Distinct values of {self.column} (counted up to 2)"


class ProfileDistinctCalculation(_Single[ProfileDistinct]):
    """From value counts or bins."""


class ProfileAge(SingleValueMetric):  # type: ignore[misc]
    """Seconds since the newest current row."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Age of the newest row by {self.column}, seconds"


class ProfileAgeCalculation(_Single[ProfileAge]):
    """From the timeline."""


class ProfileLargestGap(SingleValueMetric):  # type: ignore[misc]
    """Seconds of the longest stretch without a row."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Largest gap in {self.column}, seconds"


class ProfileLargestGapCalculation(_Single[ProfileLargestGap]):
    """From the timeline."""


class ProfileRowsPerDay(SingleValueMetric):  # type: ignore[misc]
    """The fewest rows on a whole day."""

    column: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Fewest rows on a whole day by {self.column}"


class ProfileRowsPerDayCalculation(_Single[ProfileRowsPerDay]):
    """From the timeline."""


class ProfileOverlap(CountMetric):  # type: ignore[misc]
    """Share of current rows that are also in the reference."""

    columns: list[str]

    def title(self) -> str:
        """The metric as a heading."""
        return "Current rows that are also in the reference"


class ProfileOverlapCalculation(_Count[ProfileOverlap]):
    """From a join of both sides."""


class ProfilePatternShare(CountMetric):  # type: ignore[misc]
    """Share of texts in which a pattern occurs."""

    column: str
    pattern: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"{self.column} matches {self.pattern}"


class ProfilePatternShareCalculation(_Count[ProfilePatternShare]):
    """From one count."""


class ProfileRowShare(CountMetric):  # type: ignore[misc]
    """Share of current rows where a column equals a value."""

    column: str
    equals: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Rows where {self.column} is {self.equals}"


class ProfileRowShareCalculation(_Count[ProfileRowShare]):
    """From value counts."""


class ProfileDrift(SingleValueMetric):  # type: ignore[misc]
    """Distance between reference and current in one column."""

    column: str
    method: str
    bins: str

    def title(self) -> str:
        """The metric as a heading."""
        return f"Drift of {self.column} ({self.method})"


class ProfileDriftCalculation(_Single[ProfileDrift]):
    """From bins, values or value counts of both sides."""

    def drawn(self, profile: ProfileDataset) -> Sequence[Any]:
        picture = profile.picture(self.metric.column)
        return [] if picture is None else [plot_widget(picture)]


class ProfileQuality(SingleValueMetric):  # type: ignore[misc]
    """A quality metric on the labelled current rows, or on one group of them."""

    metric: str
    of: str
    relative: bool
    average: str | None
    by: str | None
    group: str | None

    def title(self) -> str:
        """The metric as a heading."""
        words = [self.metric if self.average is None else f"{self.average} {self.metric}", f"of the {self.of}"]
        if self.of == "increase":
            words[1] = "increase over the champion" + (", relative" if self.relative else "")
        if self.by is not None:
            words.append(f"where {self.by} is {self.group}")
        return " ".join(words)


class ProfileQualityCalculation(_Single[ProfileQuality]):
    """From confusion counts, score bins or error moments."""


class ProfileSampled(SingleValueMetric):  # type: ignore[misc]
    """One of Evidently's own metrics, run on a seeded sample of rows."""

    metric: str
    parameters: str
    field: str | None
    sample_rows: int
    seed: int

    def title(self) -> str:
        """The metric as a heading."""
        part = "" if self.field is None else f", {self.field}"
        return f"{self.metric}({self.parameters}{part}) on a sample of {self.sample_rows:,} rows a side"


class ProfileSampledCalculation(_Single[ProfileSampled]):
    """From Evidently's own calculation."""


def metric_of(measurement: Measurement) -> Metric:
    """The Evidently metric that shows a measurement."""
    return _CLASSES[measurement.metric](**measurement.parameters)


_CLASSES: Mapping[str, type[Metric]] = {
    kind.__name__: kind
    for kind in (
        ProfileRowCount, ProfileLabelledShare, ProfileMissingShare, ProfileDuplicateShare, ProfileOutsideRange,
        ProfileNewCategories, ProfileDistinct, ProfileAge, ProfileLargestGap, ProfileRowsPerDay, ProfileOverlap,
        ProfilePatternShare, ProfileRowShare, ProfileDrift, ProfileQuality, ProfileSampled,
    )
}  # fmt: skip
