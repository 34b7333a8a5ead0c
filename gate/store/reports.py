"""Report files, kept in pieces that are stored once, whichever reports they occur in.

Nine tenths of Evidently's HTML are the same scripts in every report. A file is cut where scripts begin and end, each
piece is named by its digest and compressed, and a file is the list of its pieces.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

from sqlalchemy import Connection, func, insert, select, text

from gate.errors import DamagedError, StoreError
from gate.store.tables import blobs, report_pieces
from gate.store.text import require_storable
from gate.store.upsert import add, delete_where

_BEGIN, _END = b"<script", b"</script>"
_SMALL = 4096  # bytes; neighbours below it are one piece
_LARGE = 1_000_000  # bytes; such a piece is a library, stored once: quick to unpack is worth more than small
_XZ = b"\xfd7zXZ\x00"  # how a piece begins that lzma packed; zlib's begin otherwise
_HAS_LZMA = find_spec("_lzma") is not None  # a Python may be built without it
_PURGE_LOCK = 0x67617465_00000002  # PostgreSQL advisory lock: "gate", 2
_AT_ONCE = 400  # names in one statement; SQLite has a limit


class VanishedError(Exception):
    """A piece that was stored already was purged meanwhile: pack it too, and store again."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A report, ready to be stored: the digests of each file's pieces, and the new pieces, packed."""

    files: Mapping[str, Sequence[bytes]]
    new: Mapping[bytes, bytes]


def cut(content: bytes) -> list[bytes]:
    """Cut a file where scripts begin and end. Joined again, the pieces are the file."""
    places = sorted({*_places(content, _BEGIN, 0), *_places(content, _END, len(_END)), 0, len(content)})
    pieces: list[bytes] = []
    joinable = False
    for begin, end in pairwise(places):
        piece = content[begin:end]
        small = len(piece) < _SMALL
        if small and joinable:
            pieces[-1] += piece
            joinable = len(pieces[-1]) < _SMALL
        else:
            pieces.append(piece)
            joinable = small
    return pieces or [b""]


def pack(report: Mapping[str, bytes], stored: Collection[bytes]) -> Packed:
    """Cut and compress what is not `stored`. This takes a tenth of a second: do it outside of a transaction."""
    require_storable(**{f"report file {number}": name for number, name in enumerate(report, 1)})
    files: dict[str, list[bytes]] = {}
    new: dict[bytes, bytes] = {}
    for name, content in report.items():
        files[name] = []
        for piece in cut(content):
            digest = hashlib.sha256(piece).digest()
            files[name].append(digest)
            if digest not in stored and digest not in new:
                new[digest] = _compress(piece)
    return Packed(files, new)


def digests(report: Mapping[str, bytes]) -> set[bytes]:
    """The digests of all pieces of a report."""
    return {hashlib.sha256(piece).digest() for content in report.values() for piece in cut(content)}


def stored_among(connection: Connection, wanted: Collection[bytes]) -> set[bytes]:
    """Which of the pieces are stored."""
    found: set[bytes] = set()
    for some in _batches(sorted(wanted)):
        found |= {
            bytes(digest) for digest in connection.scalars(select(blobs.c.digest).where(blobs.c.digest.in_(some)))
        }
    return found


def store(connection: Connection, verdict_id: str, packed: Packed) -> None:
    """Store a report within the transaction that stores its verdict."""
    if connection.dialect.name == "postgresql":  # against `remove_unused`; SQLite has one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _PURGE_LOCK})
    wanted = {digest for pieces in packed.files.values() for digest in pieces}
    if (wanted - packed.new.keys()) - stored_among(connection, wanted - packed.new.keys()):
        raise VanishedError
    for digest in sorted(packed.new):  # in one order, so that two of them never wait for each other
        add(connection, blobs, {"digest": digest, "content": packed.new[digest]}, unique="digest")
    rows = [
        {"verdict_id": verdict_id, "name": name, "position": position, "digest": digest}
        for name, pieces in packed.files.items()
        for position, digest in enumerate(pieces)
    ]
    if rows:
        connection.execute(insert(report_pieces), rows)


def names(connection: Connection, verdict_id: str) -> list[str]:
    """The names of a report's files."""
    found = select(report_pieces.c.name).where(report_pieces.c.verdict_id == verdict_id).distinct()
    return sorted(connection.scalars(found))


def read(connection: Connection, verdict_id: str, name: str) -> bytes | None:
    """One file of a report, or None; StoreError if it is not what was stored."""
    pieces = (
        select(report_pieces.c.digest, blobs.c.content)
        .join_from(report_pieces, blobs)
        .where(report_pieces.c.verdict_id == verdict_id, report_pieces.c.name == name)
        .order_by(report_pieces.c.position)
    )
    found = [_intact(bytes(row.digest), bytes(row.content), name) for row in connection.execute(pieces)]
    return b"".join(found) if found else None


def forget(connection: Connection, verdict_ids: Sequence[str]) -> int:
    """Forget the reports of verdicts; how many had one. Their pieces stay until `remove_unused`."""
    theirs = report_pieces.c.verdict_id.in_(verdict_ids)
    had = connection.scalar(select(func.count(report_pieces.c.verdict_id.distinct())).where(theirs)) or 0
    delete_where(connection, report_pieces, "verdict_id", verdict_ids)
    return had


def remove_unused(connection: Connection, most: int) -> int:
    """Remove at most so many pieces that no report has any more; how many there were."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PURGE_LOCK})
    used = select(report_pieces.c.digest).where(report_pieces.c.digest == blobs.c.digest).exists()
    unused = list(connection.scalars(select(blobs.c.digest).where(~used).limit(most)))
    return delete_where(connection, blobs, "digest", unused)


def _places(content: bytes, mark: bytes, offset: int) -> Iterator[int]:
    found = content.find(mark)
    while found >= 0:
        yield found + offset
        found = content.find(mark, found + len(mark))


def _batches(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for begin in range(0, len(items), _AT_ONCE):
        yield items[begin : begin + _AT_ONCE]


def _compress(piece: bytes) -> bytes:
    if not _HAS_LZMA or len(piece) > _LARGE:
        return zlib.compress(piece, 9)
    import lzma

    return lzma.compress(piece, preset=1)  # on report data two thirds of what zlib makes of it, as quickly


def _intact(digest: bytes, content: bytes, name: str) -> bytes:
    """Unpack a piece. One that is not what was stored is an error: a changed report is no evidence."""
    piece = _decompress(content, name)
    if piece is None or hashlib.sha256(piece).digest() != digest:
        raise DamagedError(f"report file {name!r} was changed after it was stored (its digest does not match)")
    return piece


def _decompress(content: bytes, name: str) -> bytes | None:
    """Unpack, or None for what nobody packed."""
    if not content.startswith(_XZ):
        try:
            return zlib.decompress(content)
        except zlib.error:
            return None
    if not _HAS_LZMA:
        raise StoreError(f"report file {name!r}: it is packed with lzma, which this Python was built without")
    import lzma

    try:
        return lzma.decompress(content)
    except (lzma.LZMAError, EOFError):
        return None
