"""The sign of each condition: every word has a shape of its own, so that colour is never the only difference.

In: a word: a severity, `well`, `ended`, `pending`, `late` or `unknown`. Out: markup, for those who see; the word stands beside it.
"""

from collections.abc import Mapping

from markupsafe import Markup

__all__ = ["badge", "sign"]

_DISC, _RING = '<circle cx="8" cy="8" r="8"/>', '<circle cx="8" cy="8" r="7" class="ring"/>'
_TICK, _CROSS = "M4.5 8.4l2.4 2.4 4.6-5", "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"
_SHAPES: Mapping[str, tuple[str, str]] = {
    "critical": ('<path d="M5 0h6l5 5v6l-5 5H5l-5-5V5z"/>', _CROSS),
    "error": (_DISC, _CROSS),
    "warning": ('<path d="M8 .6l8 14.4H0z"/>', "M8 5.6v4.2M8 12.2v.4"),
    "info": (_DISC, "M8 7.2v4.6M8 4.2v.4"),
    "well": (_DISC, _TICK),
    "ended": (_RING, _TICK),
    "pending": (_RING, "M8 4.2V8l2.6 1.8"),
    "late": (_DISC, "M8 4.2V8l2.6 1.8"),
    "unknown": (_RING, "M5.9 6.2c.2-2.6 4.3-2.4 4.2.1 0 1.5-2.1 1.6-2.1 3M8 11.8v.4"),
}
_SIGNS = {
    word: Markup(  # noqa: S704 - our own shapes
        f'<svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{shape}<path class="mark" d="{mark}"/></svg>'
    )
    for word, (shape, mark) in _SHAPES.items()
}


def sign(word: str) -> Markup:
    """The sign alone."""
    return _SIGNS[word]


def badge(word: str) -> Markup:
    """The sign with its word."""
    return Markup('<span class="badge badge-{}">{}{}</span>').format(word, _SIGNS[word], word)
