"""Parts that were computed before, kept under GATE_HOME: an unchanged reference is not read twice.

An entry is a zip of plain arrays (numpy, without pickle: loading one runs nothing), named by what it answers. One that
is torn, foreign, open to others or of another format is no entry: it is computed again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
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

FORMAT = 2
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
            with np.load(io.BytesIO(read_own(entry)), allow_pickle=False) as arrays:
                if _read_json(arrays["answers"]) != _question(digest, request):
                    return None  # an entry under another's name answers another question
                part = _decode({name: arrays[name] for name in arrays.files})
            os.utime(entry.parent)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None
        return part

    def save(self, digest: str, request: PartRequest | str, part: Part) -> None:
        """Keep a part."""
        entry = self._entry(digest, request)
        if not entry.parent.is_dir():
            self._make_room()
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, answers=_json(_question(digest, request)), **_encode(part))
        write_atomically(entry, stream.getvalue())

    def _entry(self, digest: str, request: PartRequest | str) -> Path:
        name = hashlib.sha256(_question(digest, request).encode()).hexdigest()
        return self._folder / digest.removeprefix("sha256:") / f"{name}.npz"

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


def _encode(part: Part) -> dict[str, np.ndarray]:
    """Name the arrays of a part; what is no array goes into one of JSON."""
    if isinstance(part, SplitParts):
        groups = list(part.groups)
        nested = {f"{i}.{k}": a for i, g in enumerate(groups) for k, a in _encode(part.groups[g]).items()}
        return {"type": _json("SplitParts"), "groups": _json(groups), **nested}
    if isinstance(part, np.ndarray):
        return {"type": _json("Ints"), "array": part}
    if isinstance(part, int):
        return {"type": _json("int"), "value": _json(part)}
    arrays = {"type": _json(type(part).__name__)}
    for field in fields(part):
        value = getattr(part, field.name)
        if isinstance(value, np.ndarray) and value.dtype != object:
            arrays[f"array.{field.name}"] = value
        elif isinstance(value, np.ndarray):
            arrays[f"texts.{field.name}"] = _json(value.tolist())
        elif is_dataclass(value):
            arrays |= {f"part.{field.name}.{k}": a for k, a in _encode(value).items()}  # type: ignore[arg-type]  # a Grid
        else:
            arrays[f"plain.{field.name}"] = _json(value)
    return arrays


def _decode(arrays: Mapping[str, np.ndarray]) -> Part:
    name = _read_json(arrays["type"])
    if name == "SplitParts":
        groups = _read_json(arrays["groups"])
        return SplitParts({group: _decode(_below(arrays, f"{i}.")) for i, group in enumerate(groups)})
    if name == "Ints":
        return arrays["array"]
    if name == "int":
        return int(_read_json(arrays["value"]))
    kind = _TYPES[name]
    values: dict[str, Any] = {}
    for field in fields(kind):
        if f"array.{field.name}" in arrays:
            values[field.name] = arrays[f"array.{field.name}"]
        elif f"texts.{field.name}" in arrays:
            values[field.name] = np.array(_read_json(arrays[f"texts.{field.name}"]), dtype=object)
        elif f"part.{field.name}.type" in arrays:
            values[field.name] = _decode(_below(arrays, f"part.{field.name}."))
        else:
            values[field.name] = _read_json(arrays[f"plain.{field.name}"])
    part: Part = kind(**values)
    return part


def _below(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _json(value: Any) -> np.ndarray:
    """Python's JSON keeps every float as it is, infinities and NaN included."""
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def _read_json(array: np.ndarray) -> Any:
    return json.loads(array.tobytes())
