"""Texts as values and names of labels. Names of tasks, queues and workers come from outside and may be hostile.

In: any text. Out: printable text of bounded length; different texts stay different, so that no two series become one.
"""

import re
from hashlib import sha256

from watchdog.core.text.sanitize import sanitize

__all__ = ["LONGEST_LABEL", "label_name", "label_value"]

LONGEST_LABEL = 200
"""Characters of a label's value."""
LONGEST_LABEL_NAME = 60
_NOT_IN_NAMES = re.compile(r"\W", re.ASCII)
MARK = 8


def label_value(text: str) -> str:
    """Return the text as the value of a label. One that is cut, or has characters escaped, ends in a mark of the whole."""
    shown = sanitize(text[: LONGEST_LABEL + 1])
    if shown == text and len(text) <= LONGEST_LABEL:
        return text
    mark = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:MARK]
    return f"{shown[: LONGEST_LABEL - MARK - 1]}…{mark}"


def label_name(text: str) -> str:
    """Return the text as the name of a label."""
    name = _NOT_IN_NAMES.sub("_", text[:LONGEST_LABEL_NAME]).lstrip("_") or "key"
    return f"key_{name}" if name[0].isdigit() else name
