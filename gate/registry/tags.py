"""The copy of a verdict in MLflow: tags of the model version, for people who look there. gate never reads them back."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from gate.errors import CandidateError, RegistryError
from gate.registry.mlflow import MlflowRegistry

DECISION, URL, ID = "gate.decision", "gate.verdict_url", "gate.verdict_id"

# Two writers of the same new tag: the database of MLflow takes one, and the other is told so with a 400.
_TAKEN = re.compile(r"unique constraint|duplicate (?:key|entry)", re.IGNORECASE)
_TRIES = 4
_PAUSE_SECONDS = 0.05


class RegistryNotices:
    """Leaves a copy of each verdict that is enforced on its model version."""

    def __init__(self, registry: MlflowRegistry) -> None:
        self._registry = registry

    def tell(self, document: Mapping[str, Any], url: str | None) -> None:
        """Set the tags that differ; RegistryError if MLflow does not take them, or the version is gone.

        A report-only verdict leaves none: it would take the place of the decision that counts.
        """
        if not document["enforced"]:
            return
        model = document["model"]
        wanted = tags_of(document, url)
        for last in (*[False] * (_TRIES - 1), True):
            try:
                self._registry.set_tags(model["name"], model["version"], model["run_id"], wanted)
            except CandidateError as gone:
                raise RegistryError(f"{gone}; the copy of verdict {document['id']} is left nowhere") from gone
            except RegistryError as refused:
                if last or not _TAKEN.search(str(refused)):
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return


def tags_of(document: Mapping[str, Any], url: str | None) -> dict[str, str | None]:
    """The tags that say what a verdict says, in the order of writing.

    They are written one by one, so a hold is said first and a promotion last: half of it says hold.
    """
    said = f"hold: {document['cause']}" if document["decision"] != "promote" else "promote"
    decision: dict[str, str | None] = {DECISION: said}
    where: dict[str, str | None] = {ID: document["id"], URL: url}
    return where | decision if said == "promote" else decision | where
