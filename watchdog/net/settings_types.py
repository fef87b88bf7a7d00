"""Types shared by the settings of sources and receivers: each parses what the user writes into what the code needs."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from watchdog.core.text.durations import parse_duration
from watchdog.net.http_proxy import ENVIRONMENT, NONE, parse_proxy

__all__ = ["Duration", "PositiveDuration", "ProxySetting", "proxy_text"]

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""A duration such as `"1h30m"`, in seconds."""

PositiveDuration = Annotated[Duration, Field(gt=0)]
"""A duration above zero, such as a timeout, in seconds."""


def _checked_proxy(given: Any) -> Any:
    """Check the setting; a URL becomes a secret, because it may contain a password."""
    text = given.get_secret_value() if isinstance(given, SecretStr) else given
    if text in {ENVIRONMENT, NONE}:
        return text
    parse_proxy(text if isinstance(text, str) else "")
    return SecretStr(text)


ProxySetting = Annotated[Literal["environment", "none"] | SecretStr, Field(union_mode="left_to_right"), BeforeValidator(_checked_proxy)]
"""`"environment"`, `"none"` or the URL of an HTTP proxy."""


def proxy_text(setting: str | SecretStr) -> str:
    """The setting as the user wrote it."""
    return setting.get_secret_value() if isinstance(setting, SecretStr) else setting
