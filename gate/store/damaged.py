"""What stands in a list for a verdict that was changed after it was stored: a hold, since nothing can be decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from gate.domain.finding import Dimension, Finding, Judgement, Severity, Status
from gate.domain.verdict import Cause, DataIdentity, Decision, ModelIdentity, PolicyIdentity, Verdict
from gate.flow.document import document_of
from gate.store.times import from_text

_KIND = "stored_verdict"
_NEVER = datetime.fromtimestamp(0, UTC)
_NO_DATA = DataIdentity("", "", 0)


def damaged_document(row: Row[*tuple[Any, ...]]) -> Mapping[str, Any]:
    """Write the document of an error in the place of a verdict that cannot be read; its row says what it was about."""
    judgement = Judgement(
        Status.ERROR, "the stored verdict was changed after it was stored: its digest does not match",
        remedy="Judge it again, and find out who wrote into the database.",
    )  # fmt: skip
    uri = f"models:/{row.model_name}/{row.model_version}"
    given = _moment(row.evaluated_at)
    return document_of(
        Verdict(
            id=row.id, decision=Decision.HOLD, cause=Cause.ERROR, enforced=True, stage=row.stage, store="server",
            model=ModelIdentity(row.model_name, row.model_version, uri, row.model_digest), champion=None,
            policy=PolicyIdentity("", "", ""), reference=_NO_DATA, current=_NO_DATA, predictions="none",
            overridden=False,
            findings=(Finding(_KIND, _KIND, Dimension.TECHNICAL, Severity.BLOCKER, judgement),),
            flip=(judgement.remedy,), evaluated_at=given, valid_until=given, attempt=0, inputs_digest="", engine={},
        )
    )  # fmt: skip


def _moment(text: str) -> datetime:
    try:
        moment = from_text(text)
    except ValueError:
        return _NEVER
    return moment if moment.tzinfo else _NEVER
