"""The demo's policies, and the bases they extend, as files that a person can open and change."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import gate
from gate.errors import UsageError


def write_policies(folder: Path) -> None:
    """Write the demo's policies into `folder`, beside the bases that gate ships."""
    _copy(files("gate.demo") / "policies", folder)
    _copy(_shipped_bases(), folder)


def _shipped_bases() -> Traversable:
    """The bases: inside an installed package, beside the package in a checkout."""
    for place in (files("gate") / "policies", Path(gate.__file__).parents[1] / "policies"):
        if place.is_dir():
            return place
    raise UsageError("this installation of gate lacks its policies; install it anew")


def _copy(source: Traversable, target: Path) -> None:
    for file in source.iterdir():
        if file.name.endswith(".yaml"):
            (target / file.name).write_bytes(file.read_bytes())
