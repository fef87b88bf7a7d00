"""The types that settings of sources and receivers share: what a user writes on the left, what the code gets on the right."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from watchdog.core.text.durations import parse_duration
from watchdog.net.http_proxy import ENVIRONMENT, NONE, parse_proxy

__all__ = ["Duration", "PositiveDuration", "ProxySetting", "proxy_text"]

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""A duration such as `"1h30m"`; seconds."""

PositiveDuration = Annotated[Duration, Field(gt=0)]
"""A duration longer than nothing, such as a timeout; seconds."""


def _checked_proxy(given: Any) -> Any:
    """A URL is a secret, for it may hold a password."""
    text = given.get_secret_value() if isinstance(given, SecretStr) else given
    if text in {ENVIRONMENT, NONE}:
        return text
    parse_proxy(text if isinstance(text, str) else "")
    return SecretStr(text)


ProxySetting = Annotated[Literal["environment", "none"] | SecretStr, Field(union_mode="left_to_right"), BeforeValidator(_checked_proxy)]
"""`"environment"`, `"none"` or the URL of an HTTP proxy."""


def proxy_text(setting: str | SecretStr) -> str:
    """What the user wrote."""
    return setting.get_secret_value() if isinstance(setting, SecretStr) else setting
