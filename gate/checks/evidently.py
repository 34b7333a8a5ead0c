"""Lets a policy name any metric of Evidently."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from gate.checks.contract import Check, Name
from gate.checks.fields import limit, require_limit
from gate.checks.judging import Wording, judge_number
from gate.checks.tighten import FIXED, HIGHER, LOWER
from gate.domain import need
from gate.domain.evidence import Evidence, Measured
from gate.domain.finding import Judgement
from gate.domain.need import Limit
from gate.domain.scope import Scope

# What asks a language model, fetches a model or downloads a word list (Evidently 0.7: descriptors, features and the
# presets and metrics that run them). The network is no part of a verdict.
_ON_THE_NETWORK = frozenset({
    "BERTScore", "BERTScoreFeature", "BiasLLMEval", "ColumnGenerator", "CompletenessLLMEval", "ContextQualityLLMEval",
    "ContextRelevance", "CorrectnessLLMEval", "DeclineLLMEval", "ExcludesWords", "FaithfulnessLLMEval", "HuggingFace",
    "HuggingFaceFeature", "HuggingFaceToxicity", "HuggingFaceToxicityFeature", "IncludesWords", "LLMEval", "LLMJudge",
    "NegativityLLMEval", "OOVWordsPercentage", "OpenAIFeature", "PIILLMEval", "SemanticSimilarity",
    "SemanticSimilarityFeature", "Sentiment", "TextEvals", "TextMatch", "ToxicityLLMEval", "TriggerWordsPresent",
    "TriggerWordsPresence", "WordMatch", "WordNoMatch",
})  # fmt: skip
_NETWORK_WORDS = ("llm", "openai", "huggingface", "bertscore")
# `type` names a class to be imported; descriptors and tests are classes too. A policy runs no code of its choosing.
_CODE = frozenset({"type", "descriptors", "tests"})


class EvidentlyCheck(Check):
    """Requires that a metric of Evidently, named with its parameters, keeps its limits.

    For what gate does not measure itself. The metric runs on a sample of at most `sample_rows` rows of each side, drawn
    with `seed`, and the finding says so. Where its result has several numbers, `field` picks one (`share`, `count`,
    `mean`). A limit is mandatory. Metrics that would use the network (language models, downloads) and parameters that
    name code are refused. Judged on the value. Below `min_rows` rows it is not judged.

    Example:
        - check: evidently
          metric: QuantileValue
          parameters: {column: hum, quantile: 0.5}
          min: 40
          max: 80
          sample_rows: 20000
    """

    metric: Annotated[Name, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    parameters: Annotated[Mapping[Name, Any], FIXED] = {}
    field: Annotated[Name | None, FIXED] = None
    min: Annotated[float | None, HIGHER] = None
    max: Annotated[float | None, LOWER] = None
    sample_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0

    @model_validator(mode="after")
    def _is_safe_and_decides(self) -> Self:
        require_limit(least=self.min, most=self.max)
        if any(word in self.metric.casefold() for word in _NETWORK_WORDS):
            raise ValueError(f"metric: {self.metric} would use the network, which no part of a verdict may")
        for path, value in (("metric", self.metric), *_leaves(self.parameters, "parameters")):
            if value in _ON_THE_NETWORK:
                raise ValueError(f"{path}: {value} would use the network, which no part of a verdict may")
        try:
            self._canonical()
        except ValueError as wrong:
            raise ValueError("parameters: allowed are plain values: text, finite numbers, lists, mappings") from wrong
        return self

    def _canonical(self) -> str:
        return json.dumps(dict(self.parameters), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def _limit(self) -> Limit:
        return limit(self.min, self.max)

    def needs(self, scope: Scope) -> tuple[need.EvidentlyMetric, ...]:  # noqa: ARG002  # the same in every scope
        """The value of the metric on the sample."""
        return (
            need.EvidentlyMetric(
                self._limit, self.metric, self._canonical(), self.field, self.sample_rows, self.seed
            ),
        )  # fmt: skip

    def judge(self, evidence: Evidence, scope: Scope) -> tuple[Judgement, ...]:
        """Hold it against the limit."""
        (wanted,) = self.needs(scope)
        reading = evidence[wanted]
        column = self.parameters.get("column")
        what = ".".join(filter(None, (self.metric, self.field))) + (f" of {column}" if isinstance(column, str) else "")
        rows = reading.details.get("sample") if isinstance(reading, Measured) else None
        sample = f" on a sample of {rows:,} rows (seed {self.seed})" if isinstance(rows, int) else ""
        wording = Wording(
            {"column": column} if isinstance(column, str) else {},
            says=lambda shown: f"{what} is {shown}{sample}",
            remedy=f"look at {what} in the report",
            aim=lambda shown, limited: f"{self.name}: bring {what} from {shown} to {limited}",
        )
        return (judge_number(reading, self._limit, wording, min_rows=self.min_rows_in(scope)),)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every plain value below `value` with its path; a key that names code is refused on the way."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _CODE:
                raise ValueError(f"{path}.{key} names code to run, which a policy may not")
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
