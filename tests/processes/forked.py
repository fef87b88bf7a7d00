"""Python programs that tests start by the hundred, forked from a process that has imported what they need: a seventh of the CPU time.

In: a command as for `subprocess.Popen`, `[sys.executable, "-m", module, ...]`, of a module in `READY`. Out: a process like any other, with
a pid, a session, an environment, a folder and standard streams of its own; only Python's start and its imports were done before.
Where a start is what is tested, or what it costs: `subprocess`.
"""

import atexit
import contextlib
import faulthandler
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from io import FileIO, TextIOWrapper
from multiprocessing.connection import Connection
from pathlib import Path

from msgspec import Struct

__all__ = ["Forked", "can_be_forked"]

READY = ("watchdog", "tests.processes.fresh", "celery")
PATCHING_POOLS = {"gevent", "eventlet"}
"""They replace parts of Python before anything else is imported."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.processes.preloaded"])


class _Program(Struct, frozen=True):
    command: list[str]
    folder: str
    environment: dict[str, str]
    log: str
    leads_session: bool


def can_be_forked(command: Sequence[str]) -> bool:
    """Whether it is a module of `READY`, run by this Python."""
    options, _, rest = "\0".join(command).partition("\0-m\0")
    module = rest.partition("\0")[0]
    return options in {sys.executable, f"{sys.executable}\0-W\0error"} and module in READY and not PATCHING_POOLS & set(command)


class Forked:
    """A running program, with the methods of `subprocess.Popen` that tests use. What it prints goes to the end of the file `log`."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, *, leads_session: bool) -> None:
        program = _Program(list(command), str(folder), dict(environment), str(log.absolute()), leads_session)
        log.touch()
        has_begun, begins = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(
            target=_run, args=(program, begins), daemon=True
        )  # daemon: none is waited for at the end of the tests
        with has_begun, begins:
            self._process.start()
            begins.close()
            with contextlib.suppress(EOFError):  # it has died
                has_begun.recv_bytes()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, negative after a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._process.exitcode
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            try:
                os.kill(self.pid, sig)
            except ProcessLookupError:
                self.wait(1.0)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _run(program: _Program, begins: "Connection[bytes, bytes]") -> None:
    """Become that program: all that a start of Python sets up from the command, the environment and the standard streams."""
    if program.leads_session:
        os.setsid()
    begins.send_bytes(b"")  # from here on, a signal to its group reaches it
    begins.close()
    multiprocessing.current_process().name = "MainProcess"  # which logs say
    _take_streams(program.log)
    os.chdir(program.folder)
    os.environ.clear()
    os.environ.update(program.environment)
    time.tzset()
    tempfile.tempdir = None
    if "PYTHONFAULTHANDLER" in program.environment:
        faulthandler.enable()
    at = program.command.index("-m")
    if "error" in program.command[:at]:
        sys.warnoptions[:] = ["error"]
        warnings.simplefilter("error")
    module = program.command[at + 1]
    sys.orig_argv[:] = program.command
    sys.argv[:] = program.command[at + 1 :]
    path = program.environment.get("PYTHONPATH", "")
    sys.path[:] = list(dict.fromkeys([program.folder, *filter(None, path.split(os.pathsep)), *sys.path]))
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()


def _take_streams(log: str) -> None:
    """Standard input without anything, and both outputs unbuffered at the end of the log."""
    for name, flags, numbers in ((os.devnull, os.O_RDONLY, (0,)), (log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, (1, 2))):
        opened = os.open(name, flags, 0o644)
        for number in numbers:
            os.dup2(opened, number)
        os.close(opened)
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # type: ignore[misc] # noqa: SIM115 - for as long as it runs
    sys.stdout = sys.__stdout__ = _unbuffered(1, "strict")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _unbuffered(2, "backslashreplace")  # type: ignore[misc]


def _unbuffered(number: int, errors: str) -> TextIOWrapper:
    return TextIOWrapper(FileIO(number, "w", closefd=False), encoding="utf-8", errors=errors, write_through=True)  # as python -u
