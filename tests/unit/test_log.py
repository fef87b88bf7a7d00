import io
import sys

import pytest

from watchdog.log import LogStream


class Full(io.StringIO):
    """The disk is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Full(), closed()], ids=["full", "closed"])
def test_a_log_that_cannot_be_written_fails_nobody(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    log = LogStream()
    assert log.write("line\n") == 5
    log.flush()
    assert not log.isatty()


def test_the_log_goes_on_once_it_can_be_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    log, there = LogStream(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", Full())
    log.write("lost\n")
    monkeypatch.setattr(sys, "stderr", there)
    log.write("kept\n")
    assert there.getvalue() == "kept\n"
