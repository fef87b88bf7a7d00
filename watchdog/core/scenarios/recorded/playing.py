"""Play a recording: the whole path of a cycle, from answers through tables and rules to messages.

In: a scenario that names a recording, the recording, the rules of its target. Out: what happened, as for a scenario of rows. Look by look,
`every_s` apart, in the time of the scenario; tables read with the clock of the time.
"""

from collections.abc import Mapping, Sequence

from watchdog.core.incidents.quiet.flapping import Flapping
from watchdog.core.judging.blindness import with_blindness
from watchdog.core.judging.evaluator import Evaluator
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.judging.judge import windows_of
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen, read_tables
from watchdog.core.model.rows import Table
from watchdog.core.model.target import Target
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.remedy import REMEDIES
from watchdog.core.scenarios.course import Course
from watchdog.core.scenarios.played import Played
from watchdog.core.scenarios.prepared import Concern
from watchdog.core.scenarios.recorded.recording import Recording
from watchdog.core.scenarios.scenario import Scenario

__all__ = ["play_recording"]

NOTHING = Concern((), frozenset(), frozenset())


def play_recording(
    scenario: Scenario, recording: Recording, rules: Sequence[Tuned], tables: Mapping[str, Table], evaluator: Evaluator, flapping: Flapping
) -> Played:
    """Return what happened. The scenario's looks are as far apart as those of the recording."""
    every_s = scenario.every_s
    target = Target(scenario.target, interval_s=every_s)
    enabled = tuple(tuned for tuned in rules if any(copy.enabled for copy in tuned.copies))
    course = Course(target, NOTHING, evaluator, flapping, remedies=frozenset(REMEDIES))
    windows = windows_of(enabled)
    keep_s = max(windows) + 3 * every_s
    past, covered = Past(), set[str]()
    last: Sequence[Judgement] = ()
    for number, look in enumerate(recording.looks):
        seen = read_tables(tables, recording.target, past, look.replies, look.at, windows)
        course.concerning(Concern(enabled, _ids(seen), frozenset()))
        last = course.look(number * every_s, seen.windows[DEFAULT_WINDOW_S], seen.windows)
        past = past.plus(with_blindness(seen, past, last, look.at), keep_s)
        covered |= {one.rule.name for one in last if _judged_a_row(one, seen)}
    return Played(
        scenario,
        (len(recording.looks) - 1) * every_s,
        tuple(course.told),
        tuple(course.lived),
        tuple(rules),
        {table.name: frozenset(column.name for column in table.columns) for table in tables.values()},
        {one.rule.name: why for one in last if (why := _without_verdict(one))},
        frozenset(covered),
        tuple(course.remedied),
    )


def _ids(seen: Seen) -> frozenset[int]:
    return frozenset(id(reading) for readings in seen.windows.values() for reading in readings.values())


def _judged_a_row(one: Judgement, seen: Seen) -> bool:
    """Whether a rule had a row to judge, and could."""
    if _without_verdict(one):
        return False
    if not one.rule.table:
        return True
    readings = seen.windows.get(one.rule.window_s, seen.windows[DEFAULT_WINDOW_S])
    return len(readings[one.rule.table].rows) > sum(finding.verdict is Verdict.UNKNOWN for finding in one.findings)


def _without_verdict(one: Judgement) -> str:
    """Return why a rule has no verdict; of a row, if it has none of any."""
    return one.failed or one.unknown or one.idle or ""
