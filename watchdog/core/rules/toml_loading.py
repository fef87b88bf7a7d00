"""TOML read in a time that grows with its length: `tomllib` takes minutes over a key of ten thousand dots (quadratic).

In: a text. Out: what `tomllib` makes of it. Raises what it raises.
"""

import re
import tomllib
from typing import Any

__all__ = ["load_toml"]

_MOST_DOTS = 50
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_ENDLESS_KEY = re.compile(rf"(?<![\w.\"'-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{_MOST_DOTS},}}[ \t]*[=\]]")


def load_toml(text: str) -> dict[str, Any]:
    """The document. TOMLDecodeError, ValueError or RecursionError where it is none, or has a key of more parts than anybody writes."""
    if any(_ENDLESS_KEY.search(line) for line in text.split("\n") if line.count(".") >= _MOST_DOTS):  # no key goes on in the next line
        raise ValueError(f"a key of more than {_MOST_DOTS} parts")
    return tomllib.loads(text)
