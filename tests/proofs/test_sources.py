"""Proof 3: sources misbehaving. A proxy that spoils connections stands before the real Flower and the real Redis of a healthy cluster.

What runs is what `watchdog run` runs, with the shipped rules. They are tuned to be quick: whatever is wrong for a moment fires at once, so
that a false verdict cannot hide behind a `for`. Three things are true all the while: tasks run, workers live, and nobody consumes a queue
that holds 60 messages, which was told before the first fault.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from tests.processes.cluster import Cluster
from tests.servers.faulty_proxy import Fault, FaultyProxy
from tests.servers.receiver import RecordingReceiver
from tests.servers.waiting import until
from watchdog.app.configured import configured
from watchdog.app.watching import build_watching
from watchdog.config.load import load_settings
from watchdog.core.incidents.lifecycle import State
from watchdog.daemon.cycle import Cycle, Done
from watchdog.daemon.self_monitor import SelfMonitor
from watchdog.receivers.pace import Pace
from watchdog.store import Store

FOR_S = {"BrokerUnreachable": 2.0, "FlowerUnreachable": 3.0}
OF = {"BrokerUnreachable": "redis", "FlowerUnreachable": "flower"}
OF_WORKERS = ("WorkerLost", "WorkersBelowMinimum", "NoWorkersOnline", "EveryWorkerLost", "QueueNoConsumers")
WORKERS_FOR_S = 6.0
"""Workers on two busy cores miss a heartbeat now and then, which is no fault of watchdog's."""
SHORT_S, LONG_S, PAUSE_S = 0.8, 3.2, 0.5
CONFIG = """
interval = "0.25s"
flap_window = "0s"
[[target]]
name = "prod"
min_workers = 2
flower = {{ url = "http://127.0.0.1:{flower}", timeout = "1s", connect_timeout = "0.5s" }}
redis = {{ url = "redis://127.0.0.1:{redis}/0", timeout = "0.5s", connect_timeout = "0.5s" }}
[[receiver]]
name = "ops"
type = "webhook"
url = "{hook}"
group_interval = "0s"
[[override]]
rule = "*"
for = "0s"
keep_firing_for = "1s"
[[override]]
rule = "Blind"
for = "5m"
"""


@dataclass
class Outages:
    """When each source was kept from answering (epoch seconds); the last one may still hold."""

    spans: dict[str, list[list[float]]] = field(default_factory=lambda: {"redis": [], "flower": []})

    def note(self, source: str, fault: Fault) -> None:
        spans, now = self.spans[source], time.time()
        holds = bool(spans) and spans[-1][1] == float("inf")
        if fault.is_outage and not holds:
            spans.append([now, float("inf")])
        elif not fault.is_outage and holds:
            spans[-1][1] = now

    def justify(self, rule: str, fired_at: float, slack_s: float) -> bool:
        """Whether the source had been out of reach for as long as the rule says. `slack_s`: what one cycle takes."""
        return any(began + FOR_S[rule] - slack_s <= fired_at <= ended + slack_s for began, ended in self.spans[OF[rule]])


@dataclass
class Timed:
    """What each cycle did, how long it took, and how long it may take (seconds)."""

    took: list[tuple[float, float]] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    def watch(self, cycle: Cycle) -> None:
        run = cycle.run

        def timed() -> Done:
            began = time.monotonic()
            try:
                done = run()
            except Exception as error:
                self.failed.append(error)
                raise
            self.took.append((time.monotonic() - began, cycle.longest_s))
            self.done.append(done)
            return done

        cycle.run = timed  # type: ignore[method-assign]


