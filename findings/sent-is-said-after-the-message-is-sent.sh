#!/bin/sh
# Celery 5.7.0, kombu's memory transport, task_send_sent_event on. Needs Python 3.11; no server.
#
# Guess before the run: task-sent is dated when the message is published or just before, so `started - sent` is at least the wait in the queue.
# Seen: the message is published, then the signal after_task_publish runs to its end, and only then task-sent is made and dated. An idle worker
# has received the message by then: `sent` is later than `received`, the wait is negative, and slow receivers of the signal (here 0.5 s) shorten
# every measured wait by their own time. Its place in the stream says nothing of the order either: each sender has a connection of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0
cat >"$folder/send.py" <<'PYTHON'
import time
from importlib.metadata import version

from celery import Celery
from celery.signals import after_task_publish
from kombu import Exchange, Queue

app = Celery("shop", broker="memory://")
app.conf.task_send_sent_event = True
arrived = {}


@after_task_publish.connect(weak=False)
def slow(**_):
    with app.connection_for_read() as connection:
        arrived["message"] = connection.default_channel.basic_get("celery") is not None
    arrived["at"] = time.time()
    time.sleep(0.5)


print("celery", version("celery"))
with app.connection_for_read() as connection:
    heard = Queue("heard", Exchange("celeryev", type="topic"), routing_key="#")(connection.default_channel)
    heard.declare()
    app.send_task("shop.pay")
    event = heard.get().decode()
print("the message could be taken before task-sent was dated:", arrived["message"])
print("half a second after that, or more, is dated:", event["type"], event["timestamp"] - arrived["at"] >= 0.5)
PYTHON
"$folder/venv/bin/python" "$folder/send.py" >"$folder/seen"
cat "$folder/seen"
cat >"$folder/expected" <<'TEXT'
celery 5.7.0
the message could be taken before task-sent was dated: True
half a second after that, or more, is dated: task-sent True
TEXT
diff "$folder/expected" "$folder/seen"
