#!/bin/sh
# Alertmanager 0.25.0 (Debian's package prometheus-alertmanager), its API v2; any Python from 3.11.
#
# What one would guess (written down before the run): an alert that is posted anew replaces what was known of it, so that `endsAt` can be moved both ways:
# a tool that used to say "ends in an hour unless I repeat it" and now says "in five minutes" is believed after one more post.
# Seen: annotations are replaced, an end is only ever moved later. Posted with an earlier endsAt, or with none (resolve_timeout, 5 minutes), the alert keeps the
# later end, and the answer is 200. Should the tool die now, the alert fires for the hour. Only an endsAt that has passed ends it sooner.
set -eu
program=/usr/bin/prometheus-alertmanager
test -x "$program" || { echo "needs Debian's prometheus-alertmanager"; exit 1; }
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
cd "$folder"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'route: {receiver: none}\nreceivers: [{name: none}]\n' >alertmanager.yml
"$program" --config.file=alertmanager.yml --web.listen-address="127.0.0.1:$port" --cluster.listen-address= --storage.path="$folder/data" 2>server.log &
pids=$!
cat >ask.py <<PYTHON
import json
import time
import urllib.request
from datetime import datetime, timedelta, timezone

API = "http://127.0.0.1:$port/api/v2"
NOW = datetime.now(timezone.utc)


def asked(path, body=None):
    request = urllib.request.Request(API + path, body and json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read()


def after(minutes):
    return (NOW + timedelta(minutes=minutes)).isoformat()


def posted(note, **ends):
    status, _ = asked("/alerts", [{"labels": {"alertname": "Backlog"}, "annotations": {"note": note}, "startsAt": after(-10), **ends}])
    time.sleep(0.5)
    told = []
    for alert in json.loads(asked("/alerts")[1]):
        left = datetime.fromisoformat(alert["endsAt"]) - NOW
        told.append(f"note {alert['annotations']['note']!r}, ends in {round(left.total_seconds() / 60)} min")
    print(f"posted as ending {note}: {status};", *told or ["no alert any more"])


end = time.monotonic() + 30
while True:
    try:
        version = json.loads(asked("/status")[1])["versionInfo"]["version"]
        break
    except OSError:  # it is starting
        if time.monotonic() > end:
            raise
        time.sleep(0.2)
print("alertmanager", version.split("+")[0])
posted("in an hour", endsAt=after(60))
posted("in five minutes", endsAt=after(5))
posted("when it is not repeated")
posted("in two hours", endsAt=after(120))
posted("a minute ago", endsAt=after(-1))
PYTHON
python3 ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
alertmanager 0.25.0
posted as ending in an hour: 200; note 'in an hour', ends in 60 min
posted as ending in five minutes: 200; note 'in five minutes', ends in 60 min
posted as ending when it is not repeated: 200; note 'when it is not repeated', ends in 60 min
posted as ending in two hours: 200; note 'in two hours', ends in 120 min
posted as ending a minute ago: 200; no alert any more
SEEN
