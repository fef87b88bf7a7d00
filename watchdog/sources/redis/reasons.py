"""Reasons why Redis gave no usable answer, one sentence per cause: what was requested, what was received, what to fix.

In: an exception of the connection, or the error reply to one command. Out: a sentence without secrets.
"""

import re
import socket
import ssl

from msgspec import Struct
from redis import exceptions as redis_errors

from watchdog.core.model.queries import HashSize, ListLengths, LowestScore, OldestMessage, Query, SetMembers
from watchdog.core.text.exception_chain import exception_chain
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.commands import command
from watchdog.sources.redis.server import CLUSTER

__all__ = ["Asked", "denied", "failure", "not_selected", "only_denied", "stale", "too_large"]

ACL_HINT = "allow it with the ACL SETUSER line in the README"

_WHAT: dict[type[Query], str] = {
    ListLengths: "a list (a queue)",
    OldestMessage: "a list (a queue)",
    HashSize: "a hash",
    LowestScore: "a sorted set",
    SetMembers: "a set",
}


class Asked(Struct, frozen=True):
    """One batch, for use in reasons."""

    address: RedisAddress
    timeout_s: float
    connect_timeout_s: float
    name: str = "redis"
    """The source, which is the name of its settings."""
    found_by: str = ""
    """Which sentinel named the address, if one did."""

    @property
    def place(self) -> str:
        """The URL without its userinfo."""
        return self.address.masked + self.found_by


def stale(error: Exception) -> bool:
    """Whether the other side may just have closed a kept connection: then one retry is justified."""
    if isinstance(error, redis_errors.TimeoutError | redis_errors.AuthenticationError | redis_errors.BusyLoadingError):
        return False
    return isinstance(error, redis_errors.ConnectionError | OSError)


def only_denied(raw: object) -> bool:
    """Whether the ACL denied only this command, so that others may still be answered."""
    return isinstance(raw, redis_errors.NoPermissionError)


def denied(query: Query, error: Exception) -> str:
    """The reason for an error reply to one command, for this query only."""
    words = command(query)
    key = f'the key "{words[1]}"' if len(words) > 1 else "a key"
    text = str(error)
    if isinstance(error, redis_errors.NoPermissionError):
        what = key if "key" in text and "command" not in text else f"the command {words[0]}"
        return f"redis: the ACL of this user denies {what} (NOPERM); {ACL_HINT}"
    if text.startswith("WRONGTYPE"):
        return f"redis: expected {key} to be {_WHAT.get(type(query), 'of another type')}, found another type (WRONGTYPE)"
    return f"redis: {' '.join(words[:2])} was refused: {_state(error)}"


def _state(error: Exception) -> str:
    """The reason given by a server that is in no state to answer."""
    if isinstance(error, redis_errors.MasterDownError):
        return _MASTERDOWN
    if isinstance(error, redis_errors.AskError | redis_errors.ClusterError | redis_errors.ClusterCrossSlotError):
        return CLUSTER
    if isinstance(error, redis_errors.ReadOnlyError):
        return "this Redis is a read-only replica (READONLY): point the URL at the master"
    if str(error).startswith("unknown command"):
        return "this server does not know the command: was it renamed or switched off?"
    return f"it answered {_code(error)}"


_MASTERDOWN = "this Redis is a replica that has lost its master (MASTERDOWN): point the URL at the master, or fix the replication"


def _code(error: Exception) -> str:
    """The error's first word, such as ERR: the rest may repeat what was sent."""
    word = re.match(r"[A-Z]{2,20}\b", str(error))
    return word[0] if word else "an error"


def not_selected(db: int, error: Exception) -> str:
    """The reason for an error reply to SELECT, before reading results."""
    if isinstance(error, redis_errors.NoPermissionError):
        return f"redis: the ACL of this user denies the command SELECT, and the results are in database {db} (NOPERM); {ACL_HINT}"
    return f"redis: the workers keep results in database {db}, which cannot be selected ({_code(error)}): set `results` of this target"


def too_large(most_bytes: int) -> str:
    """The reason for replies above the size limit."""
    return f"redis: expected at most {most_bytes // 2**20} MiB of answers, found more: is there a huge message in a queue?"


def failure(error: Exception, asked: Asked) -> str:
    """The reason for a failed connection, for the whole batch."""
    sentences = (_network(cause, asked) for cause in exception_chain(error))
    return f"{asked.name}: {next(filter(None, sentences), None) or _protocol(error, asked)}"


def _network(cause: BaseException, asked: Asked) -> str | None:
    """The reason for an error of the operating system or TLS."""
    place = asked.place
    if isinstance(cause, socket.gaierror):
        return f"the host name in {place} cannot be resolved (DNS): is it spelt right?"
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, asked)
    if isinstance(cause, TimeoutError) and "handshake" in str(cause):
        return _no_tls("no handshake", asked)
    if isinstance(cause, FileNotFoundError):
        return _missing(asked)
    if isinstance(cause, PermissionError):
        return f"no permission to open {place}: may this user read and write the socket?"
    if isinstance(cause, ConnectionRefusedError):
        return f"connection refused by {place}: is Redis running there, on that port?"
    if isinstance(cause, OSError) and not isinstance(cause, TimeoutError | ConnectionError) and cause.strerror:
        return f"no connection to {place}: {cause.strerror}"
    return None


