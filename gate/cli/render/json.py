"""The verdict as JSON, as programs read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# What a terminal or a CI system would act on, beyond the control characters that JSON escapes by itself.
_INLINE_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")


def render_json(document: Mapping[str, Any]) -> str:
    r"""Render a document indented, in its own order. Parsing it gives the document back.

    Characters that do not print are written as `\u202e`; they stand inside strings, so the value stays the same.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    printed = "".join(char if char == "\n" or char.isprintable() else _escaped(char) for char in text)
    return _INLINE_COMMAND.sub(r"#\\u0023", printed) + "\n"


def _escaped(char: str) -> str:
    return json.dumps(char, ensure_ascii=True)[1:-1]
