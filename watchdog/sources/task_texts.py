"""Texts of tasks as Celery's events have them, cut to what is shown. In: texts of any length, from outside. Out: short ones, or None."""

__all__ = ["LONGEST_TEXT", "arguments_of", "cut", "last_line"]

LONGEST_TEXT = 500
"""Characters."""


def arguments_of(args: str | None, kwargs: str | None) -> str | None:
    """Both without what is empty: `(4711,) {'dry': True}`; None if the event that names them was missed."""
    if args is None and kwargs is None:
        return None
    return " ".join(text for text in (args, kwargs) if text not in (None, "()", "[]", "{}"))[:LONGEST_TEXT]


def last_line(traceback: str | None) -> str | None:
    """The line that names the exception; None if there is no traceback."""
    return cut((traceback or "").rstrip().rpartition("\n")[2].strip())


def cut(text: str | None) -> str | None:
    """The text, cut; None if there is none."""
    return text[:LONGEST_TEXT] if text else None
