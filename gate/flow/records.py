"""Needs that the registry and the digests answer: no rows are measured for them."""

from __future__ import annotations

from collections.abc import Iterable

from gate.domain.candidate import Candidate
from gate.domain.columns import Kind
from gate.domain.dataset import Source
from gate.domain.evidence import Missing, Reading, Stated
from gate.domain.need import ChampionRecord, DataDigests, Need, PredictionsOf, Record, UndatedRows
from gate.flow.ports import Dataset

VERSION_COLUMN = "model_version"


def answer_records(
    needs: Iterable[Need], candidate: Candidate, champion: Candidate | None, reference: Dataset, current: Dataset,
    source: Source,
) -> dict[Need, Reading]:  # fmt: skip
    """Answer the needs that are records; leave the others out. `source` is that of the current side."""
    answers: dict[Need, Reading] = {}
    for need in needs:
        match need:
            case Record():
                answers[need] = Stated(candidate, "registry")
            case ChampionRecord():
                answers[need] = Stated(champion, "registry") if champion else Missing("the registry names no champion")
            case PredictionsOf():
                answers[need] = Stated(whose_predictions(candidate, current, source), "data")
            case UndatedRows():
                answers[need] = Stated((reference.facts.undated, current.facts.undated), "data")
            case DataDigests():
                sides = (reference.facts, current.facts)
                answers[need] = Stated(tuple(facts.content or facts.digest for facts in sides), "data")
            case _:
                pass
    return answers


def whose_predictions(candidate: Candidate, current: Dataset, source: Source) -> str | tuple[str, ...]:
    """Say whose predictions the current data holds: "bound", "unbound", or the foreign versions found in it.

    A `model_version` column speaks first: one row of another version is enough to say so, wherever the data is logged.
    """
    if not current.facts.rows:
        return "unbound"
    column = current.facts.schema.find(VERSION_COLUMN)
    if column is not None and column.kind is Kind.OTHER:
        return ("",)  # a column of nothing but nulls names nobody
    if column is not None:
        own = {candidate.version, f"{candidate.name}/{candidate.version}", candidate.uri}
        foreign = tuple(version for version in current.versions(VERSION_COLUMN) if version not in own)
        return foreign or "bound"
    return "bound" if source.on_run else "unbound"
