"""The site that is watched: so many workers, each with a queue of its own, all well; and the rules on it, none of which fires.

A tenth of it is at work: those workers take a task between two cycles, and their queues hold one or two messages.

Flower's answers are made here in the shapes that Flower 2.2 gives them, and as large: 2.5 kB of metrics and 4 kB of inspection a worker.
Heartbeats are written when they are asked for (`page_at`), for old ones would make every worker a lost one.
"""

import json
from dataclasses import dataclass

__all__ = ["Site", "page_at"]

BUSY_EVERY = 10
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, "+Inf")
TASK = "shop.orders.tasks.charge_card"
ON_QUEUES = ("length > {}", "oldest_s > {} * 60", "growth_per_min > {}", "consumers < 1 AND length > {}", "idle_with_backlog_s > {}")
ON_WORKERS = ("state = 'lost' OR silent_s > {}", "load1 > {}", "restarts > {}", "saturated AND active > {}", "processed_per_min > {}")


@dataclass(frozen=True, slots=True)
class Site:
    """A site of `size` workers and queues, judged by `rules` rules, as it stands at `now` (epoch seconds)."""

    size: int
    rules: int
    now: float

    def messages(self, now: float) -> dict[str, list[str]]:
        """Queue -> the messages that it holds now, in each busy queue."""
        headers = {"task": TASK, "id": f"{now:.0f}", "published_at": now - 1}
        message = json.dumps({"headers": headers, "properties": {"correlation_id": f"{now:.0f}"}, "body": "W1tdLCB7fSwge31d"})
        return {queue: [message] * (1 + int(now // 10) % 2) for queue in self.queues[::BUSY_EVERY]}

    @property
    def queues(self) -> list[str]:
        """The queues' names."""
        return [f"orders-{n:04}" for n in range(self.size)]

    @property
    def workers(self) -> list[str]:
        """The workers' names."""
        return [f"celery@shop-{n:04}" for n in range(self.size)]

    def bindings(self) -> dict[str, str]:
        """Redis key -> its one member, as Celery binds a queue to the exchange of its name."""
        return {f"_kombu.binding.{queue}": f"{queue}\x06\x16\x06\x16{queue}" for queue in self.queues}

    def pages(self) -> dict[str, bytes]:
        """Path -> body."""
        return {
            "/healthcheck": b"OK",
            "/api/workers?status=true": _json(dict.fromkeys(self.workers, True)),
            "/?json=1": _json({"data": [self._beat(n, name) for n, name in enumerate(self.workers)]}),
            "/api/workers": (inspected := _json({name: self._inspection(n) for n, name in enumerate(self.workers)})),
            "/api/workers?refresh=true": inspected,
            "/metrics": self._metrics(),
            "/exporter": self._exporter(),
        }

    def conditions(self) -> list[tuple[str, str]]:
        """(table, condition) of each rule: half of them on queues, half on workers; each is asked of every row."""
        kinds = [("queues", condition) for condition in ON_QUEUES], [("workers", condition) for condition in ON_WORKERS]
        turns = [kinds[n % 2][n // 2 % len(ON_QUEUES)] for n in range(self.rules)]
        return [(table, condition.format(5000 + n)) for n, (table, condition) in enumerate(turns)]

    def rules_toml(self) -> str:
        """The rules as watchdog reads them."""
        return "\n".join(
            f'[[rule]]\nname = "Bench{n:03}"\nfrom = "{table}"\nwhen = "{condition}"\nsummary = "{{{{ name }}}}"'
            for n, (table, condition) in enumerate(self.conditions())
        )

    def _beat(self, n: int, name: str) -> dict[str, object]:
        counts = {"worker-online": 1, "worker-heartbeat": "@pulses", "task-received": 40, "task-started": 40, "task-succeeded": 40}
        took = 40 + n if n % BUSY_EVERY else "@took"
        heard = {"heartbeats": ["@7", "@5", "@3", "@1"], "freq": 2.0, "clock": 9000 + n, "active": 1, "processed": took}
        software = {"sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux", "status": True}
        return {**counts, "hostname": name, "pid": 1000 + n, **heard, "loadavg": [0.5, 0.4, 0.3], **software}

    def _inspection(self, n: int) -> dict[str, object]:
        queue = self.queues[n]
        exchange = {"name": queue, "type": "direct", "durable": True, "auto_delete": False, "delivery_mode": None, "arguments": None}
        options = {"visibility_timeout": 3600, "priority_steps": [0, 3, 6, 9], "sep": "\x06\x16"}
        broker = {"hostname": "redis", "transport": "redis", "port": 6379, "ssl": False, "transport_options": options, "heartbeat": 120.0}
        pool = {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 4, "processes": [1, 2, 3, 4]}
        stats = {"total": {TASK: 40 + n}, "pid": 1000 + n, "uptime": 9000, "pool": pool, "broker": broker, "prefetch_count": 16}
        conf = {f"worker_setting_{i:02}": f"the value of setting {i}" for i in range(40)}
        return {
            "stats": stats,
            "timestamp": "@inspected",
            "active": [],
            "reserved": [],
            "scheduled": [],
            "revoked": [],
            "registered": [TASK, "celery.backend_cleanup"],
            "active_queues": [{"name": queue, "exchange": exchange, "routing_key": queue, "durable": True, "no_ack": False}],
            "conf": {
                **conf,
                "broker_url": "redis://redis:6379/0",
                "task_default_queue": self.queues[0],
                "result_backend": "redis://redis:6379/1",
            },
        }

    def _metrics(self) -> bytes:
        """One task name a worker: events, and a histogram of runtimes."""
        events, runtimes = [], []
        for n, name in enumerate(self.workers):
            labels = f'task="{TASK}",worker="{name}"'
            kinds = ("received", "started", "succeeded")
            count = 40.0 + n if n % BUSY_EVERY else '"@took"'
            events += [f'flower_events_total{{task="{TASK}",type="task-{kind}",worker="{name}"}} {count}' for kind in kinds]
            runtimes += [f'flower_task_runtime_seconds_bucket{{le="{le}",{labels}}} 40.0' for le in BUCKETS]
        lines = [
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self.now - 86400}",
            "# TYPE flower_events_total counter",
            *events,
            "# TYPE flower_task_runtime_seconds histogram",
            *runtimes,
        ]
        return ("\n".join(lines) + "\n").encode()

    def _exporter(self) -> bytes:
        """The same site as an exporter would show it to Prometheus: two numbers a worker, two a queue."""
        lines = [f'celery_queue_length{{queue="{q}"}} 0\ncelery_queue_consumers{{queue="{q}"}} 1' for q in self.queues]
        lines += [f'celery_worker_up{{worker="{w}"}} 1\ncelery_worker_active{{worker="{w}"}} 1' for w in self.workers]
        return ("\n".join(lines) + "\n").encode()


def page_at(body: bytes, now: float, inspected_at: float) -> bytes:
    """A page of Flower as it is `now`: a heartbeat every 2 s, the last ones just before, and when workers were inspected last.

    A busy worker takes a task every 10 s.
    """
    for ago in (7, 5, 3, 1):
        body = body.replace(b'"@%d"' % ago, b"%.2f" % (now - ago))
    body = body.replace(b'"@took"', b"%d" % (now // 10))
    return body.replace(b'"@pulses"', b"%d" % (now // 2)).replace(b'"@inspected"', b"%.2f" % inspected_at)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
