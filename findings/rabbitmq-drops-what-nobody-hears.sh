#!/bin/sh
# RabbitMQ 3.10.8 (Debian's package rabbitmq-server) as the broker, Celery 5.7.0; a worker with -E, and nobody who listens to events.
#
# Guess before the run: drop_unroutable of the management API counts messages that were lost, such as tasks for a queue that is not there, so
# that on a cluster in which every task runs it stays 0 and a rise is worth an alert.
# Seen: it rises by itself. Every heartbeat and every task event that nobody is subscribed to is published all the same, and counts as
# dropped: ten tasks that all succeeded, and the heartbeats of some seconds, made more than ten. A real loss cannot be told from it.
set -eu
program=/usr/lib/rabbitmq/bin/rabbitmq-server
test -x "$program" || { echo "needs Debian's rabbitmq-server"; exit 1; }
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery==5.7.0'
cd "$folder"
set -- $(venv/bin/python -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]; print(*(x.getsockname()[1] for x in s))')
echo "[rabbitmq_management]." >plugins
cat >rabbit.conf <<CONF
listeners.tcp.1 = 127.0.0.1:$1
management.tcp.ip = 127.0.0.1
management.tcp.port = $2
CONF
export HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$3" RABBITMQ_NODENAME=finding@localhost RABBITMQ_DIST_PORT="$4"
export RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/rabbit.conf" RABBITMQ_CONF_ENV_FILE="$folder/none" RABBITMQ_PID_FILE="$folder/pid"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
epmd -port "$3" -address 127.0.0.1 &
pids=$!
"$program" >server.log 2>&1 &
pids="$! $pids"
cat >shop.py <<PYTHON
from celery import Celery

app = Celery("shop", broker="amqp://guest:guest@127.0.0.1:$1//", backend="rpc://")
app.conf.broker_connection_retry_on_startup = True


@app.task
def add(x, y):
    return x + y
PYTHON
venv/bin/celery -A shop worker -E -c 1 >worker.log 2>&1 &
pids="$! $pids"
cat >ask.py <<PYTHON
import base64
import json
import time
import urllib.request
from importlib.metadata import version

from kombu.exceptions import OperationalError
from shop import add, app

login = {"Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()}


def overview():
    request = urllib.request.Request("http://127.0.0.1:$2/api/overview", headers=login)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


end = time.monotonic() + 180
while time.monotonic() < end:
    try:
        if app.control.ping(timeout=2):
            break
    except OperationalError:  # it is starting
        time.sleep(0.5)
results = [add.delay(n, n) for n in range(10)]
succeeded = sum(result.get(timeout=60) == 2 * n for n, result in enumerate(results))
time.sleep(12)  # it counts every 5 s
seen = overview()
print("RabbitMQ", seen["rabbitmq_version"], "celery", version("celery"))
print("succeeded:", succeeded, "of 10")
print("dropped as unroutable, more than 10:", seen["message_stats"]["drop_unroutable"] > 10)
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
RabbitMQ 3.10.8 celery 5.7.0
succeeded: 10 of 10
dropped as unroutable, more than 10: True
SEEN
