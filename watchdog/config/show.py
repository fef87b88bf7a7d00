"""The settings in effect, for people: defaults filled in, durations formatted, every secret masked.

In: `Settings`. Out: plain values (`effective`) or TOML text (`to_toml`). Secrets are: fields that a model declares as such, keys named like
secrets, the userinfo and query of any URL, the path of a receiver's or the heartbeat's URL (it grants access), and all headers.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, BeforeValidator, SecretBytes, SecretStr

from watchdog.config.masking import MASK
from watchdog.config.settings import Settings
from watchdog.core.text.durations import format_duration, parse_duration
from watchdog.core.text.secrets import COMMAND, names_secret, secret_arguments

__all__ = ["effective", "masked_url", "to_toml"]

_URL = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL)


def effective(settings: Settings) -> dict[str, Any]:
    """Every setting that has a value, by its name in `watchdog.toml`."""
    shown = _table(settings, hide_paths=False)
    if settings.heartbeat is not None:
        shown["heartbeat"] = _table(settings.heartbeat, hide_paths=True)
    if settings.http is not None:
        shown["http"] = _table(settings.http, hide_paths=False)
    if settings.engine is not None:
        shown["engine"] = _table(settings.engine, hide_paths=False)
    shown["alertmanager"] = [_table(mirror, hide_paths=False) for mirror in settings.alertmanager]
    shown["receiver"] = [_table(receiver, hide_paths=True) for receiver in settings.receiver]
    return shown


def masked_url(url: str, *, hide_path: bool) -> str:
    """A URL with its userinfo and query masked, and its path if that is secret. Text that is not a URL is unchanged."""
    found = _URL.fullmatch(url)
    if found is None:
        return url
    if hide_path and found["scheme"] not in ("http", "https"):  # Apprise's: the host may be a token
        return f"{found['scheme']}://{MASK}"
    user = "" if found["user"] is None else f"{MASK}@"
    if "@" in found["path"]:  # a "/" in a password: what looks like the host is part of it
        return f"{found['scheme']}://{MASK}"
    path = f"/{MASK}" if hide_path and found["path"].strip("/") else found["path"]
    return f"{found['scheme']}://{user}{found['host']}{path}{f'?{MASK}' if found['rest'] else ''}"


def to_toml(values: Mapping[str, Any]) -> str:
    """The values from `effective` as TOML: plain keys first, then a table for each item of an array."""
    arrays = {key: value for key, value in values.items() if isinstance(value, list) and value and isinstance(value[0], dict)}
    lines = [f"{key} = {_inline(value)}" for key, value in values.items() if key not in arrays]
    for name, tables in arrays.items():
        for table in tables:
            lines += ["", f"[[{name}]]", *(f"{_key(key)} = {_inline(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _table(model: BaseModel, *, hide_paths: bool) -> dict[str, Any]:
    return dict(_shown_fields(model, hide_paths=hide_paths))


def _shown_fields(model: BaseModel, *, hide_paths: bool) -> Iterator[tuple[str, Any]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if value is None:
            continue
        key = field.alias or name
        if names_secret(key):
            yield key, MASK
        elif key == COMMAND:
            yield key, _command(value)
        elif isinstance(value, float) and _is_duration([field.annotation, *field.metadata]):
            yield key, _exact(value)
        else:
            yield key, _shown(value, hide_paths=hide_paths)


def _shown(value: Any, *, hide_paths: bool) -> Any:
    match value:
        case SecretStr() if "://" in (url := value.get_secret_value()):
            return masked_url(url, hide_path=hide_paths)
        case SecretStr() | SecretBytes():
            return MASK
        case BaseModel():
            return _table(value, hide_paths=hide_paths)
        case Enum():
            return value.value
        case dict():
            return {k: MASK if names_secret(str(k)) else _shown(v, hide_paths=hide_paths) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown(item, hide_paths=hide_paths) for item in value]
        case str():
            return masked_url(value, hide_path=hide_paths)
        case bool() | int() | float():
            return value
        case Path() | _:
            return str(value)


def _command(words: Sequence[str]) -> list[str]:
    """The words of a command, without what may be secret in its arguments."""
    secrets = secret_arguments(words)
    return [
        words[0],
        *(next((word.removesuffix(secret) + MASK for secret in secrets if word.endswith(secret)), word) for word in words[1:]),
    ]


def _is_duration(annotations: list[Any]) -> bool:
    """Whether a duration is among a field's annotations, at any depth."""
    found = [a for a in annotations if isinstance(a, BeforeValidator) and a.func is parse_duration]
    inner = [part for a in annotations for part in (*get_args(a), *getattr(a, "__metadata__", ()))]
    return bool(found) or (bool(inner) and _is_duration(inner))


def _exact(seconds: float) -> str:
    """The duration as people write it, unless rounding would change it."""
    format_value = format_duration(seconds)
    return format_value if format_value != "forever" and parse_duration(format_value) == seconds else f"{seconds!r}s"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {_inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _inline(key)
