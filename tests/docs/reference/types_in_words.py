"""Types and defaults of settings in the words of somebody who writes TOML. In: a field of a model. Out: Markdown."""

import json
import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, BeforeValidator, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.docs.reference.markdown import code
from watchdog.core.text.durations import format_duration, parse_duration
from watchdog.receivers.settings import as_tuple

__all__ = ["default_of", "type_of"]

WORDS = {bool: "true or false", int: "integer", float: "number", str: "text", SecretStr: "text", SecretBytes: "text", Path: "text"}


def type_of(one: FieldInfo) -> str:
    """What may be written."""
    return _type(one.annotation, one.metadata)


def default_of(one: FieldInfo) -> str:
    """What holds if nothing is written."""
    default = one.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default is None or isinstance(default, BaseModel):
        return "unset"
    return code(_toml(default, duration=_is_duration(one.annotation, one.metadata)))


def _toml(value: Any, *, duration: bool) -> str:
    match value:
        case Enum():
            return json.dumps(value.value)
        case float() if duration:
            return json.dumps(format_duration(value))
        case SecretStr():
            return json.dumps(value.get_secret_value())
        case tuple() | list():
            return f"[{', '.join(_toml(item, duration=duration) for item in value)}]"
        case dict():
            return "{}"
        case _:
            return json.dumps(value)


def _type(annotation: Any, metadata: list[Any]) -> str:
    if _is_duration(annotation, metadata):
        return "duration"
    of_one = f"text or {_plain(annotation)}" if any(_function(found) is as_tuple for found in metadata) else _plain(annotation)
    return of_one + "".join(f", {bound}" for bound in _bounds(metadata))


def _plain(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0], list(args[1:]))
    if origin is Literal:
        return " or ".join(code(json.dumps(value)) for value in args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_plain(one) for one in args if one is not type(None)))
    if origin in (tuple, list, frozenset):
        return f"list of {_plural(_plain(args[0]))}"
    if origin is dict:
        return f"table of {_plural(_plain(args[1]))}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(code(json.dumps(one.value)) for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return WORDS[annotation]


def _plural(word: str) -> str:
    return f"{word}s" if word.isalpha() else word


def _is_duration(annotation: Any, metadata: list[Any]) -> bool:
    if any(_function(found) is parse_duration for found in metadata):
        return True
    if get_origin(annotation) is Annotated:
        first, *more = get_args(annotation)
        return _is_duration(first, more)
    return get_origin(annotation) in (Union, types.UnionType) and any(_is_duration(one, []) for one in get_args(annotation))


def _function(found: Any) -> Any:
    return found.func if isinstance(found, BeforeValidator) else None


def _bounds(metadata: list[Any]) -> Iterator[str]:
    for found in metadata:
        match found:
            case Ge(ge=least):
                yield f"at least {least}"
            case Gt(gt=least):
                yield f"more than {least}"
            case Le(le=most):
                yield f"at most {most}"
