"""Reasons why a sentinel did not name the master, short enough to list those of several sentinels."""

import re
import socket
import ssl
from collections.abc import Mapping

from redis import exceptions as redis_errors

from watchdog.core.text.exception_chain import exception_chain
from watchdog.sources.redis.address import RedisAddress

__all__ = ["NO_SENTINEL", "UNKNOWN_MASTER", "nobody_knows", "why_not"]

UNKNOWN_MASTER = "knows no master of that name"
NO_SENTINEL = "is no sentinel (those listen on 26379, usually)"


def nobody_knows(master: str, said: Mapping[str, str]) -> str:
    """The reason if no sentinel named an address; `said`: what each one did instead."""
    each = ", ".join(f"{place} {words}" for place, words in said.items())
    if UNKNOWN_MASTER in said.values():
        return f'no sentinel names a master "{master}" ({each}): which name follows `sentinel monitor` in sentinel.conf?'
    return f'no sentinel knows where the master "{master}" is ({each}): are the sentinels running there, on those ports?'


def why_not(error: Exception, address: RedisAddress, name: str) -> str:
    """The reason why one sentinel gave no address; `name` is the source, which is the name of its settings."""
    words = (_network(cause, name) for cause in exception_chain(error))
    return next(filter(None, words), None) or _answer(error, address, name)


def _network(cause: BaseException, name: str) -> str | None:
    if isinstance(cause, socket.gaierror):
        return "has a host name that cannot be resolved"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted ({cause.verify_message}; see `ca_file` of {name})"
    if isinstance(cause, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (cause.reason or ""):
        return f"requires a client certificate (`cert_file` and `key_file` of {name})"
    if isinstance(cause, ssl.SSLEOFError):
        return f"closed the TLS connection (see `cert_file` and `sentinel_tls` of {name})"
    if isinstance(cause, ssl.SSLError):
        return f"speaks no TLS there ({cause.reason or 'no handshake'}; see `sentinel_tls` of {name})"
    if isinstance(cause, FileNotFoundError):
        return f"was not queried, because a certificate file is missing (`ca_file`, `cert_file` or `key_file` of {name})"
    if isinstance(cause, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(cause, TimeoutError):
        return "gave no answer in time"
    if isinstance(cause, OSError) and not isinstance(cause, ConnectionError) and cause.strerror:
        return f"cannot be reached ({cause.strerror})"
    return None


def _answer(error: Exception, address: RedisAddress, name: str) -> str:
    text = str(error)
    if isinstance(error, redis_errors.NoPermissionError):
        return "does not let this user query it (NOPERM: allow it +sentinel|get-master-addr-by-name)"
    if isinstance(error, redis_errors.AuthenticationError):
        if "without any password" in text or "no password is set" in text:
            return f"requires no password (leave out `sentinel_password` of {name})"
        if address.password:
            return f"does not accept `sentinel_username` and `sentinel_password` of {name} (WRONGPASS)"
        return f"requires a password (NOAUTH: set `sentinel_password` of {name})"
    if isinstance(error, redis_errors.ResponseError):
        if text.lower().startswith("unknown command"):
            return NO_SENTINEL
        code = re.match(r"[A-Z]{2,20}\b", text)
        return f"answered {code[0] if code else 'an error'}"
    if isinstance(error, redis_errors.TimeoutError):
        return "gave no answer in time"
    if isinstance(error, redis_errors.InvalidResponse):
        return NO_SENTINEL
    if isinstance(error, redis_errors.ConnectionError | OSError):
        return "closed the connection (does it expect TLS?)"
    return NO_SENTINEL
