"""What was asked, and the answer to it: which rows, which receivers, from a look and from the database.

In: a configuration, what was typed. Out: an `Answer`; a name that does not exist is refused, with those that do.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from watchdog.app.configured import Configured
from watchdog.app.receivers import build_receivers, build_recipients, build_routing
from watchdog.cli.configuration import chosen_names
from watchdog.cli.database.incidents_page import unwatched
from watchdog.cli.database.why.look import looked, verdict_of, without_verdict
from watchdog.cli.output.page import text_of
from watchdog.cli.output.refusals import Refused
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.judging.findings import Verdict
from watchdog.core.judging.parts import RowLook
from watchdog.core.model.rows import Key
from watchdog.core.model.target import SELF
from watchdog.core.rules.rule import Rule
from watchdog.core.text.suggestions import did_you_mean
from watchdog.core.text.wording import counted, key_text
from watchdog.polling.check import Looked
from watchdog.status.clock import clock_of
from watchdog.status.why.case import Answer, Case
from watchdog.status.why.incident import last_verdict
from watchdog.status.why.stored import MOST_CASES, NEVER, Stored
from watchdog.status.why.today import today_of
from watchdog.store import Store, StoreError

if TYPE_CHECKING:
    from watchdog.core.incidents.routing import Recipient

__all__ = ["Asked", "answer"]

MOST_CLEAR = 3
"""Most rows shown if all are clear."""
MOST_KEYS = 8
NOT_CLEAR = frozenset({Verdict.BREACH, Verdict.UNKNOWN})


class Asked(Struct, frozen=True):
    """What was typed. `look`: whether to poll. `unread`: why parts of the configuration could not be read, if so."""

    rule: str
    key: str
    at: float | None
    targets: tuple[str, ...]
    receivers: tuple[str, ...]
    now: float
    look: bool = True
    unread: str = ""


def answer(conf: Configured, asked: Asked) -> Answer:
    """Answer it from a look at the targets, and from the database if there is one."""
    return _Answering(conf, asked).answer()


class _Answering:
    """One question about one rule."""

    def __init__(self, conf: Configured, asked: Asked) -> None:
        self._conf, self._asked, self._clock = conf, asked, clock_of(asked.now)
        self._rule = _named_rule(conf, asked.rule)
        self._column, self._value = _parsed_key(asked.key, self._rule)
        names = [target.name for target in conf.settings.target]
        known = (*names, SELF)
        named = [one for one in asked.targets if one != SELF]
        chosen = (*(chosen_names(conf.settings, named) if named else ()), *({SELF} & set(asked.targets)))
        self._recipients = _chosen_receivers(conf, asked.receivers)
        self._today = today_of(conf.settings, conf.book, self._recipients, build_routing(conf.settings))
        self._targets = tuple(name for name in (chosen or known) if self._rule.name in self._today.tuned[name])
        self._notes: list[str] = []
        self._keys: set[str] = set()

    def answer(self) -> Answer:
        with ExitStack() as stack:
            store = self._opened(stack)
            try:
                cases = self._cases(store)
            except StoreError as error:
                raise Refused(str(error)) from None
        if len(cases) > MOST_CASES:
            self._notes.insert(0, f"{counted(len(cases) - MOST_CASES, 'more row')} left out; name one: {self._listed(cases[MOST_CASES:])}")
        notes = (*self._general_notes(), *self._notes)
        path = str(store.path) if store is not None else ""
        return Answer(self._rule.name, self._asked.now, self._asked.at, tuple(cases[:MOST_CASES]), notes, path)

    def _opened(self, stack: ExitStack) -> Store | None:
        try:
            return stack.enter_context(Store.open(self._conf.loaded.database, create=False, command=f"watchdog why {self._asked.rule}"))
        except StoreError as error:
            if self._asked.at is not None or not self._asked.look:
                raise Refused(str(error)) from None
            self._notes.append(f"Who was notified is not known: {error}")
            return None

    def _cases(self, store: Store | None) -> list[Case]:
        at = self._asked.at
        stored = None if store is None else self._stored(store)
        if at is not None and store is not None and stored is not None:
            self._note_watched(store, at)
            cases, notes = stored.at(self._rule.name, self._targets, self._wants_incident, at)
            self._notes += notes
            if not cases:
                self._refuse_unknown_key(store)
            return cases
        if store is not None:
            watched = store.watched()
            lines = unwatched(watched, set(self._targets), self._asked.now)
            self._notes += ["".join(map(text_of, line.pieces)) for line in lines]
        cases = [case for target in self._targets for case in self._of_target(target, store, stored)]
        shown = [case for case in cases if case.incident is not None or case.look is None or case.look.finding.verdict in NOT_CLEAR]
        if not self._asked.key:
            cases = self._without_clear(cases, shown)
        if stored is not None and not any(case.incident is not None for case in cases):
            cases = self._with_last(cases, stored)
        if not cases:
            self._refuse_unknown_key(store)
        return cases

    def _of_target(self, target: str, store: Store | None, stored: Stored | None) -> Iterator[Case]:
        """The rows of one target: what is open, with its verdict, and what else was seen."""
        now = self._asked.now
        all_open = stored.open_incidents(target) if stored is not None else ()
        mine = {_key(one.key, self._rule): one for one in all_open if one.rule == self._rule.name and self._wants_incident(one)}
        look = self._look(target, store, all_open) if self._asked.look and target != SELF else None
        none = without_verdict(look) if look is not None else self._not_looked(target)
        rows = {row.finding.key: row for row in look.rows} if look is not None and not none else {}
        for nth, (key, incident) in enumerate(mine.items()):
            row = rows.pop(key, None)
            said = verdict_of(row) if row is not None else self._last_verdict(incident, none)
            # the others are only named, and there may be thousands
            case = Case(target, incident.key, now, said, incident=incident)
            yield replace(stored.open_now(incident, now, said) if stored is not None and nth < MOST_CASES else case, look=row)
        for key, row in rows.items():
            named = dict(zip(self._rule.key, key, strict=True))
            yield Case(target, named, now, verdict_of(row), row, notes=(), state=self._why_no_incident(row, store))
        if none and not mine:
            yield Case(target, {}, now, none)

    def _look(self, target: str, store: Store | None, open_incidents: Sequence[Incident]) -> Looked:
        def wanted(rule: Rule, key: Key) -> bool:
            self._keys.update(key)
            return self._fits(dict(zip(rule.key, key, strict=True)))

        return looked(self._conf, target, self._rule.name, store, open_incidents, wanted)

    def _not_looked(self, target: str) -> str:
        self_alone = "not judged here: only `watchdog run` can judge a rule about watchdog itself"
        return self_alone if target == SELF else "not looked at (--no-look)"

    def _last_verdict(self, incident: Incident, none: str) -> str:
        return "; ".join(filter(None, (none or "unknown: its row is not there now", last_verdict(incident))))

    def _why_no_incident(self, row: RowLook, store: Store | None) -> str:
        if store is None or row.finding.verdict is not Verdict.BREACH:
            return ""
        return "no incident is open: no cycle of `watchdog run` has seen it in breach yet"

    def _without_clear(self, cases: list[Case], shown: list[Case]) -> list[Case]:
        """Without a key: what is not clear; if all is, some of it."""
        clear = len(cases) - len(shown)
        left = clear - (0 if shown else min(clear, MOST_CLEAR))
        if left > 0:
            named = self._listed([case for case in cases if case not in shown][clear - left :])
            self._notes.append(f"{counted(left, 'other row')} not in breach; name one to see it: {named}")
        return shown or cases[:MOST_CLEAR]

    def _with_last(self, cases: list[Case], stored: Stored) -> list[Case]:
        """Nothing is open: add the last incident, as it was when it fired."""
        last = stored.last(self._rule.name, self._targets, self._wants_incident, self._asked.now)
        if last is None:
            self._notes.append(NEVER)
            return cases
        self._notes.append(f"Nothing is open now. The last one is shown as it was at {self._clock(last.at)}; --at shows another time.")
        return [*cases[: MOST_CASES - 1], last]

    def _refuse_unknown_key(self, store: Store | None) -> None:
        """Refuse a key that neither a look nor the database knows, if others are known."""
        stored = store.incidents_of(self._rule.name) if store is not None else ()
        known = {value for one in stored for value in one.key.values()} | self._keys
        if self._asked.key and known and self._value not in known:
            some = ", ".join(sorted(known)[:MOST_KEYS]) + (", …" if len(known) > MOST_KEYS else "")
            raise Refused(f'nothing called "{self._value}" for {self._rule.name}{did_you_mean(self._value, known)}; there are {some}')

    def _note_watched(self, store: Store, at: float) -> None:
        last = store.watched().last
        for target in self._targets:
            if target in last and last[target] < at:
                self._notes.append(
                    f"Nobody looked at {target} after {self._clock(last[target])}: `watchdog run` was not running, or could not write."
                )

    def _general_notes(self) -> Iterator[str]:
        if not self._targets:
            off = "it is switched off (enabled = false)" if not self._rule.enabled else f"its targets are {', '.join(self._rule.targets)}"
            yield f"{self._rule.name} applies to none of these targets: {off}"
        if not self._recipients and not self._asked.receivers:
            yield "No [[receiver]] is configured here: nobody is notified of anything."
        if self._asked.unread:
            yield f"Targets and receivers whose settings cannot be read here are left out: {self._asked.unread}"
        if self._asked.at is not None:
            yield "Rules, receivers, routes and mute windows are those of today's configuration."
            yield "Not kept is what could be seen at that moment: what fired is taken as seen."

    def _listed(self, cases: Sequence[Case]) -> str:
        names = [key_text(case.key) or case.target for case in cases]
        return ", ".join(names[:MOST_KEYS]) + (", …" if len(names) > MOST_KEYS else "")

    def _wants_incident(self, incident: Incident) -> bool:
        return self._fits(incident.key)

    def _fits(self, key: Mapping[str, str]) -> bool:
        if not self._asked.key:
            return True
        return key.get(self._column) == self._value if self._column else self._value in key.values()

    def _stored(self, store: Store) -> Stored:
        return Stored(store, self._today, self._clock)


def _named_rule(conf: Configured, name: str) -> Rule:
    names = [rule.name for rule in conf.book.rules]
    found = next((rule for rule in conf.book.rules if name == rule.name or name in rule.formerly), None)
    if found is None:
        raise Refused(f'no rule "{name}"{did_you_mean(name, names) or "; `watchdog rules list` shows them"}')
    return found


def _parsed_key(typed: str, rule: Rule) -> tuple[str, str]:
    """The column, if one is named, and the value. A value may contain an equals sign."""
    column, equals, value = typed.partition("=")
    if equals and column in rule.key:
        return column, value
    if equals and column.isidentifier():
        has = f"its key is {', '.join(rule.key)}" if rule.key else "it has none: it judges a target as a whole"
        raise Refused(f'"{column}" is not a key column of {rule.name}{did_you_mean(column, rule.key)}; {has}')
    if typed and not rule.key:
        raise Refused(f"{rule.name} has no key, because it judges a target as a whole; leave {typed} out")
    return "", typed


def _chosen_receivers(conf: Configured, names: Sequence[str]) -> "tuple[Recipient, ...]":
    recipients = build_recipients(build_receivers(conf.settings), conf.settings)
    known = [one.name for one in recipients]
    for name in names:
        if name not in known:
            there = f"; configured: {', '.join(known)}" if known else "; none is configured"
            raise Refused(f'no receiver "{name}"{did_you_mean(name, known) or there}')
    return tuple(one for one in recipients if not names or one.name in names)


def _key(key: Mapping[str, str], rule: Rule) -> Key:
    return tuple(key.get(column, "") for column in rule.key)
