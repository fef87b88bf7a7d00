"""Secrets that are obtained while watchdog runs, such as tokens, and are no part of the configuration: whoever prints text learns of them.

In: a secret, from whatever obtained it. Out: a call to each listener, before the secret is used.
"""

from collections.abc import Callable

__all__ = ["obtained", "on_obtained"]

_listeners: list[Callable[[str], None]] = []


def on_obtained(listener: Callable[[str], None]) -> None:
    """Tell this listener of every secret from now on. It is called in the thread that obtained the secret."""
    _listeners.append(listener)


def obtained(secret: str) -> None:
    """Tell the listeners of a secret."""
    for listener in _listeners:
        listener(secret)