def _tls(cause: ssl.SSLError, asked: Asked) -> str:
    """The reason for an error with our certificates or the server's."""
    place, name = asked.place, asked.name
    if isinstance(cause, ssl.SSLCertVerificationError):
        ca_file = asked.address.ca_file
        trust = f"expected one signed by {ca_file} (`ca_file` of {name}), for that host name"
        hint = trust if ca_file else f"set `ca_file` of {name} to the certificate of the authority that signed it"
        return f"the certificate of {place} is not trusted ({cause.verify_message}): {hint}"
    if cause.library in {"X509", "PEM"}:
        return _unreadable(asked)
    if "CERTIFICATE_REQUIRED" in (cause.reason or ""):
        return f"{place} requires a client certificate: set `cert_file` and `key_file` of {name}"
    if isinstance(cause, ssl.SSLEOFError):
        return _hung_up(asked)
    if asked.address.cert_file and re.search("UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN", cause.reason or ""):
        return f"{place} does not accept the client certificate {asked.address.cert_file} (`cert_file` of {name}; {cause.reason})"
    return _no_tls(cause.reason or "no handshake", asked)


def _hung_up(asked: Asked) -> str:
    """The reason for a closed TLS connection. A missing client certificate is reported only after the handshake, which may get lost."""
    theirs = "does it accept the client certificate" if asked.address.cert_file else "does it require a client certificate"
    return f"{asked.place} closed the TLS connection: {theirs} (`cert_file` and `key_file` of {asked.name})? Does that port speak TLS?"


def _no_tls(why: str, asked: Asked) -> str:
    return f"no TLS connection to {asked.place} ({why}): does that port speak TLS, or should it be redis://?"


def _missing(asked: Asked) -> str:
    if asked.address.path:
        return f"there is no socket at {asked.place}: is Redis running, with `unixsocket` set to that path?"
    return _unreadable(asked)


def _unreadable(asked: Asked) -> str:
    files = {key: path for key in ("ca_file", "cert_file", "key_file") if (path := getattr(asked.address, key))}
    settings = ", ".join(f"`{key}`" for key in files)
    return f"cannot read the certificates in {', '.join(files.values())} ({settings} of {asked.name}): expected PEM files"


def _protocol(error: Exception, asked: Asked) -> str:
    """The reason for an unexpected answer from Redis, or from something else on its port."""
    place, text = asked.place, str(error)
    if any(isinstance(cause, TimeoutError) for cause in exception_chain(error)):
        if "reading" not in text and "writing" not in text:
            return (
                f"no connection to {place} in time (`connect_timeout` {asked.connect_timeout_s:g}s): host down, or a firewall in between?"
            )
        return f"no answer from {place} within {asked.timeout_s:g}s: Redis hangs or is too busy (the limit is `timeout`)"
    if isinstance(error, redis_errors.AuthenticationError):
        return _credentials(text, asked)
    if isinstance(error, redis_errors.BusyLoadingError):
        return f"{place} is loading its data from disk (LOADING) and answers when it is done"
    if isinstance(error, redis_errors.ResponseError):
        return _refused(error, asked)
    if isinstance(error, redis_errors.ConnectionError | OSError):
        return _broken(text, asked)
    return f"expected Redis at {place}, found an answer in another protocol: is it Redis's port, or a web server's?"


def _refused(error: Exception, asked: Asked) -> str:
    """The reason for an answer that refuses the connection."""
    place, text = asked.place, str(error)
    if isinstance(error, redis_errors.NoPermissionError):
        return f"the ACL of this user denies a command that is needed to connect to {place} (NOPERM); {ACL_HINT}"
    if "DB index is out of range" in text or "invalid DB index" in text:
        return f"{place} has no database {asked.address.db} (its `databases` setting is smaller): which one does Celery's broker_url name?"
    return f"{place} refused: {_state(error)}"


def _broken(text: str, asked: Asked) -> str:
    """The reason for a connection that was closed."""
    if "max number of clients" in text:
        return f"{asked.place} has reached its `maxclients` and takes no further connection"
    if asked.address.tls:
        return _hung_up(asked)
    return f"{asked.place} closed the connection before it answered: is it Redis's port, and does it expect TLS (rediss://)?"


def _credentials(text: str, asked: Asked) -> str:
    if "without any password" in text or "no password is set" in text:
        return f"{asked.place} requires no password, but the URL has one: leave it out, or set one in Redis"
    if asked.address.password or asked.address.username:
        return f"{asked.place} does not accept the user name or password of the URL (WRONGPASS)"
    return f"{asked.place} requires a password (NOAUTH): write it into the URL, redis://user:password@host:port/db"
