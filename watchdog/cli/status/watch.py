"""`--watch`: the page on a terminal of its own, drawn anew in place. What does not fit its height is cut, and the last line says so."""

import sys
import time
from collections.abc import Callable

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from watchdog.cli.output.page import Page
from watchdog.cli.output.screen import rendered
from watchdog.cli.output.terminal import console_on

__all__ = ["update_in_place"]


def update_in_place(page: Callable[[], Page], every_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Draw the page every `every_s` seconds until Ctrl-C, which ends quietly. An error is raised once the terminal is as it was."""
    console = console_on(sys.stdout)
    try:
        with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                live.update(_Fitting(Group(*rendered(page(), console))), refresh=True)
                sleep(every_s)
    except KeyboardInterrupt:
        return


class _Fitting:
    """As many lines as the terminal has."""

    def __init__(self, page: Group) -> None:
        self._page = page

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._page, options.update(height=None), pad=False)
        height = options.max_height
        if len(lines) > height:
            left_out = len(lines) - height + 1
            note = Text(f"{left_out} more lines: enlarge the terminal, or choose with --panel", style="dim")
            lines = [*lines[: height - 1], *console.render_lines(note, options.update(height=None), pad=False)]
        for nth, line in enumerate(lines):
            yield from line
            if nth < len(lines) - 1:
                yield Segment.line()
