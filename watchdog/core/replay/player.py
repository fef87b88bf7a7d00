"""Play recorded looks: each judged and decided as a cycle of the daemon does it, at the time at which it was.

In: the looks of one target, oldest first, its rules as tuned for it, who is told. Out: the incidents that would have fired, whom they would
have been told, and what could not be judged. The rows of many looks are asked about together first: only the rules that hold in one of them
are judged look by look.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from watchdog.core.history.frames import RecordedLook
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.judge import windows_of
from watchdog.core.model.reading import Looks
from watchdog.core.model.rows import Reading, Table
from watchdog.core.model.target import Target
from watchdog.core.replay.coverage import Coverage, Covered
from watchdog.core.replay.spell import Notification, Spell, spell_of
from watchdog.core.rules.overrides import Tuned
from watchdog.core.scenarios.audience import Audience
from watchdog.core.scenarios.course import Course
from watchdog.core.scenarios.prepared import Concern, RowsTogether

__all__ = ["Replayed", "replay"]

LOOKS_TOGETHER = 300
ROWS_TOGETHER = 5_000
"""About how many looks and rows are asked about together at most."""
NOTHING = Concern((), frozenset(), frozenset())


class Replayed(Struct, frozen=True):
    """What a replay found. `since`, `until`: the first and the last look of the time that was asked for (None: there was none)."""

    spells: tuple[Spell, ...]
    covered: Covered
    since: float | None
    until: float | None
    interval_s: float = 0.0


def replay(  # noqa: PLR0913 - what a replay depends on
    looks: Iterable[RecordedLook],
    target: Target,
    rules: Sequence[Tuned],
    since: float,
    tables: Mapping[str, Table],
    flapping: Flapping,
    audience: Audience,
    *,
    stopwatch: Callable[[], float],
    progress: Callable[[float], None] = lambda _: None,
) -> Replayed:
    """Play the looks. Those before `since` are played, so that what was pending is, but not counted.

    `audience`: who is told, and what people asked for at that time. `progress`: told the time of looks.
    """
    evaluator = Evaluator(tables, stopwatch=stopwatch)
    course = Course(target, NOTHING, evaluator, flapping, start=0.0, audience=audience)
    coverage = Coverage(rules, tables)
    first: float | None = None
    last: float | None = None
    interval_s = 0.0
    try:
        for together in _together(looks):
            concern = _concern(together, rules, evaluator, course.open_rules)
            course.concerning(concern)
            read = {name for tuned in concern.rules for copy in tuned.copies for name in (copy.table, *copy.reads)}
            for look in together:
                course.every(look.interval_s)
                for judgement in course.look(look.at, {}, _only(look.windows, read)):
                    if judgement.failed:
                        coverage.fail(judgement.rule.name, judgement.failed)
                if look.at >= since:
                    coverage.add(look)
                    first, last = look.at if first is None else first, look.at
                    interval_s = max(interval_s, look.interval_s)
            progress(together[-1].at)
    finally:
        evaluator.close()
    return Replayed(tuple(_spells(course, since)), coverage.covered(), first, last, interval_s)


def _only(windows: Looks, names: set[str | None]) -> Looks:
    """Return these tables of each window."""
    return {window_s: {name: one for name, one in tables.items() if name in names} for window_s, tables in windows.items()}


def _together(looks: Iterable[RecordedLook]) -> Iterator[list[RecordedLook]]:
    """Yield looks, as many at once as have not too many rows."""
    together: list[RecordedLook] = []
    rows = 0
    for look in looks:
        together.append(look)
        rows += sum(len(reading.rows) for readings in look.windows.values() for reading in readings.values())
        if len(together) >= LOOKS_TOGETHER or rows >= ROWS_TOGETHER:
            yield together
            together, rows = [], 0
    if together:
        yield together


def _concern(together: Sequence[RecordedLook], rules: Sequence[Tuned], evaluator: Evaluator, open_rules: frozenset[str]) -> Concern:
    """Return the rules that can have something to say in these looks, and the readings in which they hold."""
    concerned = {order for order, tuned in enumerate(rules) if tuned.rule.query is not None or tuned.rule.name in open_rules}
    held: set[int] = set()
    for window_s in windows_of(rules):
        asked = {
            order: [copy for copy in tuned.copies if copy.enabled and copy.table and copy.window_s == window_s]
            for order, tuned in enumerate(rules)
        }
        read = {copy.table for copies in asked.values() for copy in copies}
        rows = RowsTogether([_different(together, window_s, read)])
        evaluator.load(rows.readings, [copy for copies in asked.values() for copy in copies if copy.table in rows.readings])
        for order, copies in asked.items():
            where = {reading for _, reading in rows.where(evaluator, copies)}
            held |= where
            if where:
                concerned.add(order)
    return Concern(tuple(rules[order] for order in sorted(concerned)), frozenset(held), frozenset())


def _different(together: Sequence[RecordedLook], window_s: float, read: set[str | None]) -> Iterator[tuple[str, Reading]]:
    """Yield what was read of these tables, with their names; what has not changed once."""
    before: dict[str, Reading] = {}
    for look in together:
        for name, reading in look.windows.get(window_s, {}).items():
            if name in read and before.get(name) is not reading:
                before[name] = reading
                yield name, reading


def _spells(course: Course, since: float) -> Iterator[Spell]:
    latest: dict[str, Incident] = {lived.incident.id: lived.incident for lived in course.lived}
    told: dict[str, list[Notification]] = {}
    for one in course.told:
        told.setdefault(one.notice.incident, []).append(Notification(one.receiver, one.notice.event, one.at_s, one.message))
    for incident in latest.values():
        spell = spell_of(incident, told.get(incident.id, ()), course.untold.get(incident.id))
        if spell is not None and (spell.until is None or spell.until >= since):
            yield spell
