"""Why an incident is quiet, and who knows of it, in words.

In: reasons and acknowledgements. Out: short phrases for the pages about incidents.
"""

from collections.abc import Callable

from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.payload import iso
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.text.wording import key_text

__all__ = ["acknowledged_text", "held_back_by", "quiet_line", "quiet_verb"]

SHORT_ID = 12


def held_back_by(reason: Reason | None, clock: Callable[[float], str] = iso) -> str:
    """What keeps an incident quiet, as short as it is clear; empty for an acknowledgement, which has a line of its own."""
    if reason is None:
        return ""
    cause, silence, deploy = reason.cause, reason.silence, reason.deploy
    if reason.trial:
        return "its trial"
    if reason.window is not None:
        return f"{reason.window.name} {reason.window.until(reason.at)}"
    if deploy is not None:
        return f"deploy {deploy.version} until {clock(deploy.ends_at)}"
    if reason.same_as is not None:
        return f"{reason.same_as.rule} of target {reason.same_as.target}, sent as {reason.same_as.id[:SHORT_ID]}"
    if silence is not None:
        comment = f" ({silence.comment})" if silence.comment else ""
        return f"silence {silence.id[:SHORT_ID]} until {clock(silence.ends_at)}{comment}"
    if cause is None:
        return ""
    key = f" ({key_text(cause.key)})" if cause.key else ""
    return f"{cause.rule}{key}{', which is pending' if cause.state is State.PENDING else ''}"


def quiet_verb(reason: Reason | None) -> str:
    """What stands before it."""
    return "muted by" if reason is not None and reason.window is not None else "held back by"


def quiet_line(reason: Reason | None, clock: Callable[[float], str] = iso) -> str:
    """Both as one line; empty if nothing keeps it quiet, or an acknowledgement does."""
    held = held_back_by(reason, clock)
    return f"{quiet_verb(reason)} {held}" if held else ""


def acknowledged_text(given: Acknowledgement | None, clock: Callable[[float], str] = iso) -> str:
    """`acknowledged by ada since 2026-11-28T14:10:12Z: the disk is on its way`; empty if nobody did."""
    if given is None:
        return ""
    by = f" by {given.author}" if given.author else ""
    return f"acknowledged{by} since {clock(given.at)}{f': {given.comment}' if given.comment else ''}"
