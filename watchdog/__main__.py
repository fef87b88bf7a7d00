"""Where every run begins: `watchdog`, `python -m watchdog`. Ctrl-C while the command line is still being imported ends quietly too.

Whatever is printed from here on, by whomever, passes `masking`.
"""

import sys

__all__ = ["main"]

INTERRUPTED = 130


def main() -> None:
    """Run the command line; ends with SystemExit."""
    try:
        from watchdog.masking import masked_stream  # noqa: PLC0415

        sys.stdout, sys.stderr = (stream and masked_stream(stream) for stream in (sys.stdout, sys.stderr))
        from watchdog.cli import main as command_line  # noqa: PLC0415 - inside the try, that is the point

        command_line(prog_name="watchdog")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
