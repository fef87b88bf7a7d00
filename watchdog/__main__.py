"""`python -m watchdog`: the command line."""

from watchdog.cli import main

if __name__ == "__main__":
    main(prog_name="watchdog")
