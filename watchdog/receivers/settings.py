"""What the settings of every receiver share, and their fingerprint."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["ReceiverSettings"]


class ReceiverSettings(BaseModel):
    """One `[[receiver]]`. Each kind adds its `type` and what it needs."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1)

    def fingerprint(self) -> str:
        """16 hex digits that change with any setting, secrets included, and tell none of them: what was refused may then be tried again."""
        revealed = json.dumps(self.model_dump(mode="python"), default=_revealed, sort_keys=True)
        return hashlib.sha256(revealed.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _revealed(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
