"""An answer that is read at once is read as it would be field by field."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.model.replies import WorkerInspection
from watchdog.sources.flower.inspections import inspections, read_leniently

ODD: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, 7, -1, 1.5, 4.0, 1e300, 2**70, "", "12", "x", [], {}, [None], {"name": 3}])
POOL = st.fixed_dictionaries({}, optional={"max-concurrency": ODD, "implementation": ODD | st.just("celery.concurrency.solo:TaskPool")})
OPTIONS = st.fixed_dictionaries({}, optional={"global_keyprefix": ODD, "priority_steps": ODD | st.just([0, 5]), "sep": ODD})
BROKER = st.fixed_dictionaries({}, optional={"transport": ODD, "transport_options": ODD | OPTIONS})
STATS = st.fixed_dictionaries(
    {},
    optional={
        "pool": ODD | POOL, "pid": ODD, "uptime": ODD, "prefetch_count": ODD, "broker": ODD | BROKER, "rusage": ODD,
        "total": ODD | st.dictionaries(st.text(max_size=3), ODD, max_size=3),
    },
)  # fmt: skip
URL = ODD | st.sampled_from(["redis://:**@redis:6379/1", "rpc://", "redis://a/0"])
CONF = st.fixed_dictionaries(
    {},
    optional={
        "broker_url": URL, "result_backend": URL, "task_default_queue": ODD, "task_queues": ODD | st.lists(ODD, max_size=2),
        "task_routes": ODD, "broker_transport_options": ODD | OPTIONS, "result_backend_transport_options": ODD | OPTIONS, "timezone": ODD,
    },
)  # fmt: skip
QUEUES = st.lists(ODD | st.fixed_dictionaries({"name": ODD | st.text(max_size=5)}), max_size=3)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "stats": ODD | STATS, "conf": ODD | CONF, "active_queues": ODD | QUEUES, "reserved": ODD, "timestamp": ODD, "status": ODD,
        "registered": ODD,
    },
)  # fmt: skip
ANSWER = st.dictionaries(st.text(max_size=4), ODD | ENTRY, max_size=3)


def usual(n: int) -> dict[str, Any]:
    """An entry in Celery's own shape."""
    queues = [{"name": "celery", "exchange": {"name": "celery"}}, {"name": "high"}]
    stats = {
        "pool": {"implementation": "celery.concurrency.thread:TaskPool", "max-concurrency": 4},
        "pid": n,
        "uptime": 90,
        "total": {"t": n},
    }
    conf = {"broker_url": "redis://r:6379/0", "result_backend": "redis://r:6379/1", "task_default_queue": "celery"}
    return {"stats": stats, "conf": conf, "active_queues": queues, "reserved": [{"id": "1"}], "timestamp": 1_800_000_000.5}


@given(ANSWER, st.integers(0, 3))
def test_what_is_read_at_once_is_what_is_read_field_by_field(answer: dict[str, Any], well: int) -> None:
    body = json.dumps({**{f"celery@{n}": usual(n) for n in range(well)}, **answer}).encode()
    assert inspections(body) == read_leniently(body)


def test_an_odd_worker_takes_nothing_from_its_neighbour() -> None:
    odd = {**usual(2), "stats": {"pid": "many", "uptime": 5}}
    body = json.dumps({"celery@1": usual(1), "celery@2": odd}).encode()
    found, alone = inspections(body), inspections(json.dumps({"celery@1": usual(1)}).encode())
    assert isinstance(found, dict)
    assert isinstance(alone, dict)
    assert found["celery@1"] == alone["celery@1"]
    assert found["celery@1"].pool == "threads"
    assert isinstance(found["celery@2"], WorkerInspection)
    assert (found["celery@2"].pid, found["celery@2"].uptime_s) == (None, 5.0)
