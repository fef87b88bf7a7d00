"""Replays each target from the database, read-only, and puts what happened beside it.

In: what was asked for. Out: a `Result`: pairs of incidents, and what could not be judged. Refused with every fault of the configuration.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from msgspec import Struct
from msgspec.structs import replace

from watchdog.app.receivers import build_receivers, build_recipients, build_routing
from watchdog.cli.check.asked import RuleChoice, chosen_rules
from watchdog.cli.configuration import chosen_targets, load_as_far_as_readable, named_config, warn_of_oddities
from watchdog.cli.database.opening import options_or_before
from watchdog.cli.output.refusals import Refused
from watchdog.config.rulebook import rules_for
from watchdog.config.settings import servers_of, to_target
from watchdog.core.history.frames import looks_of
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.model.target import SELF, Target
from watchdog.core.replay.compare import Pair, Recorded, agrees, beside
from watchdog.core.replay.player import Replayed, replay
from watchdog.core.replay.spell import Notification, Spell, spell_of
from watchdog.core.replay.twins import told_once
from watchdog.core.rules.overrides import Tuned
from watchdog.core.scenarios.audience import Audience, Given
from watchdog.status.clock import clock_of
from watchdog.tables import TABLES

if TYPE_CHECKING:
    from watchdog.app.configured import Configured
    from watchdog.store import Store
    from watchdog.store.reads.incident_history import Life

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


class Span(NamedTuple):
    """The time that was asked for (epoch seconds)."""

    since: float
    until: float


class Result(Struct, frozen=True):
    """What was found. `since`, `now`: the time that was asked for (epoch seconds). `unread`: why some receivers are not known, if so."""

    pairs: tuple[Pair, ...]
    targets: Mapping[str, Replayed]
    since: float
    now: float
    took_s: float
    database: str
    footer: str
    unread: str = ""

    @property
    def exit_code(self) -> int:
        """0: the same; 1: something else; 3: nothing was recorded, or no rule has a verdict."""
        if not agrees(self.pairs):
            return 1
        judged = any(one.since is not None and len(one.covered.never) < one.covered.rules for one in self.targets.values())
        return 0 if judged else 3


def replayed(ctx: click.Context, asked: Asked, progress: Callable[[str], None]) -> Result:
    """Return what the rules would have sent, beside what was sent."""
    from watchdog.store import Store, StoreError  # noqa: PLC0415

    config, database = options_or_before(ctx, asked.config, asked.database)
    conf, unread = load_as_far_as_readable(config, {"database": database}, more_rules=asked.rule_files)
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
            lives = store.lives(now - asked.since_s - LEAD_S)
            audience = _audience(store, lives, conf)
            span = Span(now - asked.since_s, now)
            targets = {name: _played(store, _target(conf, name), rules[name], span, conf, audience, progress) for name in names}
            was = list(_was(store, lives, rules, now - asked.since_s, asked.choice))
    except StoreError as error:
        raise Refused(str(error)) from None
    there = {one.name for one in audience.recipients}
    unknown = frozenset(one.receiver for spell in was for one in spell.told if unread and one.receiver not in there)
    pairs = beside(
        told_once(spell for one in targets.values() for spell in one.spells),
        was,
        {name: _recorded(one, rules[name], unknown) for name, one in targets.items()},
    )
    took_s = time.perf_counter() - began
    return Result(tuple(pairs), targets, now - asked.since_s, now, took_s, str(conf.loaded.database), named_config(conf.loaded), unread)


def _target(conf: "Configured", name: str) -> Target:
    asked = next((one for one in conf.settings.target if one.name == name), None)
    return Target(name) if asked is None else to_target(conf.settings, asked)


def _audience(store: "Store", lives: "Iterable[Life]", conf: "Configured") -> Audience:
    """Whom the configuration notifies, and what people had asked for."""
    given = [Given(life.incident.fingerprint, one, _over_at(life)) for life in lives for one in life.acknowledgements]
    recipients = build_recipients(build_receivers(conf.settings), conf.settings)
    return Audience(recipients, build_routing(conf.settings), store.silences(), store.deploys(), tuple(given))


def _over_at(life: "Life") -> float | None:
    """When an incident was over: its `resolved_at` is when its quiet began."""
    return None if life.incident.open else life.transitions[-1].at


def _played(
    store: "Store",
    target: Target,
    rules: tuple[Tuned, ...],
    span: Span,
    conf: "Configured",
    audience: Audience,
    progress: Callable[[str], None],
) -> Replayed:
    clock, since, now = clock_of(span.until), span.since, span.until

    def say(at: float) -> None:
        share = min(max((at - since) / (now - since), 0.0), 1.0)
        done = round(share * BAR)
        progress(f"{target.name} [{'#' * done}{'-' * (BAR - done)}] {share:4.0%}  {clock(at)}")

    asked = next((one for one in conf.settings.target if one.name == target.name), None)
    return replay(
        looks_of(store.frames(target.name, since - LEAD_S, now)),
        target,
        rules,
        since,
        TABLES,
        Flapping(conf.settings.flap_window, conf.settings.flap_quiet),
        replace(audience, servers=servers_of(asked) if asked is not None else {}),
        stopwatch=time.perf_counter,
        progress=say,
    )


def _recorded(one: Replayed, rules: tuple[Tuned, ...], unknown_receivers: frozenset[str]) -> Recorded:
    names = frozenset(tuned.rule.name for tuned in rules)
    return Recorded(one.since, one.until, one.interval_s, one.covered.never, names, unknown_receivers)


def _was(
    store: "Store", lives: "Iterable[Life]", rules: Mapping[str, tuple[Tuned, ...]], since: float, choice: RuleChoice
) -> Iterator[Spell]:
    """Yield what the daemon had fire. With `--only` or `--skip`, of the rules that are left."""
    for incident in (life.incident for life in lives):
        known = rules.get(incident.target)
        if known is None or ((choice.only or choice.skip) and all(tuned.rule.name != incident.rule for tuned in known)):
            continue
        told = [Notification(one.receiver, one.event, one.created_at, one.id) for one in store.show(incident.id).messages]
        spell = spell_of(incident, told)
        if spell is not None and (spell.until is None or spell.until >= since):
            yield spell
