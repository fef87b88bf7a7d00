"""One connection to one Redis: packed commands out, raw replies in, all within a deadline and a size limit.

redis-py's connection class connects (TCP, TLS, unix socket, AUTH, SELECT); the commands are packed once and sent without MULTI, and
`replies` reads the replies: far cheaper than redis-py's pipeline. redis-py's timeouts apply to one read each, so the socket is wrapped: a
server that sends byte by byte cannot exceed the deadline. Imported at the first query: redis is slow to import.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis.connection as redis_py
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from watchdog.net.deadline import Deadline
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.replies import Read, ReplyReader

__all__ = ["FAILURES", "TooLargeError", "Wire"]

MOST_BYTES = 64 * 1024 * 1024
"""The size limit of the replies to one request; a task message of a megabyte is rare, of 64 unheard of."""

FAILURES = (RedisError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What connecting or reading may raise: network errors, and what unexpected bytes may trigger in redis-py while it connects."""


class TooLargeError(Exception):
    """The replies are larger than `MOST_BYTES`."""


class _Socket:
    """A socket whose every wait ends with the deadline, and which reads a limited number of bytes. `replies` reads from it."""

    def __init__(self, sock: socket.socket, deadline: Deadline, as_error: Callable[[str], Exception]) -> None:
        self._sock = sock
        self._deadline = deadline
        self.room = MOST_BYTES
        self.replies = ReplyReader(self.recv, as_error)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Used by redis-py's own parser, and by `replies`."""
        self._wait()
        got = self._sock.recv(size, flags)
        self._took(len(got))
        return got

    def recv_into(self, buffer: bytes | bytearray | memoryview, nbytes: int = 0, flags: int = 0) -> int:
        """Used by redis-py's hiredis parser."""
        self._wait()
        got = self._sock.recv_into(buffer, nbytes, flags)
        self._took(got)
        return got

    def sendall(self, what: bytes | bytearray | memoryview, flags: int = 0) -> None:
        """Send everything within the time left."""
        self._wait()
        self._sock.sendall(what, flags)

    def settimeout(self, seconds: float | None) -> None:
        """Ignored: the deadline applies."""

    def _wait(self) -> None:
        left = self._deadline.left()
        if left <= 0:
            raise TimeoutError("no time left")
        self._sock.settimeout(left)

    def _took(self, size: int) -> None:
        self.room -= size
        if self.room < 0:
            raise TooLargeError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Wire:
    """A connection that is opened when first needed, and kept. All methods may raise `FAILURES` or `TooLargeError`; then close it."""

    def __init__(self, address: RedisAddress, *, timeout: float, connect_timeout: float, deadline: Deadline) -> None:
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._deadline = deadline
        self._socket: _Socket | None = None
        self._connection = _connection(
            address,
            socket_timeout=timeout,
            socket_connect_timeout=connect_timeout,
            redis_connect_func=self._connected,
        )

    @property
    def open(self) -> bool:
        """Whether it is connected, as far as is known."""
        return self._socket is not None

    def connect(self) -> None:
        """Connect, authenticate and select the database; from then on `timeout` applies to the whole exchange."""
        if self._socket is None:
            self._deadline.start(self._connect_timeout + self._timeout)
            self._connection.connect()
        else:
            self._deadline.start(self._timeout)

    def _connected(self, connection: Any) -> None:
        """redis-py's hook between connecting and authenticating."""
        self._deadline.start(min(self._timeout, self._deadline.left()))
        sock = _Socket(connection._sock, self._deadline, connection._parser.parse_error)  # noqa: SLF001
        connection._sock = sock  # noqa: SLF001 - the only way to limit every wait
        connection.on_connect()
        self._socket = sock

    def exchange(self, packed: bytes, count: int) -> list[object]:
        """Send the commands; returns the raw replies in order, with a ResponseError for each command that failed."""
        self.send(packed)
        with self._receiving() as replies:
            return replies.read(count)

    def send(self, packed: bytes) -> None:
        """Send the commands; their replies are then to be received."""
        if self._socket is None:
            raise RedisConnectionError("not connected")
        if self._socket.replies.is_ahead:
            raise InvalidResponse("expected no reply before the next command, found one")
        self._socket.room = MOST_BYTES
        self._connection.send_packed_command([packed], check_health=False)

    def receive(self, count: int, before: Read) -> Read:
        """The next replies to what was sent; `before` itself, the last replies to the same commands, if they are the same again."""
        with self._receiving() as replies:
            return replies.read_again(count, before)

    def pushed(self) -> list[object]:
        """What the server sent by itself, as far as it is complete; waits until something comes."""
        self._deadline.start(self._timeout)
        with self._receiving() as replies:
            found = replies.read_pushed()
        if found and self._socket is not None:
            self._socket.room = MOST_BYTES
        return found

    def remark(self, packed: bytes) -> None:
        """Send a command whose reply comes among what is pushed."""
        self._deadline.start(self._timeout)
        self._connection.send_packed_command([packed], check_health=False)

    def fileno(self) -> int:
        """The socket, to wait for it."""
        if self._socket is None:
            raise RedisConnectionError("not connected")
        return int(self._socket.fileno())

    @contextmanager
    def _receiving(self) -> Iterator[ReplyReader]:
        """The reader of the replies; errors of the socket become redis-py's."""
        if self._socket is None:
            raise RedisConnectionError("not connected")
        try:
            yield self._socket.replies
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout reading from the server") from error
        except OSError as error:
            raise RedisConnectionError("Error while reading from the server") from error

    def close(self) -> None:
        """Disconnect; never raises."""
        self._socket = None
        self._connection.disconnect()


def _connection(address: RedisAddress, **common: Any) -> Any:
    """redis-py's connection for that address, without its retries.

    RESP 2, because a narrow ACL refuses HELLO and the commands for maintenance notifications.
    """
    kinds: Any = redis_py  # its constructors are not typed
    common |= {
        "db": address.db,
        "username": address.username,
        "password": address.password,
        "retry": Retry(NoBackoff(), 0),
        "health_check_interval": 0,
        "protocol": 2,
    }
    if address.path:
        return kinds.UnixDomainSocketConnection(path=address.path, **common)
    common |= {"host": address.host, "port": address.port}
    if address.tls:
        return kinds.SSLConnection(
            ssl_cert_reqs=address.cert_reqs,
            ssl_check_hostname=address.check_host and address.cert_reqs != "none",
            ssl_ca_certs=address.ca_file,
            ssl_certfile=address.cert_file,
            ssl_keyfile=address.key_file,
            **common,
        )
    return kinds.Connection(**common)
