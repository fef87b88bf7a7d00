"""Types shared by the settings of sources and receivers: each parses what the user writes into what the code needs."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StrictStr

from watchdog.core.text.durations import parse_duration
from watchdog.net.http_proxy import ENVIRONMENT, NONE, parse_proxy

__all__ = ["Duration", "OneName", "PositiveDuration", "ProxySetting", "proxy_text"]

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""A duration such as `"1h30m"`, in seconds."""

PositiveDuration = Annotated[Duration, Field(gt=0)]
"""A duration above zero, such as a timeout, in seconds."""


def _one_name(name: str) -> str:
    """Globs are taken elsewhere; here one would be a name that nothing has, and nobody would be told so."""
    if not name or name != name.strip():
        raise ValueError("expected a name without spaces around it")
    if set("*?") & set(name):
        raise ValueError(f'expected the name of one, found the glob "{name[:100]}": name each by itself')
    return name


OneName = Annotated[StrictStr, AfterValidator(_one_name)]
"""The name of one queue or task, in full."""


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
