"""Writing where nobody may read."""

import io
import os
from typing import TextIO

import pytest

from watchdog.config.masking import MASK, Masking, masked_stream
from watchdog.net.unread_output import PIECE_BYTES, written

SECRET = "s3cret-of-the-webhook"


def test_what_fits_into_a_pipe_is_written() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream, os.fdopen(reader, "rb") as read:
        text = "é" * 3 * PIECE_BYTES
        assert written(stream, text, 1.0)
        stream.close()
        assert read.read().decode() == text


def test_a_full_pipe_is_given_up_in_time(full_pipe: tuple[int, TextIO]) -> None:
    assert not written(full_pipe[1], "one more\n", 0.01)


def test_what_was_given_up_does_not_hold_up_the_next(full_pipe: tuple[int, TextIO]) -> None:
    """The end of the process flushes standard output."""
    reader, stream = full_pipe
    written(stream, "lost\n", 0.0)
    stream.flush()
    os.read(reader, 1 << 20)
    assert (written(stream, "next\n", 0.0), os.read(reader, 1 << 20)) == (True, b"next\n")


def test_a_stream_in_memory_never_waits() -> None:
    stream = io.StringIO()
    assert (written(stream, "here\n", 0.0), stream.getvalue()) == (True, "here\n")


def test_a_secret_across_two_pieces_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    masking = Masking()
    masking.learn([SECRET])
    monkeypatch.setattr("watchdog.config.masking.MASKING", masking)
    raw = io.BytesIO()
    own = io.TextIOWrapper(raw, encoding="utf-8")
    stream = masked_stream(own)
    assert written(stream, "x" * (PIECE_BYTES - 5) + SECRET, 1.0)
    assert raw.getvalue().decode() == "x" * (PIECE_BYTES - 5) + MASK
