"""The entry point of `watchdog` and `python -m watchdog`. Ctrl-C ends quietly even while the command line is being imported.

From here on, everything printed passes through `masking`.
"""

import sys

from watchdog.daemon.starting.early_signals import is_daemon, note_signals
from watchdog.daemon.starting.garbage import collect_after_start, end_without_collecting
from watchdog.daemon.starting.lazy_imports import without_httpx_command_line

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line; ends with SystemExit."""
    if is_daemon(sys.argv[1:]):
        note_signals()
    collect_after_start()
    end_without_collecting()
    without_httpx_command_line()
    try:
        from watchdog.config.masking import masked_stream  # noqa: PLC0415

        sys.stdout, sys.stderr = (stream and masked_stream(stream) for stream in (sys.stdout, sys.stderr))
        from watchdog.cli import main as command_line  # noqa: PLC0415 - must be inside the try

        command_line(prog_name="watchdog")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
