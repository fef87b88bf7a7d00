"""Turns pydantic's errors into sentences for the author of the configuration: where, what was expected, what was found.

Built from error types and paths, never from inputs: a value may be a secret. Only values of `SHOWABLE` keys are repeated.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from watchdog.core.rules.toml_lines import Path as TomlPath
from watchdog.core.text.suggestions import did_you_mean

__all__ = ["sentences"]

SHOWABLE = frozenset({"log_format", "log_level", "min_severity", "severity", "type"})
"""Keys whose values are keywords of watchdog."""

_EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "list_type": "a list in [ ]",
    "tuple_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def sentences(
    error: ValidationError, model: type[BaseModel], values: Mapping[str, Any], references: Mapping[TomlPath, str]
) -> list[tuple[TomlPath, str]]:
    """Each fault as (path in `values`, sentence), in the order of the model; alternatives of a union make one fault.

    `references`: path -> the `${…}` in its text; the sentence for such a value does not repeat what was found.
    """
    found: dict[TomlPath, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        path, around = _walk(model, fault["loc"])
        if fault["type"].startswith("union_tag_"):
            path = (*path, "type")
        reference = next((references[path[:n]] for n in range(len(path), 0, -1) if path[:n] in references), None)
        misplaced = _misplaced(path, around, model) if fault["type"] == "extra_forbidden" else None
        found.setdefault(path, misplaced or _sentence(fault, path, around, values, reference))
    return list(found.items())


def _misplaced(path: TomlPath, around: type[BaseModel] | None, model: type[BaseModel]) -> str | None:
    """The sentence for a key that belongs elsewhere: where. TOML assigns every key below a `[[…]]` to that table."""
    key = str(path[-1])
    if around is model and (homes := [f"[[{name}]]" for name, inner in _tables(model) if key in _keys(inner)]):
        return f"unknown key here; it belongs below {' or '.join(homes)}"
    if around is model or len(path) == 1 or key not in _keys(model) or path[0] == "route":
        return None
    if key in dict(_tables(model)) or key == "receiver":
        return f"unknown key here; it belongs to the top level: write [[{key}]]"
    first = f"[[{path[0]}]]" if isinstance(path[1], int) else f"[{path[0]}]"
    return f"unknown key here; it belongs above the first {first}, because everything below such a line belongs to it"


def _tables(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The arrays of tables of a single type in a configuration, by key."""
    for key, field in model.model_fields.items():
        for member in _members(field.annotation):
            inner = _members(get_args(member)[0]) if get_origin(member) is tuple else []
            if len(inner) == 1 and _is_model(inner[0]):
                yield field.alias or key, inner[0]


def _sentence(fault: Any, path: TomlPath, around: type[BaseModel] | None, values: Mapping[str, Any], reference: str | None) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(str(path[-1]), around)
    if kind in {"missing", "union_tag_not_found"}:
        return "missing; add it"
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        return _not_one_of(str(context.get("expected") or context.get("expected_tags")), path, values)
    if kind == "value_error":
        said = str(context["error"])
    elif kind in _EXPECTED:
        said = f"expected {_EXPECTED[kind]}, found {_what(_at(values, path))}{_array_hint(path)}"
    else:
        said = fault["msg"].replace("Input should be", "expected", 1)
    return _without_value(said, reference) if reference else said


def _unknown_key(key: str, around: type[BaseModel] | None) -> str:
    known = _keys(around) if around else []
    near = did_you_mean(key, known)
    return f"unknown key{near}" if near or not known else f"unknown key; known here: {', '.join(known)}"


def _not_one_of(expected: str, path: TomlPath, values: Mapping[str, Any]) -> str:
    words = [word.strip().strip("'") for word in expected.replace(" or ", ",").split(",")]
    value = _at(values, path)
    if not isinstance(value, str):
        return f"expected one of {', '.join(words)}, found {_what(value)}"
    sanitize = path[-1] in SHOWABLE and value.isidentifier() and len(value) <= 20
    found = f', found "{value}"{did_you_mean(value, words)}' if sanitize else ", found another text"
    return f"expected one of {', '.join(words)}{found}"


def _without_value(said: str, reference: str) -> str:
    return f"{said.partition(', found')[0]}, found something else in {reference}"


def _array_hint(path: TomlPath) -> str:
    return f"; write [[{path[0]}]]" if path in {("target",), ("receiver",), ("mute",), ("override",)} else ""


def _what(value: object) -> str:
    """The type of a TOML value, in words."""
    kinds: Sequence[tuple[type | tuple[type, ...], str]] = (
        (bool, "true or false"),
        (str, "a text"),
        (int, "a whole number"),
        (float, "a number with decimals"),
        (list, "a list"),
        (dict, "a table"),
        ((dt.date, dt.time), "a date or time"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "nothing")


def _at(values: object, path: TomlPath) -> object:
    for part in path:
        try:
            values = values[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _walk(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[TomlPath, type[BaseModel] | None]:
    """The path in the values for pydantic's `loc`, and the model that its last part is a key of.

    `loc` also contains names of union members (`webhook`, `str`), which are not in the values: a part that does not exist in the model is
    one.
    """
    path: list[str | int] = []
    at: Any = model
    around: type[BaseModel] | None = None
    for part in loc:
        members = _members(at)
        models = [member for member in members if _is_model(member)]
        tagged = [member for member in models if part in _tags(member)]
        if len(models) > 1 and tagged:
            at = tagged[0]
            continue
        if isinstance(part, str) and not models and not any(get_origin(member) is dict for member in members):
            continue
        around = models[0] if models else None
        at = _next(members, part)
        path.append(part)
    return tuple(path), around


def _next(members: Sequence[Any], part: str | int) -> Any:
    """The type one step further down."""
    for member in members:
        if _is_model(member):
            for name, field in member.model_fields.items():
                if part in {name, field.alias}:
                    return field.annotation
        elif get_origin(member) in {tuple, list}:
            return get_args(member)[0]
        elif get_origin(member) is dict:
            return get_args(member)[1]
    return object


def _members(annotation: Any) -> list[Any]:
    """The types of a union, each without its annotations; for any other type, itself."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in {Union, UnionType}:
        return [inner for member in get_args(annotation) if member is not NoneType for inner in _members(member)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tags(model: type[BaseModel]) -> tuple[Any, ...]:
    """The values of `type` that select this model."""
    field = model.model_fields.get("type")
    return get_args(field.annotation) if field and get_origin(field.annotation) is Literal else ()


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
