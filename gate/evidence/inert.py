"""Evidently's HTML made inert: names and values from the data cannot become markup."""

from __future__ import annotations


def inert_html(html: str) -> str:
    r"""Escape every `<` inside the data objects of an Evidently page, so that no value can end its script block.

    Evidently writes each data object with `json.dumps` as one physical line, `    var NAME = {...};`, inside an inline
    script in the head, and leaves `<` as it is: a category called `</script><img onerror=...>` would be markup.
    `\u003c` means the same to the page's script, in JSON and in JavaScript.

    Raises:
        ValueError: the page does not look as expected, so that nothing is known to be safe.
    """
    lines = html.split("\n")
    end = next((number for number, line in enumerate(lines) if line.strip() == "</head>"), None)
    if end is None:
        raise ValueError("Evidently's page has no </head> on a line of its own")
    escaped = 0
    for number in range(end):
        if lines[number].startswith("    var "):
            lines[number] = lines[number].replace("<", "\\u003c")
            escaped += 1
    if not escaped:
        raise ValueError("Evidently's page has no data object where one is expected")
    return "\n".join(lines)
