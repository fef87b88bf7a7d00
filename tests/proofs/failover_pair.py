"""Two daemons on one PostgreSQL, each with a clock of its own and a relay to the database; what supervises them, and what befalls them."""

import enum
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.processes.running import Daemon
from tests.processes.shifted_clock import CLOCK_AHEAD_S
from tests.proofs.failover_witness import Witness
from tests.servers.postgresql import RealPostgreSQL
from tests.servers.tcp_relay import TcpRelay
from tests.servers.waiting import until

__all__ = ["Fault", "Pair"]

COMMAND = (sys.executable, "-W", "error", "-m", "tests.processes.shifted_clock")
CLOCKS_H = (-7.0, -1.0, 0.0, 2.0, 9.0)
"""By how many hours the clock of a daemon may be wrong, for its life."""


class Fault(enum.StrEnum):
    """What befalls the daemon that works, or its database."""

    KILL = "kill"
    FREEZE = "freeze"
    """For longer than the lease lasts; then it thaws."""
    BLACK_HOLE = "black hole"
    """Between it and the database, for as long; then what was sent arrives."""
    CRASH = "crash of the database"
    STOP = "stop"
    RESET = "all its connections closed"
    HICCUP = "freeze of a moment"


class Pair:
    """Two daemons in folders of their own; whichever has ended is started again, with another clock."""

    def __init__(self, server: RealPostgreSQL, folders: Sequence[Path], relays: Sequence[TcpRelay], chance: random.Random) -> None:
        self._server, self._folders, self._chance = server, folders, chance
        self._relays = dict(zip(folders, relays, strict=True))
        self.daemons: dict[Path, Daemon] = {}

    def supervise(self) -> None:
        """Start what does not run."""
        for folder in self._folders:
            known = self.daemons.get(folder)
            if known is None or known.process.poll() is not None:
                self.start(folder)

    def start(self, folder: Path) -> Daemon:
        clock = {CLOCK_AHEAD_S: str(3600 * self._chance.choice(CLOCKS_H))}
        self.daemons[folder] = Daemon(folder, clock, command=COMMAND)
        return self.daemons[folder]

    def wait_until_ready(self, witness: Witness) -> None:
        """Until one works and the other stands by, and has had a look at the first."""
        until(lambda: self._ready(witness), 90, "one daemon to work and the other to stand by")
        time.sleep(self._chance.uniform(0.5, 1.0))
        until(lambda: self._ready(witness), 90, "one daemon still to work and the other still to stand by")

    def _ready(self, witness: Witness) -> bool:
        """Who has lost the lease and does not know it yet does not stand by: it ends, and nobody would take over from the other."""
        self.supervise()
        _, pid = witness.holder()
        others = [one for one in self.daemons.values() if one.process.pid != pid]
        stands_by = [one for one in others if "standing_by" in one.own_text and "lease_taken" not in one.own_text]
        return len(others) == len(stands_by) == 1 and witness.both_connected()

    def _states(self) -> str:
        """What each of them is doing, for who waits in vain."""
        ends = {one.process.pid: (one.process.poll(), one.own_text.splitlines()[-5:]) for one in self.daemons.values()}
        return "; ".join(f"pid {pid}, exit code {code}: {' | '.join(lines)}" for pid, (code, lines) in ends.items())

    def suffer(self, fault: Fault, witness: Witness, taken: Callable[[int, float], None]) -> None:
        """One fault, to its end. `taken`: told the epoch and the time (epoch seconds) from which on the other has to take over."""
        epoch, pid = witness.holder()
        folder, worker = next((folder, one) for folder, one in self.daemons.items() if one.process.pid == pid)
        began = time.time()
        try:
            self._commit(fault, witness, (folder, worker, epoch, began), taken)
        except AssertionError as error:
            raise AssertionError(f"{fault}: {error}; {self._states()}") from error

    def _commit(self, fault: Fault, witness: Witness, at: tuple[Path, Daemon, int, float], taken: Callable[[int, float], None]) -> None:
        folder, worker, epoch, began = at
        match fault:
            case Fault.KILL | Fault.STOP:
                worker.send(signal.SIGKILL if fault is Fault.KILL else signal.SIGTERM)
                taken(epoch, began)
            case Fault.FREEZE:
                worker.send(signal.SIGSTOP)
                taken(epoch, began)
                worker.send(signal.SIGCONT)
                assert worker.process.wait(60) == 1, worker.own_text
            case Fault.BLACK_HOLE:
                self._relays[folder].hold()
                taken(epoch, began)
                self._relays[folder].let_go()
                assert worker.process.wait(60) == 1, worker.own_text
            case Fault.CRASH:
                self._server.stop(signal.SIGQUIT)
                self._server.start()
                time.sleep(1.0)  # long enough for who stands by to look twice
                assert not witness.taken_early(epoch)
            case Fault.RESET:
                self._relays[folder].reset()
                time.sleep(1.0)
            case Fault.HICCUP:
                worker.send(signal.SIGSTOP)
                time.sleep(self._chance.uniform(0.1, 2.0))
                worker.send(signal.SIGCONT)

    def end(self) -> None:
        """Kill both."""
        for one in self.daemons.values():
            one.process.kill()
            one.process.wait()
