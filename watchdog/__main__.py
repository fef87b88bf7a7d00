"""Where every run begins: `watchdog`, `python -m watchdog`. Ctrl-C while the command line is still being imported ends quietly too.

Whatever is printed from here on, by whomever, passes `masking`.
"""

import gc
import sys

from watchdog.daemon.early_signals import is_daemon, note_signals
from watchdog.daemon.lazy_imports import without_httpx_command_line

__all__ = ["collect_seldom", "main"]

INTERRUPTED = 130
SELDOM = 10_000
"""Objects made, less those let go, before Python looks for cycles among them; its own 700 are passed by imports alone."""


def collect_seldom() -> None:
    """Hardly anything here refers to itself, while a cycle makes and lets go of thousands of objects: looking is a good part of it."""
    gc.set_threshold(SELDOM)


def main() -> None:
    """Run the command line; ends with SystemExit."""
    if is_daemon(sys.argv[1:]):
        note_signals()
    collect_seldom()
    without_httpx_command_line()
    try:
        from watchdog.config.masking import masked_stream  # noqa: PLC0415

        sys.stdout, sys.stderr = (stream and masked_stream(stream) for stream in (sys.stdout, sys.stderr))
        from watchdog.cli import main as command_line  # noqa: PLC0415 - inside the try, that is the point

        command_line(prog_name="watchdog")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
