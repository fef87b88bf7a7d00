"""The process that imports a Celery app: `probe.py`, run by the app's Python.

In: the app as for `celery -A`, the Python, an environment, a time limit. Out: what the probe wrote, or `AppUnreadError`. Whatever the app
does when it is imported, this process goes on, and prints nothing of what it prints.
"""

import contextlib
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["AppUnreadError", "printed_by_probe"]

LARGEST_BYTES = 50_000_000
PROBE = Path(__file__).with_name("probe.py")


class AppUnreadError(Exception):
    """The app could not be imported or read: what was expected, what was found, where, what to do."""


def printed_by_probe(app: str, python: str, environ: Mapping[str, str], timeout_s: float) -> bytes:
    """Import the app in the current folder, and return what the probe wrote."""
    with tempfile.TemporaryFile() as out:
        ended = _run(app, python, out.fileno(), environ, timeout_s)
        out.seek(0)
        text = out.read(LARGEST_BYTES)
    if not text:
        raise AppUnreadError(
            f"expected to import the Celery app {app}, found: its process ended {_ending(ended)} while it was imported; "
            "see what the module does when it is imported, and leave that to its tasks or to `if __name__ == '__main__'`"
        )
    return text


def _run(app: str, python: str, descriptor: int, environ: Mapping[str, str], timeout_s: float) -> int:
    command = [python, "-c", PROBE.read_text(encoding="utf-8"), app, str(descriptor)]
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own Python and app
            command,
            env=dict(environ),
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise AppUnreadError(f"expected a Python that can be run, found: {why}, at {python}; name that of the app with --python") from None
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise AppUnreadError(
            f"expected to import the Celery app {app} within {timeout_s:g} s, found: its import goes on; "
            "a module that connects or waits when it is imported keeps workers from starting, too"
        ) from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _ending(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
