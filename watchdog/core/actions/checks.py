"""Arguments of actions, checked before anybody is asked. In: what was typed. Out: the value for Celery, or a ValueError."""

import re

from watchdog.core.text.names import LONGEST_NAME

__all__ = ["checked_rate", "name_faults"]

_RATE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?(/[smh])?", re.ASCII)


def checked_rate(rate: str) -> str:
    """A rate as Celery reads it."""
    if not _RATE.fullmatch(rate):
        raise ValueError('expected a number for a second, minute or hour, such as "10/m", or 0 for no limit')
    return rate


def name_faults(names: dict[str, str]) -> list[str]:
    """A fault for each name (what it names -> the name) that no queue, task or worker can have."""
    return [
        f"{what}: expected a name of 1 to {LONGEST_NAME} printable characters"
        for what, name in names.items()
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable()
    ]
