"""The five pilots that the demo asks about. What the answers are is up to the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pilot:
    """One question.

    Attributes:
        key: names the folder of the report.
        title: what is judged, in a few words.
        story: what happened, for the reader of the table.
        model: the candidate, as an MLflow URI.
        current: pilot data that replaces the policy's, below the workspace's data folder.
    """

    key: str
    title: str
    story: str
    model: str
    current: str | None = None


PILOTS = (
    Pilot(
        "income-random-halves",
        "income 1, random halves",
        "Trained on one random half of the census, piloted on the other: nothing has changed.",
        "models:/income@candidate",
    ),
    Pilot(
        "income-faulty-feed",
        "income 1, a faulty feed",
        "The same model and policy, but the feed broke: occupation got lost for some people, capital gains come in "
        "cents, and hours_per_week has a new name.",
        "models:/income@candidate",
        "income/faulty-feed-v1.parquet",
    ),
    Pilot(
        "bike-first-winter",
        "bike-demand 1, the summer",
        "Trained on the first winter, and used in the summer.",
        "models:/bike-demand@champion",
    ),
    Pilot(
        "bike-full-year",
        "bike-demand 2, a shadow run",
        "Trained on all of 2011, and run beside that champion for the first half of 2012.",
        "models:/bike-demand@challenger",
    ),
    Pilot(
        "income-first-days",
        "income 2, its first days",
        "A logistic regression that has met 3,000 people; of 40 the truth is known.",
        "models:/income@challenger",
    ),
)
