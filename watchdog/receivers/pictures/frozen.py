"""A frozen body with the figures of its chart: the picture itself is drawn as it is sent, and the same at every attempt.

So the outbox keeps a few kilobytes instead of a picture, and a message whose picture can no longer be drawn is still whole. In: a body and
a chart. Out: one text of bytes; and both again.
"""

import msgspec

from watchdog.core.decoding import ready
from watchdog.core.history.chart import Chart

__all__ = ["frozen", "thawed"]

_MARK = b"\x1echart "


def frozen(body: bytes, chart: Chart | None) -> bytes:
    """The body, with the figures of a chart before it."""
    return body if chart is None else _MARK + msgspec.json.encode(chart) + b"\n" + body


def thawed(stored: bytes) -> tuple[bytes, Chart | None]:
    """The body and its chart. A body that was frozen without one, or by an earlier version, has none."""
    if not stored.startswith(_MARK):
        return stored, None
    figures, _, body = stored.removeprefix(_MARK).partition(b"\n")
    try:
        return body, msgspec.json.decode(figures, type=ready(Chart))
    except msgspec.MsgspecError:
        return body, None
