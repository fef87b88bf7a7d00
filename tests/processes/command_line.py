"""A command of watchdog, run in this process: the same answer as from a process of its own, without a second of CPU for starting Python.

In: arguments, a folder, an environment. Out: the exit code and both streams, as of a finished process. What a run leaves behind in
a process (folder, environment, streams, secrets to mask) is as before afterwards. Signals, terminals, `watchdog run` and whatever else
is about the process itself: `tests.processes.running`.
"""

import contextlib
import io
import logging
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO
from unittest import mock

from tests.processes.running import environment
from watchdog.cli import main
from watchdog.config.masking import MASKING, masked_stream

__all__ = ["watchdog"]


def watchdog(*args: str | Path, cwd: Path, environ: Mapping[str, str] | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command to its end. `stdin`: what is piped to it."""
    given = [str(arg) for arg in args]
    out, err = _Captured(), _Captured()
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, environment(cwd, environ or {}), clear=True),
        mock.patch.object(sys, "argv", ["watchdog", *given]),
        mock.patch.object(sys, "stdout", out.stream),
        mock.patch.object(sys, "stderr", err.stream),
        mock.patch.object(logging.root, "handlers", []),  # pytest's: without any, warnings of libraries go to standard error
        open(os.devnull, encoding="utf-8") as nothing,  # noqa: PTH123
        mock.patch.object(sys, "stdin", io.StringIO(stdin) if stdin else nothing),
        _no_secret_known(),
    ):
        try:
            main(prog_name="watchdog")
        except SystemExit as ended:
            code = ended.code
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    assert isinstance(code, int)
    return subprocess.CompletedProcess(["watchdog", *given], code, out.text, err.text)


class _Captured:
    """A standard stream of a run, masked as `__main__` masks the interpreter's own, and what was printed to it."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._unmasked = io.TextIOWrapper(self._bytes, encoding="utf-8")  # kept: it would close the bytes as it goes
        self.stream: TextIO = masked_stream(self._unmasked)

    @property
    def text(self) -> str:
        return io.StringIO(self._bytes.getvalue().decode(), newline=None).read()


@contextlib.contextmanager
def _no_secret_known() -> Iterator[None]:
    """Masking that has learnt nothing from other runs, which would hide what this one fails to mask."""
    with mock.patch.multiple(MASKING, _secrets=frozenset(), _obtained=deque(), _pattern=None):
        yield
