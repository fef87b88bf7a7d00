import io
import json
import os
import sys
from typing import TextIO

import pytest
import structlog

from watchdog.daemon.logs import log as log_module
from watchdog.daemon.logs.log import LogStream, configure_log


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


def test_a_log_that_nobody_reads_loses_lines_and_says_how_many_once_somebody_does(
    monkeypatch: pytest.MonkeyPatch, full_pipe: tuple[int, TextIO]
) -> None:
    reader, stream = full_pipe
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.01)
    log = LogStream()
    for line in ("one\n", "two\n", "three\n"):
        log.write(line)
    os.read(reader, 1 << 20)
    log.write("four\n")
    assert os.read(reader, 1 << 20) == b"3 lines of the log were lost\nfour\n"


def test_lost_lines_are_counted_in_the_style_of_the_log() -> None:
    configure_log("info", "json")
    structlog.reset_defaults()
    said = json.loads(log_module.STREAM.lost_line(7))
    assert (said["event"], said["level"], said["lines"]) == ("log_lines_lost", "warning", 7)


@pytest.mark.parametrize("style", ["logfmt", "console", "json"])
def test_a_name_neither_paints_the_terminal_nor_forges_a_line(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = io.StringIO()
    monkeypatch.setattr(sys, "stderr", there)
    configure_log("info", style)
    structlog.get_logger().info("incident_fired", key_name="a\x1b[2J\x9b31m\u202eb\nlevel=error event=forged\ud800")
    structlog.reset_defaults()
    line = there.getvalue()
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    assert "forged" in line
