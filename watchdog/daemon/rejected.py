"""What a configuration that cannot be used raises, at a start, at a reload and while a daemon stands by."""

__all__ = ["MovedError", "RejectedError"]


class RejectedError(Exception):
    """A configuration that cannot be used; the message says why."""


class MovedError(RejectedError):
    """A configuration with another database than the one in use: nothing is wrong with it, but only a new process can obey it."""
