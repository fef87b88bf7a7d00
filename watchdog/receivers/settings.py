"""Settings shared by all receivers, and their fingerprint."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

__all__ = ["ReceiverSettings"]


_NOT_WHERE = {"name", "was", "per_second"}
"""Settings that do not affect whether a message is accepted."""


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class ReceiverSettings(BaseModel):
    """One `[[receiver]]`. Each kind adds its `type` and its own settings. `was`: former names of the receiver."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    name: str = Field(min_length=1)
    was: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_tuple)] = ()

    def fingerprint(self) -> str:
        """The type, and 16 hex digits that depend on where and how it sends, secrets included, and reveal none of it.

        When it changes, refused messages may be retried. A new name or pace does not change it. Another type has other bodies.
        """
        revealed = json.dumps(self.model_dump(mode="python", exclude=_NOT_WHERE), default=_revealed, sort_keys=True)
        digits = hashlib.sha256(revealed.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"{getattr(self, 'type', '')}:{digits}"


def _revealed(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
