"""A process that stands by begins anew, with only what it needs for that: Python gives no memory back of what it has once imported.

In: what the process needs. Out: the same process (its pid, its standard streams, its supervisor), with another image, which finds that left
for it. Nothing is passed in an argument or a variable but the number of a pipe: a database's URL holds a password.
"""

import os
import signal
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

import msgspec.json
from msgspec import DecodeError, Struct

from watchdog.core.decoding import ready
from watchdog.core.model.servers.database_url import DatabaseUrl, is_database_url
from watchdog.daemon.starting.early_signals import LISTENED_FOR, asked_to_end
from watchdog.store.sql import DatabasePlace

__all__ = ["Left", "begin_anew", "left_before"]

_VARIABLE = "_WATCHDOG_BEGUN_ANEW"
_MOST_BYTES = 64 * 1024
"""What a pipe holds."""


class Left(Struct, frozen=True):
    """What is needed to stand by. `database`: a path, or the URL as it was written. The rest is of `[http]`; without that, `listen` is
    empty.
    """

    database: str
    log_level: str
    log_format: str
    listen: str = ""
    address: tuple[str, int] = ("", 0)
    prefix: str = ""
    authenticates: bool = False

    @property
    def place(self) -> DatabasePlace:
        """Where the database is."""
        return DatabaseUrl(self.database) if is_database_url(self.database) else Path(self.database)


def begin_anew(left: Left) -> None:
    """Replace this process's image by a new one of the same command. Returns if that cannot be, or if somebody has asked it to end."""
    if _VARIABLE in os.environ:
        return
    reader, writer = os.pipe()
    try:
        os.write(writer, msgspec.json.encode(left))
        os.close(writer)
        os.set_inheritable(reader, True)  # noqa: FBT003 - takes no name
        signal.pthread_sigmask(signal.SIG_BLOCK, LISTENED_FOR)  # until the new image listens
        if asked_to_end():  # the new image would not know
            return
        with suppress(OSError):
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, _VARIABLE: str(reader)})  # noqa: S606 - itself
    finally:
        os.close(reader)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, LISTENED_FOR)


def left_before(environ: MutableMapping[str, str]) -> Left | None:
    """What the image before this one left; None at a start like any other."""
    number = environ.get(_VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        with os.fdopen(int(number), "rb") as reader:
            left = msgspec.json.decode(reader.read(_MOST_BYTES), type=ready(Left))
    except (OSError, DecodeError):
        return None  # the variable stays: what failed once is not tried again and again
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, LISTENED_FOR)
    del environ[_VARIABLE]
    return left
