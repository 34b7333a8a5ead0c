"""Text from elsewhere, made fit to show.

Column names, categories, descriptions and URIs are written by other people. On a terminal they could move the cursor,
in a CI log they could be commands of the CI system, in a right-to-left disguise they could read as something else.
Everything that gate prints or writes for people goes through `plain` first.
"""

from __future__ import annotations

import re

# Commands of CI systems: `::set-output` where a line may begin, `##[...]`, `##vso[...]`, `##teamcity[...]` anywhere.
# https://docs.github.com/actions/reference/workflow-commands-for-github-actions
_LINE_COMMAND = re.compile(r"(?<!\S)::")
_INLINE_COMMAND = re.compile(r"##(?=[A-Za-z]*\[)")


def plain(text: object) -> str:
    r"""Render text on one line without anything that a terminal, a CI system or a reader could take for something else.

    Characters that do not print (escapes, line ends, bidirectional marks, lone surrogates) show as `\x1b`, `\u202e`.
    The result has no line end, so that callers may wrap it at blanks.
    """
    visible = "".join(char if char.isprintable() else escaped(char) for char in str(text))
    return _INLINE_COMMAND.sub("# #", _LINE_COMMAND.sub(": :", visible))


def escaped(char: str) -> str:
    r"""Write one character as Python and JSON programmers know it: `\n`, `\x1b`, `\u202e`, `\U000e0041`."""
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
