"""Replays each target from the database, read-only, and puts what happened beside it.

In: what was asked for. Out: a `Result`: pairs of incidents, and what could not be judged. Refused with every fault of the configuration.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from watchdog.cli.check.asked import RuleChoice, chosen_rules
from watchdog.cli.configuration import chosen_targets, load_with_rules, named_config, warn_of_oddities
from watchdog.cli.database.opening import options_or_before
from watchdog.cli.output.refusals import Refused
from watchdog.config.rulebook import rules_for
from watchdog.core.history.frames import looks_of
from watchdog.core.incidents.messages import FIRE
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.model.target import SELF
from watchdog.core.replay.compare import Pair, Recorded, agrees, beside
from watchdog.core.replay.player import Replayed, replay
from watchdog.core.replay.spell import Spell, spell_of
from watchdog.core.rules.overrides import Tuned
from watchdog.status.clock import clock_of
from watchdog.tables import TABLES

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.store import Store

__all__ = ["Asked", "Result", "replayed"]

LEAD_S = 3600.0
"""So long before the time that is asked for, looks are played without counting, so that what was pending then is."""
BAR = 24


class Asked(Struct, frozen=True):
    """The options, as parsed."""

    since_s: float
    rule_files: tuple[Path, ...]
    choice: RuleChoice
    targets: tuple[str, ...]
    config: Path | None
    database: str | None


class Result(Struct, frozen=True):
    """What was found. `since`, `now`: the time that was asked for (epoch seconds)."""

    pairs: tuple[Pair, ...]
    targets: Mapping[str, Replayed]
    since: float
    now: float
    took_s: float
    database: str
    footer: str

    @property
    def exit_code(self) -> int:
        """0: the same; 1: something else; 3: nothing was recorded, or no rule has a verdict."""
        if not agrees(self.pairs):
            return 1
        judged = any(one.since is not None and len(one.covered.never) < one.covered.rules for one in self.targets.values())
        return 0 if judged else 3


def replayed(ctx: click.Context, asked: Asked, progress: Callable[[str], None]) -> Result:
    """Return what the rules would have told, beside what was told."""
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    config, database = options_or_before(ctx, asked.config, asked.database)
    conf = load_with_rules(config, {"database": database}, more_rules=asked.rule_files, targets_required=False, credentials=False)
    conf, faults = chosen_rules(conf, asked.choice)
    if faults:
        raise Refused(*faults)
    names = tuple(asked.targets) if asked.targets == (SELF,) else chosen_targets(conf, asked.targets)
    names = names if asked.targets else (*names, SELF)
    warn_of_oddities(conf)
    began, now = time.perf_counter(), time.time()
    rules = {name: rules_for(conf.book, name, TABLES) for name in names}
    try:
        with Store.open(conf.loaded.database, create=False, command="watchdog rules replay") as store:
            targets = {name: _played(store, name, rules[name], now - asked.since_s, now, conf, progress) for name in names}
            was = list(_was(store, rules, now - asked.since_s, asked.choice))
    except StoreError as error:
        raise Refused(str(error)) from None
    pairs = beside(
        [spell for one in targets.values() for spell in one.spells],
        was,
        {name: _recorded(one, rules[name]) for name, one in targets.items()},
    )
    took_s = time.perf_counter() - began
    return Result(tuple(pairs), targets, now - asked.since_s, now, took_s, str(conf.loaded.database), named_config(conf.loaded))


def _played(
    store: "Store", target: str, rules: tuple[Tuned, ...], since: float, now: float, conf: "Configured", progress: Callable[[str], None]
) -> Replayed:
    clock = clock_of(now)

    def say(at: float) -> None:
        share = min(max((at - since) / (now - since), 0.0), 1.0)
        done = round(share * BAR)
        progress(f"{target} [{'#' * done}{'-' * (BAR - done)}] {share:4.0%}  {clock(at)}")

    return replay(
        looks_of(store.frames(target, since - LEAD_S, now)),
        target,
        rules,
        since,
        TABLES,
        Flapping(conf.settings.flap_window, conf.settings.flap_quiet),
        stopwatch=time.perf_counter,
        progress=say,
    )


def _recorded(one: Replayed, rules: tuple[Tuned, ...]) -> Recorded:
    return Recorded(one.since, one.until, one.interval_s, one.covered.never, frozenset(tuned.rule.name for tuned in rules))


def _was(store: "Store", rules: Mapping[str, tuple[Tuned, ...]], since: float, choice: RuleChoice) -> Iterator[Spell]:
    """Yield what the daemon had fire. With `--only` or `--skip`, of the rules that are left."""
    for life in store.lives(since):
        incident = life.incident
        known = rules.get(incident.target)
        if known is None or ((choice.only or choice.skip) and all(tuned.rule.name != incident.rule for tuned in known)):
            continue
        told = [message.created_at for message in store.show(incident.id).messages if message.event in FIRE]
        spell = spell_of(incident, min(told, default=None))
        if spell is not None:
            yield spell
