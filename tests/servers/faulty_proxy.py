"""A TCP proxy on a free loopback port that does to a connection what bad networks do; the fault can be switched at any time.

TCP hides loss from whoever reads: what is lost comes late (`LATENCY`, by chance), or never (`STALL`).
"""

import contextlib
import enum
import random
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self

__all__ = ["Fault", "FaultyProxy"]

TICK_S = 0.02


class Fault(enum.Enum):
    """What is done to connections, open ones and new ones, while it holds."""

    NONE = "none"
    LATENCY = "latency"
    """Answers come 20 to 120 ms late, piece by piece: within every timeout."""
    STALL = "stall"
    """Nothing moves; once the fault is over, what was held back does."""
    RESET = "reset"
    """Connections are reset, new ones as soon as they are there."""
    TRUNCATION = "truncation"
    """Of each answer a part comes, then the connection is closed."""
    GARBAGE = "garbage"
    """Answers are replaced by bytes that no protocol knows."""
    GARBLED = "garbled"
    """The last part of each answer is replaced by them."""
    HALF_OPEN = "half-open"
    """The other side is gone and nobody says so: a connection of that time stays silent for ever."""

    @property
    def is_outage(self) -> bool:
        """Whether a question may fail for it."""
        return self not in (Fault.NONE, Fault.LATENCY)


class FaultyProxy:
    """Between whoever connects to `port` and `upstream` (a loopback port)."""

    def __init__(self, upstream: int, seed: int = 0) -> None:
        self.fault = Fault.NONE
        self.connections = 0
        self._upstream, self._random = upstream, random.Random(seed)
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TICK_S)
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="faulty-proxy")

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._carry, args=(client,), name="faulty-connection")
            self._threads = [*(t for t in self._threads if t.is_alive()), thread]
            thread.start()

    def _carry(self, client: socket.socket) -> None:
        """One connection, until one side closes it or a fault ends it."""
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._upstream), timeout=5) as server:
            for end in (client, server):
                end.settimeout(TICK_S)
            while not self._closing.is_set():
                fault = self.fault
                if fault is Fault.RESET:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if fault is Fault.HALF_OPEN:
                    self._closing.wait()
                    return
                if fault is Fault.STALL:
                    self._closing.wait(TICK_S)
                    continue
                if not self._moved(client, server, fault):
                    return

    def _moved(self, client: socket.socket, server: socket.socket, fault: Fault) -> bool:
        """What there is to move, moved; whether the connection goes on."""
        asked = _received(client)
        if asked:
            server.sendall(asked)
        answer = _received(server) if asked != b"" else b""
        if asked == b"" or answer == b"":
            return False
        if not answer:
            return True
        kept, goes_on = self._spoilt(answer, fault)
        client.settimeout(5)
        client.sendall(kept)
        client.settimeout(TICK_S)
        return goes_on

    def _spoilt(self, answer: bytes, fault: Fault) -> tuple[bytes, bool]:
        """What of an answer arrives; whether the connection goes on."""
        chance, half = self._random, len(answer) // 2
        if fault is Fault.LATENCY:
            time.sleep(chance.uniform(0.02, 0.12))
        if fault is Fault.TRUNCATION:
            return answer[: chance.randrange(half + 1)], False
        if fault is Fault.GARBAGE:
            return bytes(chance.randrange(0x80, 0x100) for _ in answer[:4096]), True
        if fault is Fault.GARBLED:
            spoilt = chance.randrange(1, half + 2)
            return answer[:-spoilt] + bytes(chance.randrange(0x80, 0x100) for _ in range(spoilt)), True
        return answer, True


def _received(end: socket.socket) -> bytes | None:
    """Some bytes; none where it was closed; None where there is nothing yet."""
    try:
        return end.recv(65536)
    except TimeoutError:
        return None
