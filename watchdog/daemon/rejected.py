"""What a configuration that cannot be used raises, at a start, at a reload and while a daemon stands by."""

__all__ = ["RejectedError"]


class RejectedError(Exception):
    """A configuration that cannot be used; the message says why."""
