import io
import threading

import pytest

from watchdog.cli.output.status_line import StatusLine


class Terminal(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written.set()
        return super().write(text)


def test_a_pipe_hears_nothing() -> None:
    pipe = io.StringIO()
    with StatusLine(pipe, patience_s=0.0) as status:
        status.say("asking flower of prod")
    assert pipe.getvalue() == ""


def test_a_short_wait_shows_nothing() -> None:
    terminal = Terminal()
    with StatusLine(terminal, stopwatch=lambda: 0.0) as status:
        status.say("asking flower of prod")
    assert terminal.getvalue() == ""


def test_a_long_wait_says_what_for_and_leaves_no_trace() -> None:
    terminal = Terminal()
    times = iter([0.0])
    with StatusLine(terminal, stopwatch=lambda: next(times, 3.0)) as status:
        status.say("asking flower of prod")
        assert terminal.written.wait(5)
    shown = terminal.getvalue()
    assert "asking flower of prod … 3s" in shown
    assert shown.endswith("\r\x1b[2K")


def test_a_text_that_is_too_long_for_the_terminal_stays_on_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    terminal = Terminal()
    with StatusLine(terminal, stopwatch=iter([0.0, *[3.0] * 1000]).__next__) as status:
        status.say("asking redis of prod; asking flower of prod")
        assert terminal.written.wait(5)
    assert [len(line) for line in terminal.getvalue().split("\r\x1b[2K") if line] == [29]
