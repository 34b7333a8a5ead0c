"""A verdict that a person names: the id of a stored one (or its beginning), or a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gate.errors import UsageError

if TYPE_CHECKING:
    from gate.wiring.settings import Settings

_LARGEST_BYTES = 64 * 2**20


def read_verdict(named: str, server: str | None = None) -> Mapping[str, Any]:
    """Find a verdict; UsageError if there is none, or if the file is not a whole and unchanged verdict.

    An id is looked up on `server`, else on the one that the settings name, else under GATE_HOME.
    """
    path = Path(named)
    return _from_file(path) if path.is_file() else _by_id(named, server)


def _from_file(path: Path) -> Mapping[str, Any]:
    from gate.flow.document import SCHEMA, digest_of

    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UsageError(f"{path}: larger than {_LARGEST_BYTES // 2**20} MiB, which no verdict is")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise UsageError(f"{path}: cannot be read: {wrong.strerror}") from wrong
    except (ValueError, RecursionError) as wrong:
        raise UsageError(f"{path}: is not JSON: {wrong}") from wrong
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UsageError(f"{path}: is not a verdict ({SCHEMA}); write one with gate check --output json=PATH")
    try:
        intact = digest_of(document) == document.get("digest")
    except (ValueError, TypeError):
        intact = False
    if not intact:
        raise UsageError(f"{path}: was changed after gate wrote it (its digest does not match)")
    return document


def _by_id(named: str, server: str | None) -> Mapping[str, Any]:
    from gate.wiring.settings import load_settings

    settings = load_settings()
    if url := server or settings.url:
        from gate.cli.remote import find_remotely

        return find_remotely(named, url)
    return _from_store(named, settings)


def _from_store(named: str, settings: Settings) -> Mapping[str, Any]:
    from gate.wiring.build import build_store

    if not settings.home.is_dir():
        raise UsageError(f"{named!r} is no file, and there are no stored verdicts in {settings.home} (GATE_HOME)")
    document = build_store(settings).find(named)
    if document is None:
        raise UsageError(f"{named!r} is neither a file nor the id of a verdict in {settings.home} (GATE_HOME)")
    return document
