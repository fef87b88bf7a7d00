#!/bin/sh
# Celery 5.7.0 and cronsim 2.8, the hour that clocks are set back (Europe/Berlin, 2026-10-25, 03:00 CEST becomes 02:00 CET).
#
# Guess before the run: an hourly crontab(minute=30) fires every 60 minutes, whatever the clock on the wall does, and a cron
# parser that knows time zones agrees with Celery on it.
# Seen: cronsim gives one run every 60 minutes. Celery's crontab never fires in the second 02:30: its runs lie 120 minutes apart
# once a year. Both are defensible readings of "30 * * * *"; but whoever computes from the expression when beat is due
# (a dead man's switch, for instance) expects a run that Celery does not make.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 cronsim==2.8 tzdata==2025.2
cat >"$folder/ask.py" <<'PYTHON'
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab
from cronsim import CronSim

BERLIN, RUNS = ZoneInfo("Europe/Berlin"), 5
BEGIN = datetime(2026, 10, 25, 0, 0, tzinfo=BERLIN)


def by_celery():
    """Beat's own question, asked once a minute: is it due since the last run?"""
    app = Celery(set_as_current=False)
    app.conf.timezone = "Europe/Berlin"
    clock = BEGIN.astimezone(timezone.utc)
    schedule = crontab(minute="30", app=app, nowfun=lambda: clock.astimezone(BERLIN))
    last, runs = clock, []
    while len(runs) < RUNS:
        if schedule.is_due(last).is_due:
            last = clock
            runs.append(clock)
        clock += timedelta(minutes=1)
    return runs


def by_cronsim():
    moments = CronSim("30 * * * *", BEGIN)
    return [next(moments).astimezone(timezone.utc) for _ in range(RUNS)]


def gaps(runs):
    return [int((b - a).total_seconds() // 60) for a, b in zip(runs, runs[1:])]


for name, runs in (("celery", by_celery()), ("cronsim", by_cronsim())):
    print(name, version(name), "UTC", *(f"{run:%H:%M}" for run in runs), "minutes between:", *gaps(runs))
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" | tee "$folder/seen"
diff "$folder/seen" - <<'SEEN' && echo "as stated"
celery 5.7.0 UTC 22:30 23:30 00:30 02:30 03:30 minutes between: 60 60 120 60
cronsim 2.8 UTC 22:30 23:30 00:30 01:30 02:30 minutes between: 60 60 60 60
SEEN
