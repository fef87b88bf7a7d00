"""Publishes looks, in a thread of its own: nothing waits for the engine's broker, however long that hangs.

In: the targets that are due. Out: one message for each, which expires after the target's interval. What the broker does not take is
forgotten: the next look of a target is due soon, and old news is none.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from msgspec import Struct

__all__ = ["Broker", "CeleryBroker", "Look", "Publisher"]

PAUSE_S = 1.0
"""How long the broker is left alone after it failed."""


class Look(Struct, frozen=True):
    """One look that somebody is to have. `fingerprint` and `read_at`: of the configuration that asks for it."""

    target: str
    expires_s: float
    fingerprint: str
    read_at: float


class Broker(Protocol):
    """The engine's broker. Each call may raise anything, after a bounded time."""

    def send(self, look: Look) -> None:
        """Publish one look."""

    def empty(self) -> None:
        """Forget the looks that nobody has taken."""

    def close(self) -> None:
        """Close the connection. Never raises."""


class CeleryBroker:
    """The broker of a Celery app, over one connection, which is opened again after a failure."""

    def __init__(self, app: Any, task: str, url: str) -> None:
        """`url`: the broker's, which no variable of the environment replaces."""
        self._app, self._task, self._url = app, task, url
        self._connection: Any = None
        self._producer: Any = None

    def send(self, look: Look) -> None:
        """Publish one look."""
        arguments = (look.target, look.fingerprint, look.read_at)
        self._app.send_task(self._task, arguments, producer=self._open(), expires=look.expires_s, retry=False, ignore_result=True)

    def empty(self) -> None:
        """Forget the looks that nobody has taken."""
        self._open().channel.queue_purge(self._app.conf.task_default_queue)

    def close(self) -> None:
        """Close the connection. Never raises."""
        if self._connection is not None:
            with suppress(Exception):  # it is given up anyway
                self._connection.collapse()
        self._connection = self._producer = None

    def _open(self) -> Any:
        if self._producer is None:
            self._connection = self._app.connection_for_write(url=self._url)
            self._producer = self._app.amqp.Producer(self._connection, auto_declare=False)
        return self._producer


class Publisher:
    """The thread that publishes."""

    def __init__(self, broker: Broker, reason_of: Callable[[Exception], str]) -> None:
        self._broker, self._reason_of = broker, reason_of
        self._said: Callable[[str], None] = lambda _: None
        self._due: dict[str, Look] = {}
        self._emptied_first = False
        self._changed, self._ending = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self, said: Callable[[str], None]) -> None:
        """Start the thread. `said` is called with the reason why the broker does not take looks, and with "" while it does."""
        self._said = said
        self._thread.start()

    def publish(self, look: Look, *, alone: bool = False) -> None:
        """From any thread, at once: have this look published; with `alone`, after everything else that lies there was forgotten."""
        with self._changed:
            if alone:
                self._due.clear()
                self._emptied_first = True
            self._due[look.target] = look
            self._changed.notify()

    def stop(self, patience_s: float) -> None:
        """End; a broker that hangs is not waited for any longer than that."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._ending)
                if self._ending:
                    break
                due, self._due = self._due, {}
                empty, self._emptied_first = self._emptied_first, False
            try:
                if empty:
                    self._broker.empty()
                for look in due.values():
                    self._broker.send(look)
                self._said("")
            except Exception as error:  # noqa: BLE001 - kombu and its transports raise what their libraries do
                self._broker.close()
                self._said(self._reason_of(error))
                with self._changed:
                    self._changed.wait_for(lambda: self._ending, PAUSE_S)
                    self._due.clear()
        self._broker.close()
