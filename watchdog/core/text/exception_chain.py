"""An exception and its causes: libraries wrap operating system errors, often more than once.

Input: an exception. Output: it and its causes, innermost last; at most ten, because the chain may be circular.
"""

from collections.abc import Iterator

__all__ = ["exception_chain"]

MOST = 10


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error itself, then each one's `__cause__`, or its `__context__`."""
    cause: BaseException | None = error
    for _ in range(MOST):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