class Stage:
    """The cluster, the proxies before it, the store, and what watches through them."""

    def __init__(self, folder: Path, cluster: Cluster, stack: ExitStack) -> None:
        self.cluster, self.outages, self.timed = cluster, Outages(), Timed()
        self.proxies = {
            "redis": stack.enter_context(FaultyProxy(cluster.redis_port, seed=1)),
            "flower": stack.enter_context(FaultyProxy(cluster.flower_port, seed=2)),
        }
        receiver = stack.enter_context(RecordingReceiver())
        overrides = [
            f'[[override]]\nrule = "{rule}"\nfor = "{for_s}s"\n'
            for rule, for_s in {**FOR_S, **dict.fromkeys(OF_WORKERS, WORKERS_FOR_S)}.items()
        ]
        config = folder / "watchdog.toml"
        ports = {name: proxy.port for name, proxy in self.proxies.items()}
        config.write_text(CONFIG.format(**ports, hook=receiver.url) + "".join(overrides))
        loaded = load_settings(config=config, environ={"HOME": str(folder)}, flags={}, cwd=folder)
        self.store = stack.enter_context(Store.open(folder / "watchdog.db"))
        built = build_watching(configured(loaded), self.store, SelfMonitor(), Pace(), time.time, time.monotonic)
        self.watching = built.watching
        self.timed.watch(next(cycle for cycle in self.watching.cycles if cycle.target.name == "prod"))
        self.watching.start()
        stack.callback(self.watching.stop, 10.0)

    def put(self, fault: Fault, *sources: str) -> None:
        for source, proxy in self.proxies.items():
            proxy.fault = fault if source in sources else Fault.NONE
            self.outages.note(source, proxy.fault)

    def hold(self, seconds: float) -> None:
        time.sleep(seconds)
        assert self.timed.failed == []

    def fired(self) -> dict[str, tuple[str, float]]:
        """Incident -> its rule, and when it fired."""
        return {i.id: (i.rule, i.fired_at) for i in self.store.incidents(ended_since=0.0) if i.fired_at is not None}

    def moves(self, incident: str) -> list[str]:
        return [move.after for move in self.store.show(incident).transitions]

    def recovered(self, true: set[str]) -> float:
        """Wait until all is well but for what is true; how long that took (seconds)."""
        began = time.monotonic()
        until(lambda: all(self.moves(i)[-1] == State.RESOLVED for i in set(self.fired()) - true), 30, "an end of what the faults began")
        until(self.up, 20, "both sources")
        return time.monotonic() - began

    def up(self) -> bool:
        rows = self.timed.done[-1].seen.windows[300.0]["sources"].rows
        return all(row.cells["up"] and not row.cells["error"] for row in rows if row.cells["name"] in self.proxies)


@pytest.fixture
def stage(tmp_path: Path, own_cluster: Cluster) -> Iterator[Stage]:
    over = threading.Event()

    def work() -> None:
        """Tasks as on any day, so that there are rates to be misread."""
        while not over.wait(0.3):
            own_cluster.app.send_task("demo.ok", queue="indexing")

    own_cluster.flood("nobody", 60)
    with ExitStack() as stack:
        made = Stage(tmp_path, own_cluster, stack)
        working = threading.Thread(target=work)
        working.start()
        stack.callback(working.join)
        stack.callback(over.set)
        yield made


TRUE = {"QueueNoConsumers", "QueueBacklogHigh"}


@pytest.mark.alone
def test_whatever_the_network_does_no_cycle_hangs_nothing_false_begins_and_nothing_true_ends(
    stage: Stage, figure: Callable[[str], None], count: Callable[[int], int]
) -> None:
    until(lambda: {rule for rule, _ in stage.fired().values()} >= TRUE, 30, "the true incidents")
    true = set(stage.fired())
    assert {rule for rule, _ in stage.fired().values()} == TRUE
    cycles_before, faults, chance = len(stage.timed.done), 0, random.Random(3)

    for _ in range(count(1)):
        rounds = [(fault, where) for fault in Fault if fault is not Fault.NONE for where in (("redis",), ("flower",), ("redis", "flower"))]
        chance.shuffle(rounds)
        for fault, where in rounds:
            stage.put(fault, *where)
            stage.hold(chance.choice([SHORT_S, LONG_S]))
            if chance.random() < 0.5:  # else the next fault follows at once
                stage.put(Fault.NONE)
                stage.hold(PAUSE_S)
            faults += 1
    stage.put(Fault.NONE)
    recovered_s = [stage.recovered(true)]
    for source, rule in (("redis", "BrokerUnreachable"), ("flower", "FlowerUnreachable")):
        known = set(stage.fired())
        stage.put(Fault.RESET, source)
        until(lambda rule=rule, known=known: rule in {stage.fired()[i][0] for i in set(stage.fired()) - known}, 30, rule)  # type: ignore[misc]
        stage.put(Fault.NONE)
        recovered_s.append(stage.recovered(true))
    longest_s, allowed_s = max(took for took, _ in stage.timed.took), stage.timed.took[0][1]
    others = [told for i, told in stage.fired().items() if i not in true]
    false = [rule for rule, at in others if rule not in FOR_S or not stage.outages.justify(rule, at, longest_s + 0.5)]
    figure(
        f"sources: {faults} faults on Redis, Flower and both, {len(stage.timed.done) - cycles_before} cycles: longest {longest_s:.2f} s "
        f"(timeouts allow {allowed_s:.1f} s), false incidents {len(false)}, real outages told {len(others) - len(false)}, "
        f"all well at most {max(recovered_s):.1f} s after a fault"
    )
    assert [(took, most) for took, most in stage.timed.took if took > most] == []
    assert false == []
    assert {i: stage.moves(i)[-1] for i in true} == dict.fromkeys(true, State.FIRING)
    assert [i for i in true if State.RECOVERING in stage.moves(i)] == []

    with redis.Redis(port=stage.cluster.redis_port) as client:
        client.delete("nobody")
    until(lambda: all(stage.moves(i)[-1] == State.RESOLVED for i in true), 30, "the true end of what was true")
