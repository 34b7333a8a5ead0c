"""A merged policy written out as YAML again, with where each check comes from."""

from __future__ import annotations

from typing import Any

import yaml

from gate.policy.document import read_document
from gate.policy.load import LoadedBase


class _Dumper(yaml.SafeDumper):
    """Writes what the strict reader reads back as the same."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # PyYAML's signature
        """Indent lists below their key."""
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote a text unless the strict reader takes it for itself without."""
    style = None if read_document(f"- {text}".encode(), "").value == [text] else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(loaded: LoadedBase) -> str:
    """Write the merged policy as one file that stands alone. What nobody said, and so has its default, is left out."""
    said = loaded.policy.model_dump(mode="json", exclude_unset=True, exclude={"checks", "extends"})
    lines = [
        f"# digest: {loaded.digest}",
        *(f"# from {file}" for file in loaded.files),
        _dump(said).rstrip(),
        "checks:",
    ]
    for check in loaded.checks:
        lines.append(f"  # {loaded.origins[check.name]}:{loaded.lines[check.name]}")
        entry = _dump([check.model_dump(mode="json", exclude_unset=True)])
        lines += (f"  {line}" for line in entry.rstrip().splitlines())
    return "\n".join(lines) + "\n"


def _dump(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))
