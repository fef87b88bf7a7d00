"""What a request asks, decoded strictly: a parameter or member that does not exist, or is of the wrong kind, is refused and named.

In: a request, the type of its query or body. Out: a value of that type, or a `RefusedError`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, TypeVar

import msgspec
from flask import Request
from msgspec import Meta, Struct
from msgspec.inspect import BoolType, EnumType, ListType, Metadata, NoneType, UnionType, type_info
from msgspec.inspect import Type as Kind

from watchdog.core.decoding import ready
from watchdog.core.text.durations import parse_duration
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.suggestions import did_you_mean
from watchdog.web.refusals import RefusedError

__all__ = ["LARGEST_BODY", "Author", "Duration", "Text", "chosen", "decoded_body", "decoded_query", "seconds"]

LARGEST_BODY = 64 * 1024
"""Most bytes of a body."""

Text = Annotated[str, Meta(max_length=1000)]
Author = Annotated[str, Meta(max_length=100, description="Who asks, where nobody is asked who they are; otherwise it is who was let in.")]
Duration = Annotated[
    str,
    Meta(
        max_length=40,
        description="As on the command line: 30s, 2h, 1d12h.",
        examples=["2h"],
        extra_json_schema={"pattern": r"^([1-9][0-9]{0,3}[smhd])+$"},
    ),
]

T = TypeVar("T", bound=Struct)
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<where>.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_ENUM = re.compile(r"Invalid enum value '(?P<value>.*)'", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)


def decoded_query(request: Request, kind: type[T]) -> T:
    """The query. A parameter that is a list may be repeated; a flag needs no value."""
    kinds = _kinds(kind)
    given: dict[str, object] = {}
    for name, values in request.args.lists():
        expected = kinds.get(name)
        if isinstance(expected, ListType):
            given[name] = values
        elif len(values) > 1:
            raise RefusedError(400, f"expected it once, found it {len(values)} times", f"query parameter {one_line(name)}")
        else:
            given[name] = "true" if isinstance(expected, BoolType) and values[0] == "" else values[0]
    try:
        return msgspec.convert(given, ready(kind), strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), "query parameter", kinds) from None


def decoded_body(request: Request, kind: type[T]) -> T:
    """The body, which must be JSON."""
    if request.mimetype != "application/json":
        raise RefusedError(415, f"expected application/json, found {one_line(request.mimetype) or 'nothing'}", "header Content-Type")
    request.max_content_length = LARGEST_BODY
    try:
        return msgspec.json.decode(request.get_data(), type=ready(kind))
    except msgspec.ValidationError as error:
        raise _refusal(str(error), "body", _kinds(kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"expected JSON, found what is none: {one_line(str(error))}", "body") from None


def seconds(text: str, where: str, most_s: float | None = None) -> float:
    """The seconds of a duration that is longer than nothing."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise RefusedError(400, str(error), where) from None
    if found == 0:
        raise RefusedError(400, f'expected a duration longer than nothing, such as "10s", found "{text}"', where)
    if most_s is not None and found > most_s:
        raise RefusedError(400, f"expected at most {most_s:g} seconds, found {found:g}", where)
    return found


def chosen(names: tuple[str, ...] | list[str], known: tuple[str, ...], what: str, where: str, status: int = 404) -> tuple[str, ...]:
    """These names, each of which must be known; without any: all that are known."""
    for name in names:
        if name not in known:
            shown = one_line(name)
            raise RefusedError(status, f'no {what} "{shown}"{did_you_mean(shown, known) or "; there are " + ", ".join(known)}', where)
    return tuple(name for name in known if name in names) if names else known


@cache
def _kinds(kind: type[Struct]) -> Mapping[str, Kind]:
    """Name as it is written -> the kind of its value, without null."""
    found = type_info(kind)
    return {field.encode_name: _bare(field.type) for field in getattr(found, "fields", ())}


def _bare(kind: Kind) -> Kind:
    """The kind without null and without what is said about it."""
    if isinstance(kind, Metadata):
        return _bare(kind.type)
    if isinstance(kind, UnionType):
        return _bare(next(one for one in kind.types if not isinstance(one, NoneType)))
    return kind


def _refusal(said: str, part: str, kinds: Mapping[str, Kind]) -> RefusedError:
    """What msgspec says, with the part of the request that it is about."""
    found = _PLACE.match(said)
    what, where = (found["what"], found["where"] or "") if found else (said, "")
    if unknown := _UNKNOWN.fullmatch(what):
        name, known = one_line(unknown["name"]), tuple(kinds)
        there_are = f"; there are {', '.join(known)}" if known else "; there are none"
        what = "member" if part == "body" else part
        return RefusedError(400, f'no {what} "{name}"{did_you_mean(name, known) or there_are}', f"{part} {name}")
    if missing := _MISSING.fullmatch(what):
        return RefusedError(400, f'expected "{missing["name"]}", found nothing', f"{part} {missing['name']}")
    column = where.partition("[")[0]
    if wrong := _ENUM.fullmatch(what):
        return RefusedError(400, f'expected {_values(kinds.get(column))}, found "{one_line(wrong["value"])}"', f"{part} {column}")
    return RefusedError(
        400, one_line(what.replace("`", "").replace("Expected", "expected").replace("Invalid", "invalid")), f"{part} {where}".strip()
    )


def _values(kind: Kind | None) -> str:
    """The values that are allowed: `one of firing, resolved`."""
    of_item = _bare(kind.item_type) if isinstance(kind, ListType) else kind
    return f"one of {', '.join(str(one.value) for one in of_item.cls)}" if isinstance(of_item, EnumType) else "another value"
