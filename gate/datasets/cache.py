"""Parts that were computed before, kept under GATE_HOME: an unchanged reference is not read twice.

An entry is a checksum, a line of JSON, which says what it answers and where each array is, and the bytes of all arrays:
loading one runs nothing, and a part of thousands of small groups is read in one piece. One that is torn, foreign, open
to others or of another format is no entry: it is computed again.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gate.datasets.atomic import read_own, write_atomically
from gate.domain.part import Grid, PartRequest
from gate.statistics.parts import (
    BinCounts,
    ConfusionCounts,
    ErrorMoments,
    ExactCounts,
    LossSums,
    Part,
    ScoreCounts,
    SplitParts,
    TimelineCounts,
    ValueCounts,
)  # fmt: skip

FORMAT = 3
"""Raised whenever the same request could be answered with other arrays than before."""

MOST_DATASETS = 64
"""Datasets whose parts are kept; the least recently used one makes room."""

_TYPES: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Grid, BinCounts, ValueCounts, ExactCounts, TimelineCounts, ConfusionCounts, ScoreCounts, LossSums, ErrorMoments,
    )
}  # fmt: skip


class PartCache:
    """Parts by the digest of their dataset and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, digest: str, request: PartRequest | str) -> Part | None:
        """The part that answers `request`, or None if it is not kept."""
        try:
            entry = self._entry(digest, request)
            checksum, _, rest = read_own(entry).partition(b"\n")
            head, _, body = rest.partition(b"\n")
            if int(checksum, 16) != zlib.crc32(rest):
                return None  # torn
            said = json.loads(head)
            if said["answers"] != _question(digest, request):
                return None  # an entry under another's name answers another question
            part: Part = _decode(said["part"], memoryview(body))
            os.utime(entry.parent)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return part

    def save(self, digest: str, request: PartRequest | str, part: Part) -> None:
        """Keep a part."""
        entry = self._entry(digest, request)
        if not entry.parent.is_dir():
            self._make_room()
        body = bytearray()
        tree = _encode(part, body)
        head = json.dumps({"answers": _question(digest, request), "part": tree})
        rest = head.encode() + b"\n" + body
        write_atomically(entry, b"%08x\n" % zlib.crc32(rest) + rest)

    def _entry(self, digest: str, request: PartRequest | str) -> Path:
        name = hashlib.sha256(_question(digest, request).encode()).hexdigest()
        return self._folder / digest.removeprefix("sha256:") / f"{name}.part"

    def _make_room(self) -> None:
        try:
            kept = sorted((f for f in self._folder.iterdir() if f.is_dir()), key=lambda f: f.stat().st_mtime)
        except OSError:
            return
        for folder in kept[: max(len(kept) - MOST_DATASETS + 1, 0)]:
            shutil.rmtree(folder, ignore_errors=True)


def _question(digest: str, request: PartRequest | str) -> str:
    """What an entry answers. A request is a frozen value: its text names kind, columns, grid and split."""
    return f"{FORMAT}\n{digest}\n{request!r}"


def _encode(value: Any, body: bytearray) -> Any:
    """Write a value as JSON that names each array's type, shape and place; the arrays' bytes go to the end of `body`.

    Python's JSON keeps every float as it is, infinities and NaN included.
    """
    if isinstance(value, SplitParts):
        groups = [_encode(part, body) for part in value.groups.values()]
        return {"is": "SplitParts", "names": list(value.groups), "groups": groups}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return {"is": "texts", "values": value.tolist()}
    if isinstance(value, np.ndarray):
        place = len(body)
        body += np.ascontiguousarray(value).tobytes()
        return {"is": "array", "type": value.dtype.str, "shape": value.shape, "at": place}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "is": type(value).__name__,
            "fields": {f.name: _encode(getattr(value, f.name), body) for f in fields(value)},
        }
    return value


def _decode(said: Any, body: memoryview) -> Any:
    if not isinstance(said, dict):
        return said
    match said["is"]:
        case "SplitParts":
            groups = (_decode(group, body) for group in said["groups"])
            return SplitParts(dict(zip(said["names"], groups, strict=True)))
        case "texts":
            return np.array(said["values"], dtype=object)
        case "array":
            count = math.prod(said["shape"])
            array = np.frombuffer(body, np.dtype(said["type"]), count, said["at"] if count else 0)
            return array.reshape(said["shape"]).copy()
        case name:
            return _TYPES[name](**{field: _decode(value, body) for field, value in said["fields"].items()})
