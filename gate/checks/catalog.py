"""Which kinds of checks there are: the modules of this package that define one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import gate.checks
from gate.checks.contract import Check

_NOT_KINDS = frozenset({
    "catalog", "choosing", "columnwise", "contract", "drift", "explain", "fields", "judging", "patterns", "storage",
    "tighten",
})  # fmt: skip


@cache
def check_kinds() -> dict[str, type[Check]]:
    """Map each kind to its class, in alphabetical order; implicit kinds included."""
    names = sorted(m.name for m in pkgutil.iter_modules(gate.checks.__path__) if m.name not in _NOT_KINDS)
    return {name: _only_check(name) for name in names}


def _only_check(name: str) -> type[Check]:
    module = importlib.import_module(f"gate.checks.{name}")
    found = [
        member for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Check) and member.__module__ == module.__name__
    ]  # fmt: skip
    if len(found) != 1:
        raise TypeError(f"gate.checks.{name} must define exactly one check, found {len(found)}")
    return found[0]


def policy_kinds() -> dict[str, type[Check]]:
    """The kinds that a policy may name."""
    return {name: kind for name, kind in check_kinds().items() if not kind.is_implicit}
