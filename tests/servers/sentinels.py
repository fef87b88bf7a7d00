"""A master, its replica and sentinels, all real, on free loopback ports; each can be ended. Everything ends with the block."""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

from tests.servers.tcp_server import Conversation
from tests.servers.waiting import until
from watchdog.demo.processes import LOOPBACK, Process, child_environment, free_port
from watchdog.demo.redis_server import redis_server

MASTER = "mymaster"


class Sentinels:
    """`quorum` is all of them. `password` is the data servers', `sentinel_password` the sentinels' own."""

    def __init__(
        self,
        folder: Path,
        count: int = 1,
        *,
        password: str = "",
        sentinel_password: str = "",
        down_after_ms: int = 500,
        program: Path | None = None,
    ) -> None:
        self._folder = folder
        self._password, self._sentinel_password, self._down_after_ms = password, sentinel_password, down_after_ms
        self._program = str(program or redis_server()[0])
        self.ports = [free_port() for _ in range(count)]
        self.data_ports = [free_port(), free_port()]
        self.sentinels: dict[int, Process] = {}
        self.servers: dict[int, Process] = {}

    def __enter__(self) -> Self:
        """The first data port is the master's; all have seen each other."""
        master, replica = self.data_ports
        try:
            self.start_server(master)
            self.start_server(replica, "--replicaof", LOOPBACK, str(master))
            for port in self.ports:
                self.start_sentinel(port)
            until(self._ready, 20, "the sentinels to see the master and its replica")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for process in (*self.sentinels.values(), *self.servers.values()):
            process.end()

    def start_server(self, port: int, *args: str) -> None:
        secret = ["--requirepass", self._password, "--masterauth", self._password] if self._password else []
        quick = ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        plain = ["--port", str(port), "--bind", LOOPBACK, "--save", "", "--dir", str(self._folder), "--dbfilename", f"{port}.rdb"]
        self.servers[port] = self._start(f"redis-{port}", [*plain, *quick, *secret, *args])
        until(lambda: self._answers(port), 10, f"the Redis on port {port}")

    def start_sentinel(self, port: int) -> None:
        lines = [
            f"port {port}",
            f"bind {LOOPBACK}",
            f"dir {self._folder}",
            f"sentinel monitor {MASTER} {LOOPBACK} {self.data_ports[0]} {len(self.ports)}",
            f"sentinel down-after-milliseconds {MASTER} {self._down_after_ms}",
            f"sentinel failover-timeout {MASTER} 3000",
        ]
        lines += [f"sentinel auth-pass {MASTER} {self._password}"] if self._password else []
        lines += [f"requirepass {self._sentinel_password}"] if self._sentinel_password else []
        conf = self._folder / f"sentinel-{port}.conf"
        conf.write_text("\n".join(lines) + "\n")
        self.sentinels[port] = self._start(f"sentinel-{port}", [str(conf), "--sentinel"])

    def url(self, userinfo: str = "") -> str:
        """In the spelling that is watchdog's own."""
        hosts = ",".join(f"{LOOPBACK}:{port}" for port in self.ports)
        return f"sentinel://{userinfo}{hosts}/{MASTER}/0"

    def celery_url(self) -> str:
        """As Celery spells it; the master's name stands in the transport options."""
        return ";".join(f"sentinel://{LOOPBACK}:{port}/0" for port in self.ports)

    def master(self) -> int:
        """The port of the master that a sentinel names."""
        found = self._ask(next(port for port in self.ports if self.sentinels[port].running), "SENTINEL", "get-master-addr-by-name", MASTER)
        return int(found[1])

    def kill_master(self) -> int:
        """Kill the master; its port."""
        port = self.master()
        self.servers[port].end()
        return port

    def fail_over(self) -> None:
        """Make the replica the master, and wait for it; nobody dies."""
        before = self.master()
        self._ask(self.ports[0], "SENTINEL", "FAILOVER", MASTER)
        until(lambda: self.master() != before, 20, "the failover")

    def data(self, port: int) -> "redis.Redis":
        return redis.Redis(host=LOOPBACK, port=port, password=self._password or None, socket_timeout=5)

    def _start(self, name: str, args: list[str]) -> Process:
        return Process(name, [self._program, *args], self._folder, child_environment({}))

    def _answers(self, port: int) -> bool:
        with contextlib.suppress(redis.RedisError), self.data(port) as client:
            return bool(client.ping())
        return False

    def _ask(self, port: int, *words: str) -> Any:
        with redis.Redis(host=LOOPBACK, port=port, password=self._sentinel_password or None, decode_responses=True) as client:
            return client.execute_command(*words)

    def _ready(self) -> bool:
        try:
            return all(self._sees(port) for port in self.ports)
        except redis.RedisError:
            return False

    def _sees(self, port: int) -> bool:
        seen: Any
        with redis.Redis(host=LOOPBACK, port=port, password=self._sentinel_password or None) as client:
            seen = client.sentinel_masters()[MASTER]
        others = len(self.ports) - 1
        return bool(seen["num-slaves"] == 1 and seen["num-other-sentinels"] == others and seen["flags"] == "master")


def names(*ports: int) -> Conversation:
    """What a sentinel says that names these ports, one an answer and then the last, for whatever master it is asked for."""
    left = list(ports)

    def converse(connection: socket.socket, closing: threading.Event) -> None:
        while some := connection.recv(65536):
            if b"get-master-addr-by-name" in some:
                port = left.pop(0) if len(left) > 1 else left[0]
                connection.sendall(b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n" % (len(str(port)), port))
            else:
                connection.sendall(b"+OK\r\n" * max(some.count(b"SETINFO"), 1))

    return converse
