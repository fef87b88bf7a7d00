#!/bin/sh
# RabbitMQ 3.10.8 (Debian's package rabbitmq-server) in an alarm of its own (free disk below the limit), Celery 5.7.0; a worker with -E that has
# fetched ten tasks of a second each, and a short-lived process that sends 50 more.
#
# Guess before the run: RabbitMQ blocks who publishes, so delay() waits or raises; a worker, which consumes, goes on and is heard.
# Seen: delay() returns an id for each of the 50 at once, and the process ends with 0, though RabbitMQ has read none of them: they lie in a socket
# until the alarm is over. The worker does go on, task after task, but what it says is blocked too: no heartbeat, no event for as long as the alarm
# lasts, so that every worker looks dead. All of it arrives afterwards, in one go and with its old timestamps.
set -eu
program=/usr/lib/rabbitmq/bin/rabbitmq-server
test -x "$program" || { echo "needs Debian's rabbitmq-server"; exit 1; }
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery==5.7.0' amqp==5.4.2
cd "$folder"
set -- $(venv/bin/python -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]; print(*(x.getsockname()[1] for x in s))')
echo "[]." >plugins
echo "listeners.tcp.1 = 127.0.0.1:$1" >rabbit.conf
export HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$2" RABBITMQ_NODENAME=finding@localhost RABBITMQ_DIST_PORT="$3"
export RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/rabbit.conf" RABBITMQ_CONF_ENV_FILE="$folder/none" RABBITMQ_PID_FILE="$folder/pid"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
epmd -port "$2" -address 127.0.0.1 &
pids=$!
"$program" >server.log 2>&1 &
pids="$! $pids"
for try in $(seq 120); do grep -q "completed with" server.log && break; sleep 1; done
cat >shop.py <<PYTHON
import time
from celery import Celery

app = Celery("shop", broker="amqp://guest:guest@127.0.0.1:$1//")
app.conf.worker_prefetch_multiplier = 10


@app.task
def pay():
    time.sleep(1)
    with open("runs", "a") as runs:
        runs.write("x")
PYTHON
echo 'from shop import pay; print(len([pay.delay().id for _ in range(50)]))' >send.py
venv/bin/celery -A shop worker -E -c 1 --without-mingle >worker.log 2>&1 &
pids="$! $pids"
cat >ask.py <<'PYTHON'
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

from shop import app, pay

late = []


def rabbitmqctl(*words):
    command = ["/usr/lib/rabbitmq/bin/rabbitmqctl", "--quiet", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def in_the_queue():
    rows = (line.split("\t") for line in rabbitmqctl("list_queues", "name", "messages").splitlines())
    return next(int(row[1]) for row in rows if row[0] == "celery")


end = time.monotonic() + 60
while time.monotonic() < end and not app.control.ping(timeout=1.0):
    pass
runs = Path("runs")
with app.connection_for_read() as connection:
    receiver = app.events.Receiver(connection, handlers={"*": lambda event: late.append(time.time() - event["timestamp"])})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
    for _ in range(30):
        pay.delay()
    time.sleep(3)
    rabbitmqctl("set_disk_free_limit", "90000GB")
    time.sleep(3)
    late.clear()
    ran_before, waited_before = len(runs.read_text()), in_the_queue()
    sender = subprocess.run([sys.executable, "send.py"], capture_output=True, text=True, timeout=60)
    time.sleep(8)
    ran, heard, came = len(runs.read_text()) - ran_before, len(late), in_the_queue() > waited_before
    rabbitmqctl("set_disk_free_limit", "1MB")
    time.sleep(5)
print("celery", version("celery"), "amqp", version("amqp"), "RabbitMQ", rabbitmqctl("version").strip())
print("a process sent:", sender.stdout.strip(), "- ended with", sender.returncode, "- the queue grew:", came)
print("tasks that ended meanwhile, 3 or more:", ran >= 3, "- events and heartbeats heard:", heard)
print("heard once it is over:", len(late) > 3, "- the oldest is late by 5 s or more:", max(late) >= 5, "- the queue grew:", in_the_queue() > waited_before)
PYTHON
venv/bin/python ask.py 2>ask.log | tee seen
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 amqp 5.4.2 RabbitMQ 3.10.8
a process sent: 50 - ended with 0 - the queue grew: False
tasks that ended meanwhile, 3 or more: True - events and heartbeats heard: 0
heard once it is over: True - the oldest is late by 5 s or more: True - the queue grew: True
SEEN
