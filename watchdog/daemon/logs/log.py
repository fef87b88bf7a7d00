"""The log: structured lines, an event in the past tense with its fields; to stderr, coloured on a terminal, logfmt in a pipe.

Tracebacks are logged as text, without the values of local variables; secrets in them are masked. A log that cannot be written (its reader
is gone or stuck, the disk is full) never fails or holds up the work that it describes: the line is lost, and counted.
"""

import contextlib
import io
import logging
import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any, TextIO, cast

import structlog

from watchdog.config.masking import MASKING
from watchdog.core.text.sanitize import log_text, sanitize
from watchdog.net.unread_output import written

__all__ = ["LogStream", "configure_log"]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


PATIENCE_S = 1.0
"""How long a line waits for a reader; after one that waited in vain, the next are lost at once."""


class LogStream(io.TextIOBase):
    """The current standard error, for lines that may be lost. `lost_line`: a line that says how many were."""

    lost_line: Callable[[int], str] = staticmethod("{} lines of the log were lost".format)
    _lost = 0

    def write(self, text: str) -> int:
        """Write the text, or lose it."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            if self._lost and written(sys.stderr, f"{self.lost_line(self._lost)}\n", 0.0):
                self._lost = 0
            if not written(sys.stderr, MASKING(text), 0.0 if self._lost else PATIENCE_S):
                self._lost += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Flush, if possible."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()

    def isatty(self) -> bool:
        """Whether stderr is a terminal."""
        try:
            return sys.stderr.isatty()
        except ValueError:
            return False


STREAM = LogStream()
"""A single stream, so that the log of a reload does not interleave with the previous one."""


def configure_log(level: str, style: str) -> None:
    """Set up structlog. `style`: auto, console, json or logfmt.

    Other libraries' loggers are shown from warning on, and httpx's request lines not at all: they contain webhook secrets.
    """
    terminal = STREAM.isatty()
    chosen = ("console" if terminal else "logfmt") if style == "auto" else style
    renderer = _renderer(chosen, terminal)
    STREAM.lost_line = partial(_lost_line, renderer[-1])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            MASKING.event,
            _sanitized,
            *renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", STREAM)),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=cast("TextIO", STREAM), force=True)
    for name in ("httpx", "httpcore", "apscheduler", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _lost_line(render: Callable[..., Any], lines: int) -> str:
    event = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {"level": "warning", "event": "log_lines_lost", "lines": lines})
    return str(render(None, "warning", event))


def _sanitized(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Texts from outside, on one line and without control characters that could change a terminal."""
    return {key: _shown(key, value) if isinstance(value, str) else value for key, value in event.items()}


def _shown(key: str, text: str) -> str:
    """A traceback keeps its lines, which its renderer needs."""
    return "\n".join(map(sanitize, text.splitlines())) if key == "exception" else log_text(text)


def _renderer(style: str, terminal: bool) -> list[Any]:  # noqa: FBT001 - a fact about the stream, not a switch
    if style == "json":
        return [structlog.processors.JSONRenderer()]
    if style == "console":
        return [structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback)]
    order = ["timestamp", "level", "event"]
    return [structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True, bool_as_flag=False)]
