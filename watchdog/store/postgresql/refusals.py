"""Errors of PostgreSQL as sentences: which database, what was found, what to do; nothing of what the library says, which may hold a login.

In: an error of psycopg, and the URL. Out: a `StoreError` that tells whether there is a connection, and whether the error may pass.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.refusals import AwayError, StoreError

__all__ = ["refused", "speaking_of"]


@contextmanager
def speaking_of(url: DatabaseUrl) -> Iterator[None]:
    """psycopg's errors raised inside become a `StoreError` about this database."""
    try:
        yield
    except psycopg.Error as error:
        raise refused(error, url) from error


def refused(error: psycopg.Error, url: DatabaseUrl) -> StoreError:
    """One sentence: the database, what was found, what to do."""
    code = error.sqlstate or ""
    if not code:
        known = next((part for part in _BY_TEXT if part in str(error)), None)
        said = _BY_TEXT[known] if known else "cannot be reached, or the connection was lost; watchdog connects again by itself"
        return AwayError(f"database {url}: {said}", passes=known not in _LASTS)
    known = next((part for part in (code, code[:3], code[:2]) if part in _BY_CODE), None)
    said = (
        _BY_CODE[known] if known else f"PostgreSQL refuses with code {code} ({type(error).__name__}), nothing was written; its log says why"
    )
    kind = AwayError if known in _UNCONNECTED else StoreError
    return kind(f"database {url}: {said}", passes=known in _PASSES)


_BY_CODE = {
    "55P03": "another watchdog command or the daemon writes for too long, nothing was written; pg_locks shows who",
    "57014": "a statement took too long and was ended, nothing was written; is the server overloaded?",
    "25P03": "a transaction paused for too long and was ended, nothing was written",
    "25006": "is read-only here, as a standby is, nothing was written; let the URL name the primary, "
    "or several hosts with ?target_session_attrs=read-write",
    "42501": "permission denied; watchdog's user must own its tables: `ALTER DATABASE … OWNER TO …`, or GRANT CREATE on the schema",
    "42P01": "a table of watchdog is not there; is it the right database, and the right search_path?",
    "53100": "the server's disk is full, nothing was written; free some space there",
    "53300": "there is no connection left; close others, or raise max_connections, or the CONNECTION LIMIT of the role or the database",
    "28P01": "the password is wrong, or there is no such user; correct it in the URL, or in what PGPASSFILE names",
    "28": "it refuses this user; see pg_hba.conf on the server",
    "3D000": "there is no database of this name; CREATE DATABASE makes it",
    "57P03": "the server starts or stops just now; nothing was written",
    "57P": "the server was stopped; nothing was written, and watchdog connects again by itself",
    "08": "the connection was lost; nothing was written, and watchdog connects again by itself",
}
"""SQLSTATE, or its class, -> what is wrong and what to do."""
_UNCONNECTED = frozenset({"08", "28", "28P01", "3D000", "53300", "57P", "57P03"})
"""Of these, those of a connection that was refused or ended."""
_PASSES = frozenset({"08", "25006", "25P03", "53300", "55P03", "57014", "57P", "57P03"})
"""Of these, those that may be over without anybody's changing anything."""
_BY_TEXT = {
    "password authentication failed": _BY_CODE["28P01"],
    "no password supplied": "it wants a password, and there is none; put it into the URL as ${…}, or into what PGPASSFILE names",
    "pg_hba.conf": "it refuses this user from here, or without TLS; see pg_hba.conf on the server, and sslmode in the URL",
    "not permitted to log in": "this user may not log in; ALTER ROLE … LOGIN allows it",
    "permission denied for database": "this user may not connect to it; GRANT CONNECT ON DATABASE … TO … allows it",
    "remaining connection slots": _BY_CODE["53300"],
    "too many c": _BY_CODE["53300"],  # clients, connections
    "starting up": _BY_CODE["57P03"],
    "shutting down": _BY_CODE["57P03"],
    "session is read-only": _BY_CODE["25006"],
    "session is not read-only": "none of its servers is as target_session_attrs in the URL wants it",
    "hot standby mode": "none of its servers is as target_session_attrs in the URL wants it",
    "SSL SYSCALL": _BY_CODE["08"],
    "SSL connection has been closed": _BY_CODE["08"],
    "unexpected eof": _BY_CODE["08"],  # a server or a proxy that restarts within TLS
    "root certificate file": "there is no certificate to check the server's with; name its authority's in the URL: ?sslrootcert=…",
    "certificate verify failed": "the server's certificate is not of an authority that is trusted here, or has expired; "
    "name its authority's in the URL: ?sslrootcert=…",
    "does not match host name": "the server's certificate is for another host; let the URL name the host as the certificate does",
    "does not support SSL": "sslmode in the URL asks for TLS, and the server has none; switch `ssl` on there",
    "SSL": "no encrypted connection could be agreed on; see sslmode in the URL and the server's certificate",
    "refused": "nothing listens there; is PostgreSQL running, and is this its address?",
    "translate host name": "the host's name cannot be resolved",
    "resolve host": "the host's name cannot be resolved",
    "No such file": "there is no socket of PostgreSQL here; is it running? A server elsewhere needs its host in the URL",
    "timeout": "it did not answer in time",
    "in time": "it did not answer in time; watchdog connects again by itself",
    'role "': "there is no such user; CREATE ROLE … LOGIN makes it, or correct it in the URL",
    "not currently accepting connections": "the database takes no connections; ALTER DATABASE … ALLOW_CONNECTIONS true lets them in",
    'database "': _BY_CODE["3D000"],
    "invalid": "an option of the URL, or its value, is unknown to libpq; correct what stands after the `?`",
}
"""What libpq says of a failed connection, which has no code -> the same. The first that fits: names of roles and databases are in it."""
_LASTS = frozenset({
    "password authentication failed", "no password supplied", "pg_hba.conf", "not permitted to log in", "permission denied for database",
    "session is not read-only", "root certificate file", "certificate verify failed", "does not match host name", "does not support SSL",
    "SSL", 'role "', "not currently accepting connections", 'database "', "invalid",
})  # fmt: skip
"""Of these, those that last until somebody changes something. All others may pass: a server that starts, a name that is not known yet."""
