#!/bin/sh
# sentry-sdk 2.75.0 (monitor_beat_tasks), Celery 5.7.0, cronsim 2.8 and croniter 6.2.4 as readers of cron expressions; no server, the envelopes are caught.
#
# What one would guess (written down after the first run, but for intervals): the monitor that is made of an entry of beat has that entry's schedule, so that
# Sentry misses a check-in when beat missed a run.
# Seen: of intervals, whole minutes are exact (36 h is no day); others get no monitor and no check-in, and unless sentry-sdk's `debug` is on, nothing says so.
# A crontab is told as the arguments that it was made of: lists, sets and ranges, which Celery takes, as Python prints them, which is no cron expression.
# "0 3 13 * fri" is one: every Friday and every 13th to who reads cron, while beat sends on a Friday the 13th alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0 sentry-sdk==2.75.0 cronsim==2.8 croniter==6.2.4 tzdata==2025.2
cd "$folder"
cat >ask.py <<'PYTHON'
from datetime import datetime, timedelta, timezone
from importlib.metadata import version

import sentry_sdk
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import crontab, schedule
from croniter import croniter
from croniter.croniter import CroniterError
from cronsim import CronSim, CronSimError
from sentry_sdk.integrations.celery import CeleryIntegration
from sentry_sdk.transport import Transport

BEGIN = datetime(2026, 11, 29, tzinfo=timezone.utc)
check_ins = []


class Caught(Transport):
    def capture_envelope(self, envelope):
        check_ins.extend(item.payload.json for item in envelope.items if item.headers["type"] == "check_in")


sentry_sdk.init("http://key@127.0.0.1/1", transport=Caught, integrations=[CeleryIntegration(monitor_beat_tasks=True)])
app = Celery("shop", broker="memory://")
beat = Scheduler(app, schedule={}, lazy=True)


@app.task(name="shop.pay")
def pay():
    pass


def told(when):
    """The schedule of the monitor, after beat has sent the entry."""
    check_ins.clear()
    beat.apply_entry(beat.Entry(name="pay", task="shop.pay", schedule=when, app=app))
    sentry_sdk.flush()
    return check_ins[0]["monitor_config"]["schedule"] if check_ins else None


def read(text):
    try:
        by_cronsim = f"{next(CronSim(text, BEGIN)):%Y-%m-%d}"
    except CronSimError:
        by_cronsim = "no cron"
    try:
        by_croniter = f"{croniter(text, BEGIN).get_next(datetime):%Y-%m-%d}"
    except CroniterError:
        by_croniter = "no cron"
    return f"cronsim: {by_cronsim}, croniter: {by_croniter}"


def by_celery(when):
    day = BEGIN
    while not (day.day in when.day_of_month and day.isoweekday() % 7 in when.day_of_week):
        day += timedelta(days=1)
    return f"{day:%Y-%m-%d}"


print(*(f"{name} {version(name)}" for name in ("sentry-sdk", "celery", "cronsim", "croniter")))
for seconds in (36 * 3600, 90, 150):
    print(f"every {seconds} s:", told(schedule(seconds)))
for written in (dict(minute=[0, 30]), dict(hour={9}, minute=0), dict(minute=range(0, 60, 20)), dict(minute=0, hour=3, day_of_month=13, day_of_week="fri")):
    text = told(crontab(**written, app=app))["value"]
    print(f"{text}: first by Celery {by_celery(crontab(**written, app=app))}, {read(text)}")
PYTHON
venv/bin/python ask.py 2>log | tee seen
echo "said of it on stderr: $(wc -l <log) lines" | tee -a seen
diff seen - <<'SEEN' && echo "as stated"
sentry-sdk 2.75.0 celery 5.7.0 cronsim 2.8 croniter 6.2.4
every 129600 s: {'type': 'interval', 'value': 36, 'unit': 'hour'}
every 90 s: None
every 150 s: None
[0, 30] * * * *: first by Celery 2026-11-29, cronsim: no cron, croniter: no cron
0 {9} * * *: first by Celery 2026-11-29, cronsim: no cron, croniter: no cron
range(0, 60, 20) * * * *: first by Celery 2026-11-29, cronsim: no cron, croniter: no cron
0 3 13 * fri: first by Celery 2027-08-13, cronsim: 2026-12-04, croniter: 2026-12-04
said of it on stderr: 0 lines
SEEN
