"""The log: structured lines, an event in the past tense and its fields; to stderr, coloured on a terminal, logfmt in a pipe."""

import logging
import sys
from typing import Any

import structlog

__all__ = ["configure_log"]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_log(level: str, style: str) -> None:
    """Set up structlog once. `style`: auto, console, json or logfmt. Other libraries' loggers speak from warning on,
    and httpx's request lines not at all: they carry webhook secrets."""
    terminal = sys.stderr.isatty()
    chosen = ("console" if terminal else "logfmt") if style == "auto" else style
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderer(chosen, terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr, force=True)
    for name in ("httpx", "httpcore", "apscheduler", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _renderer(style: str, terminal: bool) -> list[Any]:  # noqa: FBT001 - a fact about the stream, not a switch
    if style == "json":
        return [structlog.processors.JSONRenderer()]
    if style == "console":
        return [structlog.dev.ConsoleRenderer(colors=terminal)]
    order = ["timestamp", "level", "event"]
    return [structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True, bool_as_flag=False)]
