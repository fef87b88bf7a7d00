"""Documents as text: the same bytes on standard output and over HTTP.

In: a document. Out: JSON on one line, in which no control character, terminal escape or text-direction mark stands as it is.
"""

import json

import msgspec

from watchdog.core.text.sanitize import sanitize_json

__all__ = ["json_text"]


def json_text(document: object) -> str:
    """A document, or any value made of JSON values, as JSON. A lone surrogate is written as its escape, which msgspec would refuse."""
    return sanitize_json(json.dumps(msgspec.to_builtins(document), ensure_ascii=False, allow_nan=False))
