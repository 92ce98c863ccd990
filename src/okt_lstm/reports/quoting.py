"""Names from anywhere, such as those of folders, files and labels, made harmless in a model card."""

import json
import re
from typing import Any

from oktane.lines import escaped


def python_literal(value: Any) -> str:
    """Return a string, or a list of strings, as a Python literal without invisible characters, on one line."""
    # JSON's escapes are Python's, too, and leave some characters that can't be seen.
    return escaped(json.dumps(value, ensure_ascii=False))


def code_span(value: Any) -> str:
    """Return a value as code in a line of Markdown: between more backticks than it has in a row."""
    text = escaped(str(value))
    longest = max(map(len, re.findall("`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}"


def plain(text: str) -> str:
    """Return text for a line of Markdown, where it makes no links, code, tags or emphasis."""
    return re.sub(r"([\\`*<>\[\]])", r"\\\1", escaped(text))
