"""Read one TOML table field by field. Input: the dict from `tomllib`. Output: typed values.

A wrong value is recorded as a `Fault` at the line of its key and replaced by a default, so that all faults are reported at once.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from watchdog.core.model.rows import Param
from watchdog.core.model.severity import Severity
from watchdog.core.rules.faults import Notes, found
from watchdog.core.text.durations import parse_duration
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["Fields", "as_param", "label_faults"]

T = TypeVar("T")

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LARGEST = 1e300
_RESERVED_LABELS = ("target", "rule", "severity")


class Fields:
    """The keys of one table. Every getter returns a value of its type: the user's, or the default if it is missing or wrong."""

    def __init__(self, raw: Mapping[str, object], notes: Notes, keys: tuple[str | int, ...] = ()) -> None:
        self._raw = raw
        self._notes = notes
        self._keys = keys

    def known(self, names: Iterable[str]) -> None:
        """Report every other key."""
        allowed = tuple(names)
        for key in self._raw:
            if key not in allowed:
                self._notes.fault(f"unknown key{did_you_mean(key, allowed)}", *self._keys, key)

    def has(self, name: str) -> bool:
        """Whether the key is present, valid or not."""
        return name in self._raw

    def text(self, name: str) -> str:
        """Return a text; empty if missing."""
        value = self._raw.get(name, "")
        return value if isinstance(value, str) else self._wrong(name, "a text", value, "")

    def needed(self, name: str) -> str:
        """Return a text that must not be empty if it is present; otherwise a fault and an empty text."""
        value = self.text(name)
        if self.has(name) and isinstance(self._raw[name], str) and not value.strip():
            self._notes.fault("is empty", *self._keys, name)
        return value

    def flag(self, name: str, default: bool) -> bool:  # noqa: FBT001  the default of a boolean is a boolean
        """Return true or false."""
        value = self._raw.get(name, default)
        return value if isinstance(value, bool) else self._wrong(name, "true or false", value, default)

    def duration(self, name: str, default: float) -> float:
        """Return the seconds of a duration such as "5m"."""
        value = self._raw.get(name)
        if value is None:
            return default
        try:
            return parse_duration(value)  # type: ignore[arg-type]  # it reports any other type
        except ValueError as error:
            self._notes.fault(str(error), *self._keys, name)
            return default

    def severity(self, name: str, default: Severity) -> Severity:
        """Return one of the four severities."""
        value = self._raw.get(name, default.value)
        if isinstance(value, str) and value in set(Severity):
            return Severity(value)
        near = did_you_mean(value.lower(), set(Severity)) if isinstance(value, str) else ""
        return self._wrong(name, "info, warning, error or critical", value, default, near)

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of non-empty texts."""
        value = self._raw.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return self._wrong(name, "a list of texts", value, default, f'; write ["{value}"]')
        if not isinstance(value, list):
            return self._wrong(name, "a list of texts", value, default)
        for index, item in enumerate(value):
            if not isinstance(item, str) or not item.strip():
                self._notes.fault(f"expected a text, found {found(item)}", *self._keys, name, index)
        return tuple(item for item in value if isinstance(item, str))

    def labels(self, name: str) -> Mapping[str, str]:
        """Return name -> text."""
        labels: dict[str, str] = {}
        for key, value in self.table(name).items():
            if isinstance(value, str):
                labels[key] = value
            else:
                self._notes.fault(f"expected a text, found {found(value)}", *self._keys, name, key)
        return labels

    def params(self, name: str) -> Mapping[str, Param]:
        """Return name -> number, text or boolean. A text that is a duration becomes a number of seconds."""
        params: dict[str, Param] = {}
        for key, value in self.table(name).items():
            if not _IDENTIFIER.fullmatch(key):
                self._notes.fault("a param's name has only letters, digits and _, so that :name works", *self._keys, name, key)
            param = as_param(value)
            if param is None:
                self._notes.fault(f"expected a number, a text, a duration or true or false, found {found(value)}", *self._keys, name, key)
            else:
                params[key] = param
        return params

    def tables(self, name: str) -> "list[Fields]":
        """Return a list of tables, each as `Fields`."""
        value = self._raw.get(name, [])
        if not isinstance(value, list):
            return self._wrong(name, "a list of tables", value, [])
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                self._notes.fault(f"expected a table, found {found(item)}", *self._keys, name, index)
        return [Fields(item, self._notes, (*self._keys, name, i)) for i, item in enumerate(value) if isinstance(item, dict)]

    def names(self) -> tuple[str, ...]:
        """Return all keys, known or not."""
        return tuple(self._raw)

    def table(self, name: str) -> Mapping[str, object]:
        """Return a table as `tomllib` made it; empty if missing."""
        value = self._raw.get(name, {})
        return value if isinstance(value, dict) else self._wrong(name, "a table such as { name = … }", value, {})

    @property
    def raw(self) -> Mapping[str, object]:
        """The table as `tomllib` made it."""
        return self._raw

    @property
    def place(self) -> tuple[str | int, ...]:
        """The keys that lead to these fields."""
        return self._keys

    def _wrong(self, name: str, expected: str, value: object, default: T, hint: str = "") -> T:
        self._notes.fault(f"expected {expected}, found {found(value)}{hint}", *self._keys, name)
        return default


def as_param(value: object) -> Param | None:
    """Convert a TOML value to a param: numbers become floats, durations seconds; None if it cannot be one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value) if -_LARGEST <= value <= _LARGEST else None
    if not isinstance(value, str):
        return None
    try:  # "5" remains a text: a duration has a unit
        return value if value.strip().isdigit() else parse_duration(value)
    except ValueError:
        return value


def label_faults(labels: Iterable[str], key: Iterable[str]) -> dict[str, str]:
    """Return label -> why the name is not allowed."""
    reserved = (*_RESERVED_LABELS, *key)
    return {name: f"{name} is already part of every incident; give the label another name" for name in labels if name in reserved}
