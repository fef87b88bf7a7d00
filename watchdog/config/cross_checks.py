"""Faults of a configuration that no single table shows: names that are taken, or that nothing has.

In: the plain values of the whole configuration. Out: (path, sentence), in no particular order.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from watchdog.config.file import shown_name, where
from watchdog.config.sections.routes import route_faults
from watchdog.core.rules.toml_lines import Path as TomlPath

__all__ = ["faults_between"]

Fault = tuple[TomlPath, str]


def faults_between(values: Mapping[str, Any], place: Callable[[TomlPath], str]) -> Iterator[Fault]:
    """Every such fault. `place`: where a value stands, for people."""
    return chain(_doubles(values, place), _old_names(values, place), _of_routes(values))


def _of_routes(values: Mapping[str, Any]) -> Iterator[Fault]:
    for path, said in route_faults(values):
        yield path, f"{where(path, values)}: {said}"


def _doubles(values: Mapping[str, Any], place: Callable[[TomlPath], str]) -> Iterator[Fault]:
    """Targets, and receivers, that share a name."""
    for array in ("target", "receiver"):
        seen: dict[str, TomlPath] = {}
        tables = values.get(array, [])
        for index, table in enumerate(tables if isinstance(tables, list) else []):
            name = table.get("name") if isinstance(table, dict) else None
            if not isinstance(name, str):
                continue
            path = (array, index, "name")
            if name in seen:
                yield path, f'{array} "{shown_name(name)}": the name is taken by the one at {place(seen[name])}; choose another'
            seen.setdefault(name, path)


def _old_names(values: Mapping[str, Any], place: Callable[[TomlPath], str]) -> Iterator[Fault]:
    """A receiver's `was` that names a configured receiver, or one that another receiver claims too."""
    tables = values.get("receiver", [])
    receivers = [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []
    configured = {table.get("name") for table in receivers if isinstance(table.get("name"), str)}
    claimed: dict[str, TomlPath] = {}
    for index, table in enumerate(receivers):
        for old in dict.fromkeys(name for name in _listed(table.get("was")) if isinstance(name, str)):
            path, shown = ("receiver", index, "was"), shown_name(old)
            if old in configured:
                yield path, f'receiver: was: "{shown}" is a configured receiver; expected a name that is no longer used'
            elif old in claimed:
                yield path, f'receiver: was: "{shown}" is also claimed at {place(claimed[old])}; only one can take over its notifications'
            claimed.setdefault(old, path)


def _listed(written: Any) -> list[Any]:
    return [written] if isinstance(written, str) else written if isinstance(written, list) else []
