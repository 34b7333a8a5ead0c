"""Verdict documents, read back: what is not exactly what was stored is an error."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from gate.errors import DamagedError
from gate.flow.document import digest_of

_MOST_DIGESTS = 4096
_MOST_CHARACTERS = 64_000_000  # of documents that are kept in memory; they take three times as many bytes


class Documents:
    """Checks documents against their digests, which takes milliseconds each, and remembers what it has checked."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._intact: OrderedDict[bytes, None] = OrderedDict()  # digests of the texts of documents that were right
        self._kept: OrderedDict[tuple[str, str], tuple[int, Mapping[str, Any]]] = OrderedDict()
        self._characters = 0

    def read(self, row: Row[*tuple[Any, ...]]) -> Mapping[str, Any]:
        """Read a document back. One that is not what was stored is an error: a changed verdict is no verdict."""
        try:
            document: dict[str, Any] = json.loads(row.document)
            stated = (document["id"], document["decision"], document["digest"])
            intact = stated == (row.id, row.decision, row.digest) and self._has_its_digest(row.document, document)
        except (ValueError, KeyError, TypeError):
            intact, document = False, {}
        if not intact:
            raise DamagedError(
                f"{self._place}: verdict {row.id} was changed after it was stored (its digest does not match)"
            )
        return document

    def kept(self, verdict_id: str, digest: str) -> Mapping[str, Any] | None:
        """The document if it is in memory: read and found right by this process, and verdicts do not change."""
        with self._lock:
            found = self._kept.get((verdict_id, digest))
            if found is not None:
                self._kept.move_to_end((verdict_id, digest))
        return found[1] if found else None

    def keep(self, row: Row[*tuple[Any, ...]]) -> Mapping[str, Any]:
        """Read a document and keep it in memory; the ones that were not asked for longest make room."""
        document, size = self.read(row), len(row.document)
        with self._lock:
            if (row.id, row.digest) not in self._kept:
                self._kept[row.id, row.digest] = (size, document)
                self._characters += size
            while self._characters > _MOST_CHARACTERS:
                _, (size, _) = self._kept.popitem(last=False)
                self._characters -= size
        return document

    def _has_its_digest(self, written: str, document: Mapping[str, Any]) -> bool:
        """Whether a document has the digest that it states."""
        key = hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()
        if key in self._intact:
            return True
        if digest_of(document) != document["digest"]:
            return False
        with self._lock:
            self._intact[key] = None
            while len(self._intact) > _MOST_DIGESTS:
                self._intact.popitem(last=False)
        return True
