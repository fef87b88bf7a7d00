"""Values that were given but are empty, most often a secret that was not passed on. They are faults, never treated as "not configured".

In: a value, or the plain values of a configuration. Out: whether it is empty; the paths of empty values, with a sentence each.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from watchdog.core.rules.toml_lines import Path as TomlPath

__all__ = ["EMPTY_FLAG", "EMPTY_VARIABLE", "empty_texts", "is_empty"]

EMPTY_VARIABLE = "set, but empty: is it a secret that was not passed on? Give it a value, or unset it"
EMPTY_FLAG = "given, but empty: is the variable behind it not set? Give it a value, or leave the option out"
_EMPTY_TEXT = "empty; give it a value, or leave it out"

_MAY_BE_EMPTY = frozenset({"key_prefix", "separator", "summary", "description", "runbook", "resolved", "labels", "params", "match"})
"""Keys under which an empty text is valid: no prefix, no text, an empty label."""


def is_empty(value: object) -> bool:
    """Whether this is a text that is empty or only whitespace."""
    return isinstance(value, str) and not value.strip()


def empty_texts(values: Mapping[str, Any], leave_out: Callable[[TomlPath], bool] = lambda _: False) -> Iterator[tuple[TomlPath, str]]:
    """Path and sentence of each text that is empty although a value is needed; `leave_out`: paths to skip."""
    for path, value in _texts(values, ()):
        if is_empty(value) and not _MAY_BE_EMPTY.intersection(map(str, path)) and not leave_out(path):
            yield path, _EMPTY_TEXT


def _texts(value: object, path: TomlPath) -> Iterator[tuple[TomlPath, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    else:
        yield path, value
