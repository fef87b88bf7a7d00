"""A token from a command.

In: the command, the time left. Out: what it printed, or why there is no token. It is run without a shell, in a process group of its own,
which is killed if it does not end in time, if it prints too much, or if watchdog stops before it ends.
"""

import atexit
import os
import re
import selectors
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath
from threading import Lock

from watchdog.core.model.gaps import Gap
from watchdog.core.text.durations import format_duration
from watchdog.core.text.sanitize import one_line
from watchdog.core.text.secrets import secret_arguments
from watchdog.net.deadline import Deadline
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.sources.flower.access.token import LONGEST_TOKEN, Obtained

__all__ = ["TokenCommand"]

MOST_BYTES = 4 * LONGEST_TOKEN
"""Of standard output and of standard error, each."""
LONGEST_WORDS = 200
_LIKE_A_TOKEN = re.compile(r"(?=[A-Za-z_.=/+~-]*\d)[A-Za-z0-9_.=/+~-]{20,}|\bey[A-Za-z0-9_-]{10,}\S*")
_running: set[int] = set()
"""Process groups to be killed if watchdog ends without a stop."""


class _KilledError(Exception):
    """The command was killed; the text says why."""


class TokenCommand:
    """A command, run once for each token, by one thread at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._named = f"`token_command` of flower ({one_line(PurePath(command[0]).name, LONGEST_WORDS)})"
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._interrupted = False

    def token(self, deadline: Deadline, limit_s: float) -> Obtained | Gap:
        """Run it. `limit_s` is what `deadline` began with, for the reason."""
        try:
            process = self._started()
        except OSError as error:
            raise_if_own(error)
            return Gap(f"flower: no token: cannot run {self._named}: {error.strerror}; is it installed, and in the PATH of this process?")
        try:
            said, complained = _outputs(process, deadline)
        except _KilledError as over:
            why = str(over) or f"it was still running after {format_duration(limit_s)} (the limit is `token_timeout`)"
            return Gap(f"flower: no token: {self._named} was killed: {why}")
        finally:
            with self._lock:
                self._process = None
            _kill(process)
        if process.returncode:
            ended = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
            told = _first_line(complained, [*said.split(), *secret_arguments(self._command)])
            return Gap(f"flower: no token: {self._named} ended with {ended}{f': {told}' if told else ' and said nothing'}")
        return Obtained(said.strip())

    def interrupt(self) -> None:
        """From any thread: kill it if it runs, and at once if it is started again."""
        with self._lock:
            self._interrupted = True
            if self._process is not None:
                _kill_group(self._process)

    def _started(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        _running.add(process.pid)
        with self._lock:
            self._process = process
            if self._interrupted:
                _kill_group(process)
        return process


def _outputs(process: "subprocess.Popen[bytes]", deadline: Deadline) -> tuple[str, str]:
    """Standard output and standard error, once the command has ended and nobody holds them open."""
    texts = {stream: bytearray() for stream in (process.stdout, process.stderr) if stream is not None}
    with selectors.DefaultSelector() as selector:
        for stream in texts:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline.left())
            if deadline.over:
                raise _KilledError
            for key, _ in ready:
                some = os.read(key.fd, 65536)
                if not some:
                    selector.unregister(key.fileobj)
                text = texts[key.fileobj]  # type: ignore[index] # registered above
                text += some
                if len(text) > MOST_BYTES:
                    raise _KilledError(f"it printed more than {MOST_BYTES} bytes")
    try:
        process.wait(deadline.left())
    except subprocess.TimeoutExpired:
        raise _KilledError from None
    said, complained = (bytes(text).decode("utf-8", "replace") for text in texts.values())
    return said, complained


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End its process group. Once the command has been waited for, the number of the group may be another's."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    _kill_group(process)
    process.wait()
    _running.discard(process.pid)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def _first_line(text: str, secrets: Sequence[str]) -> str:
    """The first line with something in it, on which nothing is left that may be a secret."""
    line = next((line for line in text.splitlines() if line.strip()), "")[: 4 * LONGEST_WORDS]
    for secret in sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True):
        line = line.replace(secret, "***")
    return one_line(_LIKE_A_TOKEN.sub("***", line), LONGEST_WORDS)


@atexit.register
def _kill_the_rest() -> None:
    for group in list(_running):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
