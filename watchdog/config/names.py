"""Names in a configuration: unique where they are given, and known where they are referred to.

In: the values as written, and where each came from. Out: faults, as sentences.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from watchdog.config.file import shown_name, where
from watchdog.config.sections.mutes import mutes_for_good
from watchdog.config.sections.routes import route_faults, tables_in
from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["name_faults"]

Place = Callable[[TomlPath], str]


def name_faults(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Every fault of a name."""
    yield from _doubles(values, place)
    yield from _old_names(values, place)
    yield from _mutes_that_disagree(values, place)
    yield from _mutes_for_good(values, place)
    yield from _unknown_mutes(values, place)
    yield from (f"{place(path)}: {where(path, values)}: {said}" for path, said in route_faults(values))


def _doubles(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Faults for targets, and receivers, that share a name."""
    for array in ("target", "receiver"):
        seen: dict[str, str] = {}
        for index, table in tables_in(values.get(array)):
            name = table.get("name")
            if not isinstance(name, str):
                continue
            at = place((array, index, "name"))
            if name in seen:
                yield f'{at}: {array} "{shown_name(name)}": the name is taken by the one at {seen[name]}; choose another'
            seen.setdefault(name, at)


def _old_names(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Faults for a receiver's `was` that names a configured receiver, or one that another receiver claims too."""
    receivers = list(tables_in(values.get("receiver")))
    configured = {table.get("name") for _, table in receivers if isinstance(table.get("name"), str)}
    claimed: dict[str, str] = {}
    for index, table in receivers:
        for old in dict.fromkeys(_texts(table.get("was"))):
            at, shown = place(("receiver", index, "was")), shown_name(old)
            if old in configured:
                yield f'{at}: receiver: was: "{shown}" is a configured receiver; expected a name that is no longer used'
            elif old in claimed:
                yield f'{at}: receiver: was: "{shown}" is also claimed at {claimed[old]}; only one can take over its notifications'
            claimed.setdefault(old, at)


def _mutes_that_disagree(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Faults for tables of one [[mute]] that do not agree on whom they mute."""
    first: dict[str, tuple[int, object]] = {}
    for index, table in tables_in(values.get("mute")):
        name, everyone = table.get("name"), table.get("all_receivers", False)
        if not isinstance(name, str):
            continue
        other, expected = first.setdefault(name, (index, everyone))
        if everyone is not expected:
            at, there = place(("mute", index, "all_receivers")), place(("mute", other, "all_receivers"))
            yield f'{at}: mute "{shown_name(name)}": all_receivers differs from the [[mute]] of the same name at {there}; write it in both'


def _mutes_for_good(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Faults for several [[mute]] of one name that together leave no hour of the week. (One alone that does is a fault of its own.)"""
    of_name: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for index, table in tables_in(values.get("mute")):
        of_name.setdefault(str(table.get("name")), []).append((index, table))
    for name, tables in of_name.items():
        if len(tables) > 1 and mutes_for_good(table for _, table in tables):
            others = ", ".join(place(("mute", index)) for index, _ in tables[:-1])
            at = place(("mute", tables[-1][0]))
            yield f'{at}: mute "{shown_name(name)}": together with {others} it covers every hour of the week: it would mute for good'


def _unknown_mutes(values: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Faults for receivers that name a [[mute]] that is not there."""
    known = [name for _, table in tables_in(values.get("mute")) if isinstance(name := table.get("name"), str)]
    for index, table in tables_in(values.get("receiver")):
        for name in dict.fromkeys(_texts(table.get("mute"))):
            if name in known:
                continue
            at, shown = place(("receiver", index, "mute")), shown_name(name)
            there = f"there are {', '.join(map(shown_name, dict.fromkeys(known)))}" if known else "there is none"
            near = did_you_mean(shown, known) or f"; {there}"
            yield f'{at}: receiver "{_named(table)}": mute: expected the name of a [[mute]], found "{shown}"{near}'


def _texts(value: object) -> list[str]:
    """The texts of a key that takes one or a list of them."""
    return [value] if isinstance(value, str) else [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _named(table: Mapping[str, Any]) -> str:
    name = table.get("name")
    return shown_name(name) if isinstance(name, str) else ""
