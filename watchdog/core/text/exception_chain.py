"""An error and what led to it: libraries wrap what the operating system said, often more than once.

In: an exception. Out: it and its causes, innermost last; at most ten, for nothing keeps them from going in a circle.
"""

from collections.abc import Iterator

__all__ = ["exception_chain"]

MOST = 10


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """The error itself first, then each one's `__cause__`, else its `__context__`."""
    cause: BaseException | None = error
    for _ in range(MOST):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
