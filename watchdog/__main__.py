"""Where every run begins: `watchdog`, `python -m watchdog`. Ctrl-C while the command line is still being imported ends quietly too."""

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line; ends with SystemExit."""
    try:
        from watchdog.cli import main as command_line  # noqa: PLC0415 - inside the try, that is the point

        command_line(prog_name="watchdog")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
