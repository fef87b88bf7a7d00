"""A Celery app whose broker is no Redis: kombu's filesystem transport, in the folder that `BROKER_FOLDER` names. No server is needed."""

import os
import uuid
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.transport import filesystem

FOLDER = Path(os.environ.get("BROKER_FOLDER", "."))


class WholeFiles(filesystem.Channel):  # type: ignore[misc]
    """Each file is there once it is whole.

    kombu makes it, and then writes into it. Who reads in between finds nothing: a worker ends then, and Flower is deaf for a while. Who
    makes it in between deletes what the other had written: a binding, and so answers.
    """

    def _put(self, queue: str, payload: object, **more: Any) -> None:
        super()._put(unfinished := f"{queue}.{uuid.uuid4()}", payload, **more)
        (file,) = Path(self.data_folder_out).glob(f"*.{unfinished}.msg")
        file.rename(file.with_name(file.name.replace(unfinished, queue)))

    def _queue_bind(self, exchange: str, *place: Any) -> None:
        empty = FOLDER / str(uuid.uuid4())
        empty.write_text("[]")
        try:
            self._exchange_file(exchange).hardlink_to(empty)
        except FileExistsError:
            pass
        finally:
            empty.unlink()
        super()._queue_bind(exchange, *place)


filesystem.Transport.Channel = WholeFiles

app = Celery("other", broker="filesystem://", set_as_current=False)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "control_folder": str(FOLDER / "control"),
        "data_folder_in": str(FOLDER / "queues"),
        "data_folder_out": str(FOLDER / "queues"),
        "polling_interval": 0.1,  # else a second, which is all the time that Flower gives a worker to answer
    },
    task_create_missing_queues=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
)


def ok() -> str:
    """Succeed."""
    return "done"


def fail() -> None:
    """Fail."""
    raise ValueError("on purpose")


for work in (ok, fail):
    app.task(name=f"other.{work.__name__}")(work)
