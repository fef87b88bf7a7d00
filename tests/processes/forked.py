"""Python programs that tests start by the hundred, forked from a process that has imported what they need: a seventh of the CPU time.

In: a command as for `subprocess.Popen`, `[sys.executable, "-m", module, ...]`, of a module in `READY`. Out: a process like any other, with
a pid, a session, an environment, a folder and standard streams of its own; only Python's start and its imports were done before.

What differs from a start: modules are imported without warnings as errors, hashes have one seed for all, and the process ends without
Python's finalization. Where that, a start, or what it costs is tested: `subprocess`.
"""

import atexit
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
from multiprocessing import forkserver, process, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from msgspec import Struct

from watchdog.demo.processes import child_environment

__all__ = ["Forked", "can_be_forked"]

READY = ("watchdog", "tests.processes.fresh", "celery")
PATCHING_POOLS = {"gevent", "eventlet"}
"""They replace parts of Python before anything else is imported."""
SET_ANEW = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"}
READ_AT_A_START = ("PYTHON", "LC_", "LANG", "REMAP_SIGTERM", "MP_LOG")
"""Variables that Python, or what is imported, reads once, but for those that are set anew."""
PRELOADED = "tests.processes.preloaded"
BEGUN_S = 60.0

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([PRELOADED])


class _Program(Struct, frozen=True):
    command: list[str]
    folder: str
    environment: dict[str, str]
    log: str
    leads_session: bool


def can_be_forked(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether it is a module of `READY`, run by this Python, in an environment that does not matter before that."""
    options, _, rest = "\0".join(command).partition("\0-m\0")
    ours = options in {sys.executable, f"{sys.executable}\0-W\0error"} and rest.partition("\0")[0] in READY
    return ours and not PATCHING_POOLS & set(command) and _read_at_a_start(environment) == _read_at_a_start(child_environment({}))


def _read_at_a_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(READ_AT_A_START) and name not in SET_ANEW}


class Forked:
    """A running program, with the methods of `subprocess.Popen` that tests use. What it prints goes to the end of the file `log`."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, *, leads_session: bool) -> None:
        program = _Program(list(command), str(folder), dict(environment), str(log.absolute()), leads_session)
        log.touch()
        with mock.patch.dict(os.environ, child_environment({}), clear=True):
            forkserver.ensure_running()
        has_begun, begins = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_run, args=(program, begins), daemon=True)
        with has_begun, begins:
            self._process.start()
            begins.close()
            begun = has_begun.poll(BEGUN_S) and _received(has_begun)
        process._children.discard(self._process)  # type: ignore[attr-defined]
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.returncode: int | None = None
        if not begun:
            self.kill()
            raise RuntimeError(
                f"{command} could not be forked: expected {PRELOADED} to be imported in the fork server; its errors are above"
            )

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


def _received(has_begun: "Connection[bytes, bytes]") -> bool:
    try:
        return has_begun.recv_bytes() == b""
    except EOFError:
        return False


def _run(program: _Program, begins: "Connection[bytes, bytes]") -> None:
    """Become that program: all that a start of Python sets up from the command, the environment and the standard streams."""
    if PRELOADED not in sys.modules:
        raise RuntimeError(f"{PRELOADED} was not imported")
    for server in (forkserver._forkserver, resource_tracker._resource_tracker):
        _let_go(server)
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


def _let_go(server: Any) -> None:
    """Close the descriptor by which a server of multiprocessing sees who still needs it: an orphan would keep it."""
    for name in ("_forkserver_alive_fd", "_fd"):
        if isinstance(number := getattr(server, name, None), int):
            os.close(number)
            setattr(server, name, None)


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
