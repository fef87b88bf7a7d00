"""`[actions]`: what `watchdog act`, and operators on the page, may do.

In: the table as written. Out: settings; without them nothing is allowed.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StrictStr

from watchdog.core.actions.kinds import KINDS
from watchdog.core.text.suggestions import did_you_mean
from watchdog.receivers.settings import as_tuple

__all__ = ["ActionSettings"]


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in KINDS:
            shown = f'"{name}"' if name.isascii() and name.isprintable() and len(name) <= 40 else "another text"
            near = did_you_mean(name, KINDS) or f"; there are {', '.join(KINDS)}"
            raise ValueError(f"expected names of actions, found {shown}{near}")
    return names


class ActionSettings(BaseModel):
    """`[actions]`. `allow`: the actions that may be done, by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    allow: Annotated[tuple[StrictStr, ...], BeforeValidator(as_tuple), AfterValidator(_known)] = ()
