"""Lack of local resources, such as file descriptors. Then nothing was asked and nothing is known about the other side: an error, not a gap.

In: the exception from connecting. Out: a sentence on what is lacking and what to do, or None if the other side is to blame.
"""

import errno

from watchdog.core.text.exception_chain import exception_chain

__all__ = ["NotAskedError", "own_limit", "raise_if_own"]

_LACKS = {
    errno.EMFILE: "this process may open no more files; raise the limit (`LimitNOFILE=` of the service, or `ulimit -n`) and restart it",
    errno.ENFILE: "this machine can open no more files; end what holds them (`lsof | wc -l`), or raise `sysctl fs.file-max`",
    errno.ENOBUFS: "this machine has no memory left for sockets; see `free -m` and `ss -s`",
    errno.ENOMEM: "this machine has no memory left; see `free -m`",
}
"""Error numbers of connect(2), socket(2) and open(2) that concern this machine or process."""


class NotAskedError(Exception):
    """A source could not be asked for a lack of local resources; the text is for the operator."""


def own_limit(error: BaseException) -> str | None:
    """The sentence for a lack of local resources, if the error or one in its exception chain is one."""
    for cause in exception_chain(error):
        if isinstance(cause, OSError) and cause.errno in _LACKS:
            return f"nothing could be queried: {_LACKS[cause.errno]}"
    return None


def raise_if_own(error: BaseException) -> None:
    """Raise NotAskedError if the error is a lack of local resources."""
    sentence = own_limit(error)
    if sentence:
        raise NotAskedError(sentence) from error
