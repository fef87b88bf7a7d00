"""Slack's limits of a message (docs.slack.dev, Block Kit). In: a body. Out: what is beyond them."""

import json
from collections.abc import Iterator
from typing import Any

from watchdog.receivers.slack.blocks import LARGEST_BODY

__all__ = ["beyond_slacks_limits", "utf16"]


def utf16(text: str) -> int:
    """How long Slack finds a text."""
    return len(text.encode("utf-16-le")) // 2


def beyond_slacks_limits(raw: bytes) -> list[str]:
    """What of the body Slack would refuse or cut; empty: nothing."""
    body = json.loads(raw)
    [attachment] = body["attachments"]
    sizes = [
        ("body", len(raw), LARGEST_BODY),
        ("text", utf16(body["text"]), 3000),
        ("blocks", len(attachment["blocks"]), 50),
        *(size for block in attachment["blocks"] for size in _sizes(block)),
    ]
    return [f"{what}: {size} of {most}" for what, size, most in sizes if not 1 <= size <= most]


def _sizes(block: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    if block["type"] == "section":
        yield "section", utf16(block["text"]["text"]), 3000
        return
    yield "elements", len(block["elements"]), 10
    yield from (("element", utf16(one["text"]), 2000) for one in block["elements"])
