"""A Celery app whose broker is no Redis: kombu's filesystem transport, in the folder that `BROKER_FOLDER` names. No server is needed."""

import os
from pathlib import Path

from celery import Celery

FOLDER = Path(os.environ.get("BROKER_FOLDER", "."))

app = Celery("other", broker="filesystem://", set_as_current=False)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "control_folder": str(FOLDER / "control"),
        "data_folder_in": str(FOLDER / "queues"),
        "data_folder_out": str(FOLDER / "queues"),
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
