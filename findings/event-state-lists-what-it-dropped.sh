#!/bin/sh
# Celery 5.7.0, its event state (celery.events.state.State), which Flower before 2.2 shows tasks from. Needs Python 3.11; no broker.
#
# Guess before the run: max_tasks_in_memory=50 bounds what can be listed: tasks_by_time() and `tasks` both have 50.
# Seen: `tasks` has 50; tasks_by_time(), tasks_by_type() and tasks_by_worker() go through another list of four times as many events, whose weak
# references stay alive in cycles until the garbage collector comes. They yield 67 of three events each, and 50 after a collection. So the
# length of a list varies by itself, and what is listed may have no entry under its id.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check celery==5.7.0
cat >"$folder/feed.py" <<'PYTHON'
import gc
from importlib.metadata import version

from celery.events.state import State

gc.disable()
print("celery", version("celery"))
state = State(max_tasks_in_memory=50)
clock = 0
for number in range(300):
    for kind in ("received", "started", "succeeded"):
        clock += 1
        at = 1_800_000_000.0 + clock
        event = {"type": f"task-{kind}", "uuid": f"id{number}", "hostname": "w", "timestamp": at, "local_received": at, "clock": clock}
        state.event({**event, "name": "shop.pay", "args": "", "kwargs": "", "retries": 0, "eta": None, "expires": None, "result": "1", "runtime": 0.1})
listed = [task_id for task_id, _ in state.tasks_by_time()]
print("tasks:", len(state.tasks), "by time:", len(listed), "of these not in tasks:", sum(i not in state.tasks for i in listed))
gc.collect()
print("after a collection, by time:", len(list(state.tasks_by_time())))
PYTHON
"$folder/venv/bin/python" "$folder/feed.py" >"$folder/seen"
cat "$folder/seen"
cat >"$folder/expected" <<'TEXT'
celery 5.7.0
tasks: 50 by time: 67 of these not in tasks: 17
after a collection, by time: 50
TEXT
diff "$folder/expected" "$folder/seen"
