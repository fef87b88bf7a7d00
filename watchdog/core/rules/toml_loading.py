"""Load TOML in linear time: `tomllib` takes minutes for a key with ten thousand dots (quadratic).

Input: a text. Output: what `tomllib` returns for it. Raises what it raises.
"""

import re
import tomllib
from typing import Any

__all__ = ["load_toml"]

_MOST_DOTS = 50
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_ENDLESS_KEY = re.compile(rf"(?<![\w.\"'-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{_MOST_DOTS},}}[ \t]*[=\]]")


def load_toml(text: str) -> dict[str, Any]:
    """Return the document.

    TOMLDecodeError, ValueError or RecursionError if it is not TOML, or has a key with unreasonably many parts.
    """
    if any(_ENDLESS_KEY.search(line) for line in text.split("\n") if line.count(".") >= _MOST_DOTS):  # no key spans lines
        raise ValueError(f"a key of more than {_MOST_DOTS} parts")
    return tomllib.loads(text)
