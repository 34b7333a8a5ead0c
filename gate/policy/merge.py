"""One policy out of several files: what a file says is laid over its bases, and may only tighten them.

The files are laid on one another in order, bases first; each is compared with everything below it. So whatever
passes the merged policy passes every base on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from gate.checks.contract import Check
from gate.checks.tighten import Order
from gate.policy.document import Document, Path
from gate.policy.model import Base, Settled

# A file speaks for itself in these: they are not inherited.
_OWN = ("policy", "name", "description", "applies_to", "extends")
# A source of rows is one thing: a file that names another one replaces it, window and all.
_WHOLE = (("data", "reference"), ("data", "current"), ("champion", "data"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said."""

    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class CheckDraft:
    """One check as the files say it so far: plain values, where each was last said, and where the check was."""

    values: Mapping[str, Any]
    places: Mapping[Path, Place]
    place: Place

    def place_of(self, path: Path) -> Place:
        """Where `path` was said, or else the closest thing around it."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.place


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy as the files say it so far. `checks` are by id, in the order in which they first appear."""

    header: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[Path, Place] = field(default_factory=dict)
    checks: Mapping[str, CheckDraft] = field(default_factory=dict)

    def place_of(self, path: Path) -> Place:
        """Where `path` of the header was said, or else the closest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path]


def check_id(entry: Mapping[str, Any]) -> str | None:
    """The id of a check as written: its `id`, else its kind; None if it has neither."""
    for key in ("id", "check"):
        if isinstance(entry.get(key), str):
            return str(entry[key])
    return None


def lay_over(base: Draft, document: Document, file: str) -> Draft:
    """Lay what one file says over `base`: keys replace keys, mappings merge, a check with the same id is overridden."""
    said = {key: value for key, value in document.value.items() if key != "checks"}
    kept = {key: value for key, value in base.header.items() if key not in _OWN}
    header = _merged(kept, said, ())
    places = {path: Place(file, line) for path, line in document.lines.items() if path[:1] != ("checks",)}
    places[("checks",)] = Place(file, document.line_of(("checks",)))
    return Draft(
        header, _still_there(base.places, header) | places, dict(base.checks) | dict(_checks(base, document, file))
    )


def _checks(base: Draft, document: Document, file: str) -> Iterator[tuple[str, CheckDraft]]:
    entries = document.value.get("checks")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = check_id(entry) if isinstance(entry, dict) else None
        if name is None:
            continue  # reported with the list
        below = base.checks.get(name)
        if below and below.values.get("check") != entry.get("check"):
            below = None  # another kind by the same id: an error, reported where the kinds are compared
        root: Path = ("checks", index)
        places = {p[2:]: Place(file, line) for p, line in document.lines.items() if p[:2] == root and len(p) > 2}
        values = _merged(below.values if below else {}, entry, ())
        place = Place(file, document.line_of(root))
        yield name, CheckDraft(values, _still_there(below.places if below else {}, values) | places, place)


def _still_there(places: Mapping[Path, Place], values: Mapping[str, Any]) -> dict[Path, Place]:
    """The places of what is still among the values: a mapping that was replaced took its inside along."""
    return {path: place for path, place in places.items() if path and _has(values, path)}


def _has(value: Any, path: Path) -> bool:
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False
    return True


def _merged(base: Mapping[str, Any], said: Mapping[str, Any], path: Path) -> dict[str, Any]:
    result = dict(base)
    for key, value in said.items():
        here = (*path, key)
        below = result.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and here not in _WHOLE:
            result[key] = _merged(below, value, here)
        else:
            result[key] = value
    return result


@dataclass(frozen=True, slots=True)
class Loosening:
    """A value that is less strict than in the base, with the order that it breaks (None: it is fixed)."""

    path: Path
    base: Any
    override: Any
    order: Order | None


def loosened(base: BaseModel, override: BaseModel, path: Path = (), *, settled: bool = False) -> Iterator[Loosening]:
    """Compare two models of one class field by field; nothing comes out if `override` is at least as strict.

    In a part that is `settled` a base leaves nothing open: what it does not say is said by its default.
    """
    for name, info in type(base).model_fields.items():
        ours, theirs = getattr(base, name), getattr(override, name)
        if ours == theirs:
            continue
        order = next((entry for entry in info.metadata if isinstance(entry, Order)), None)
        here = (*path, name)
        if order is not None:
            if not order.allows(ours, theirs):
                yield Loosening(here, ours, theirs, order)
        elif isinstance(ours, BaseModel) and type(theirs) is type(ours):
            yield from loosened(ours, theirs, here, settled=settled or isinstance(ours, Settled))
        elif settled or not _is_open(ours):
            yield Loosening(here, ours, theirs, None)


def _is_open(value: Any) -> bool:
    """Whether a base that holds `value` has left the matter to whoever extends it."""
    return value is None or value in ((), {}, frozenset())


def loosened_header(base: Base, override: Base) -> Iterator[Loosening]:
    """Compare everything but the checks; the complete policy and its base are of different classes."""
    fields = {name: getattr(override, name) for name in Base.model_fields}
    yield from loosened(_as_base(base), Base.model_construct(**fields))


def _as_base(base: Base) -> Base:
    return Base.model_construct(**{name: getattr(base, name) for name in Base.model_fields})


def effective(check: Check, policy: Base) -> Check:
    """The check with what it leaves to the policy filled in: only then can two of them be compared."""
    return check.model_copy(
        update={
            "severity": check.severity or check.kind_severity or policy.defaults.severity,
            "confidence": policy.defaults.confidence if check.confidence is None else check.confidence,
            "min_rows": policy.defaults.min_rows if check.min_rows is None else check.min_rows,
        }
    )
