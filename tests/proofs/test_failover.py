"""Proof: two daemons on one PostgreSQL, of which one works. Whatever befalls it or the database, the other goes on where it was.

`make proof-failover`, by hand with `COUNT=500`. Queues come and go all the time, so that every fault meets cycles, and messages on their
way: to a receiver that answers at once, and to one that acts on a message and answers when nobody waits any more. The clocks of the two are
hours apart. Nothing is lost, nothing is said under two ids, no end comes before its beginning, a repeat is the same to the byte
(`crash_account`), and nothing is written by who lost the lease (`failover_witness`).
"""

import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.cluster import Cluster
from tests.proofs.crash_account import account, all_told
from tests.proofs.crash_scene import QUEUES, ActingReceiver, World, write_config
from tests.proofs.failover_pair import Fault, Pair
from tests.proofs.failover_witness import MachineDelay, Witness
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.tcp_relay import TcpRelay
from tests.servers.waiting import until
from watchdog.core.model.servers.database_url import DatabaseUrl
from watchdog.store.postgresql.lease import TTL_S

pytestmark = pytest.mark.alone

WHOLE = ("first", "escalated", "resolved")
CI_FAULTS = 40
OFTEN = {Fault.KILL: 14, Fault.CRASH: 8, Fault.FREEZE: 4, Fault.BLACK_HOLE: 4, Fault.STOP: 4, Fault.RESET: 3, Fault.HICCUP: 3}
"""How many of forty faults are of this kind."""
WITHIN_S = {Fault.KILL: 1.0, Fault.FREEZE: TTL_S + 1.0, Fault.BLACK_HOLE: TTL_S + 1.0}
"""What is promised of the time until another has the lease."""
TURNS = 12
"""How often the one that takes over and the server wake each other meanwhile; each time may be as late as the machine's latest thread."""


class Takeovers:
    """How long each took, beside what is promised."""

    def __init__(self, witness: Witness, delay: MachineDelay) -> None:
        self._witness, self._delay = witness, delay
        self.lease_s: dict[Fault, list[float]] = {}
        self.look_s: dict[Fault, list[float]] = {}

    def after(self, fault: Fault, epoch: int, began: float) -> None:
        from_now = time.monotonic()
        took = self._witness.taken_after(epoch, began)
        allowance = TURNS * self._delay.since(from_now)
        self.lease_s.setdefault(fault, []).append(took)
        self.look_s.setdefault(fault, []).append(self._witness.first_look_after(epoch, began))
        longest = WITHIN_S.get(fault)
        assert longest is None or took < longest + allowance, (
            f"{fault}: {took:.2f} s until another had the lease; {allowance:.2f} s allowed"
        )

    def __str__(self) -> str:
        return "; ".join(
            f"{len(times)} times after a {fault}: {_shown(times)}, to its first look {_shown(self.look_s[fault])}"
            for fault, times in self.lease_s.items()
        )


def _shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} s (at most {max(times):.1f})"


def _unreminded(events: tuple[str, ...]) -> tuple[str, ...]:
    """Without reminders: a daemon whose clock is hours ahead of the other's takes what has just begun for hours old."""
    return tuple(event for event in events if event != "reminder")


def chosen(number: int, chance: random.Random) -> list[Fault]:
    """So many faults, each kind about as often as it should be, in any order."""
    forty = [fault for fault, often in OFTEN.items() for _ in range(often)]
    whole, rest = divmod(number, len(forty))
    faults = forty * whole + chance.sample(forty, rest)
    chance.shuffle(faults)
    return faults


def test_failover(
    own_postgresql: RealPostgreSQL, redis_server: Cluster, tmp_path: Path, count: Callable[[int], int], figure: Callable[[str], None]
) -> None:
    seed, url = random.randrange(2**32), own_postgresql.new_database()
    chance = random.Random(seed)
    prompt = ActingReceiver(lambda: chance.uniform(0.0, 0.2))
    late = ActingReceiver(lambda: chance.choice([0.0, 0.8]))
    folders = [tmp_path / name for name in ("one", "two")]
    with ExitStack() as stack:
        for one in (prompt, late):
            stack.enter_context(one)
        relays = [stack.enter_context(TcpRelay(own_postgresql.port)) for _ in folders]
        for folder, relay in zip(folders, relays, strict=True):
            folder.mkdir()
            hooks, through = (
                {"prompt": prompt.url, "late": late.url},
                DatabaseUrl(url.replace(f":{own_postgresql.port}/", f":{relay.port}/")),
            )
            write_config(folder, redis_server.redis_url, hooks, interval="0.2s", quiet="0.3s", timeout_s=0.5, database=through)
        pair = Pair(own_postgresql, folders, relays, chance)
        stack.callback(pair.end)
        pair.start(folders[0]).wait_for("watchdog_started")
        witness = Witness(url)
        stack.callback(witness.close)
        takeovers = Takeovers(witness, stack.enter_context(MachineDelay()))
        world = stack.enter_context(World(redis_server.redis_url, [prompt, late], seed))
        faults = chosen(count(CI_FAULTS), chance)
        for fault in faults:
            pair.wait_until_ready(witness)
            pair.suffer(fault, witness, lambda epoch, began: takeovers.after(fault, epoch, began))  # noqa: B023
        pair.wait_until_ready(witness)
        world.end()
        until(lambda: all_told(DatabaseUrl(url)), 60, f"everything to be over and told (seed {seed})")
        strangers, apart_h = witness.strangers(), witness.clocks_apart_h()
    balanced = account(DatabaseUrl(url), {"prompt": prompt.requests, "late": late.requests})
    for receiver, told in balanced.told.items():
        of_patient = [_unreminded(events) for incident, events in told.items() if balanced.keys[incident] == QUEUES[0]]
        assert of_patient == [WHOLE] * world.fires, f"{receiver} (seed {seed})"
    assert strangers == [], f"written by who had lost the lease (seed {seed})"
    assert "Traceback" not in "".join(one.text for one in pair.daemons.values())
    figure(
        f"failover in {len(faults)} faults (seed {seed}), clocks {apart_h:.0f} h apart: {len(balanced.keys)} fires, "
        f"{balanced.messages} messages, 0 lost, 0 under two ids, {balanced.repeats} repeats, each byte for byte"
    )
    figure(f"failover, until another has the lease: {takeovers}")
