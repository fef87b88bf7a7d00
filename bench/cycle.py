"""A whole cycle, nothing firing: polled from a real Redis and a process that simulates Flower, read, judged, committed; beside its floor.

One round is a minute of cycles, one each 10 s by a clock that is an argument, because not everything is asked in every cycle. The floor
follows each cycle and asks what that one asked. The windows are full when the first round begins.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from bench.cpu import cpu_ms_of
from bench.figures import Figure, by_round
from bench.floor import Floor
from bench.servers import Servers, serving
from bench.site import Site
from watchdog.app.configured import configured
from watchdog.app.polling import build_sources
from watchdog.config.load import load_settings
from watchdog.config.rulebook import rules_for
from watchdog.config.settings import to_target
from watchdog.core.history.series import Keeping
from watchdog.core.incidents.decide import Situation
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.judging.findings import Judgement
from watchdog.core.model.queries import ListLengths, OfKeys, Ping, Query, SetMembers, WorkerStatus
from watchdog.core.model.reading import Past
from watchdog.daemon.cycle import Cycle, Recorded
from watchdog.daemon.starting.lazy_imports import without
from watchdog.polling.poller import Poller
from watchdog.sources.base import Answers, Source
from watchdog.sources.flower.questions import HEALTH, asking
from watchdog.sources.redis.commands import packed
from watchdog.store import Store
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT, slice_of

__all__ = ["FILLING", "IN_A_ROUND", "cycle", "watched_site"]

INTERVAL_S = 10.0
IN_A_ROUND = 6
FILLING = 31
"""Cycles until a window of 5 minutes is full."""
MOST = 2.5


def cycle(folder: Path, *, size: int = 1000, rules: int = 100, rounds: int = 7) -> Figure:
    """CPU of a cycle, and of its floor."""
    site = Site(size, rules, 1_800_000_000.0)
    with serving(site, folder) as servers, watched_site(site, servers, folder) as watched:
        for _ in range(FILLING):
            watched.cycle.run()
            watched.clock.advance()
        floor = Floor(servers, site.conditions(), folder / "floor.db")
        try:
            floor.look(("/api/workers", *watched.pages()), watched.requests(), watched.lists(), watched.clock.now)
            pairs = [_round(watched, floor) for _ in range(rounds)]
        finally:
            floor.close()
    return by_round(f"a cycle: {size:,} workers x {size:,} queues x {rules} rules, CPU", "ms", pairs, MOST)


class Clock:
    """Time as an argument, of watchdog, of the simulated Flower and of what the queues hold."""

    def __init__(self, site: Site, servers: Servers) -> None:
        self.now, self._site, self._servers = site.now, site, servers

    def advance(self) -> None:
        """An interval later."""
        self.now += INTERVAL_S
        self._servers.set_clock(self.now)
        self._servers.set_queues(self._site.messages(self.now))

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


class Overheard:
    """A source that keeps what it is asked."""

    def __init__(self, source: Source) -> None:
        self.name, self._source = source.name, source
        self.batches: list[list[Query]] = []

    @property
    def longest_s(self) -> float:
        """As the source's own."""
        return self._source.longest_s

    def ask(self, queries: Sequence[Query]) -> Answers:
        """As the source's own."""
        self.batches.append(list(queries))
        return self._source.ask(queries)

    def close(self) -> None:
        """As the source's own."""
        self._source.close()


class Watched(NamedTuple):
    """A site under watch, and what its last cycle asked."""

    cycle: Cycle
    clock: Clock
    flower: Overheard
    redis: Overheard

    def forget(self) -> None:
        """What earlier cycles asked."""
        self.flower.batches.clear()
        self.redis.batches.clear()

    def pages(self) -> list[str]:
        """What Flower was asked."""
        queries = [query for batch in self.flower.batches for query in batch]
        paths = [question[0] for query in queries if (question := asking(query)) is not None]
        return [HEALTH, *paths] if WorkerStatus() in queries else paths

    def requests(self) -> list[tuple[bytes, int]]:
        """What Redis was asked, apart from INFO and SCAN: bunches of commands, packed, and how many lines their replies have."""
        queries = [query for batch in self.redis.batches for query in batch]
        kinds = ((Ping, 1), (SetMembers, 3), (ListLengths, 1))
        asked = [(query, lines) for kind, lines in kinds for query in queries if isinstance(query, kind)]
        return [(packed(query), lines * (len(query.keys) if isinstance(query, OfKeys) else 1)) for query, lines in asked]

    def lists(self) -> int:
        """How many lengths it asked for."""
        return sum(len(query.keys) for batch in self.redis.batches for query in batch if isinstance(query, ListLengths))


@contextmanager
def watched_site(site: Site, servers: Servers, folder: Path) -> Iterator[Watched]:
    """The site under watch, with a database in this folder."""
    (folder / "rules.toml").write_text(site.rules_toml())
    (folder / "watchdog.toml").write_text(
        f'database = "watchdog.db"\nrules = ["rules.toml"]\nshipped_rules = false\n'
        f'[[target]]\nname = "prod"\nflower = "{servers.flower_url}"\nredis = "{servers.redis_url}"\n'
    )
    conf = configured(load_settings(config=folder / "watchdog.toml", environ={}, flags={}, cwd=folder))
    settings = conf.settings.target[0]
    sources = {name: Overheard(source) for name, source in build_sources(settings).items()}
    poller = Poller(to_target(conf.settings, settings), sources, TABLES)
    clock = Clock(site, servers)
    with without("numpy", "pandas"):  # as the daemon
        opened = Store.open(conf.loaded.database)
    with opened as store:
        evaluator = Evaluator(TABLES, stopwatch=perf_counter)
        rules = rules_for(conf.book, "prod", TABLES)
        past: Callable[[float], Past] = lambda _: Past()  # noqa: E731
        one = Cycle(
            poller,
            TABLES,
            rules,
            Evaluators(lambda: evaluator),
            store,
            Situation(poller.target, 0.0),
            clock=clock,
            past=past,
            history=Recorded(Keeping(KEPT), slice_of),
        )
        try:
            yield Watched(one, clock, sources["flower"], sources["redis"])
        finally:
            one.close()
            evaluator.close()


def _round(watched: Watched, floor: Floor) -> tuple[float, float]:
    """The mean CPU (ms) of a minute's cycles, and of the floor's looks."""
    mine = floors = 0.0
    for _ in range(IN_A_ROUND):
        watched.forget()
        mine += cpu_ms_of(_quiet(watched))
        pages, requests, lists, now = watched.pages(), watched.requests(), watched.lists(), watched.clock.now
        floors += cpu_ms_of(lambda: floor.look(pages, requests, lists, now))  # noqa: B023 - called at once
        watched.clock.advance()
    return mine / IN_A_ROUND, floors / IN_A_ROUND


def _quiet(watched: Watched) -> Callable[[], None]:
    """A cycle in which nothing fired and everything was seen."""

    def run() -> None:
        done = watched.cycle.run()
        spoken = [j for j in done.judgements if j.findings or j.failed or j.unknown or j.idle]
        if spoken:
            raise AssertionError(f"the site was to be quiet: {_why(spoken[0])}")

    return run


def _why(judgement: Judgement) -> str:
    first = judgement.findings[0] if judgement.findings else None
    return f"{judgement.rule.when}: {first.verdict} {first.key} {first.reason}" if first else f"{judgement.rule.when}: no verdict"
