"""What is read for which window: everything for the default one, for another only what rules read in it."""

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import healthy
from tests.builders.incidents import a_rule
from tests.builders.looks import Watch
from watchdog.core.judging.judge import windows_of
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Ping, Query, ReadServer
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, read_tables
from watchdog.core.model.replies import Pong, Replies
from watchdog.core.rules.overrides import Tuned
from watchdog.core.rules.rule import Rule
from watchdog.tables import TABLES

QUARTER = 900.0


def tuned(rule: Rule, *copies: Rule) -> Tuned:
    return Tuned(rule, tuple((copy, lambda _: True) for copy in copies))


def test_the_default_window_reads_every_table() -> None:
    seen = read_tables(TABLES, a_target(), Past(), Replies(), NOW)
    assert set(seen.windows[DEFAULT_WINDOW_S]) == set(TABLES)


def test_another_window_reads_what_is_read_in_it_and_what_that_needs() -> None:
    seen = read_tables(TABLES, a_target(), Past(), Replies(), NOW, {QUARTER: {"queues"}})
    assert set(seen.windows[QUARTER]) == {"workers", "tasks", "queues"}


def test_a_table_shows_the_same_however_few_are_read_beside_it() -> None:
    watch = Watch(healthy())
    windows = {QUARTER: {"cluster"}, QUARTER + 1: set(TABLES)}
    seen = read_tables(TABLES, a_target(), Past(), watch._ask(watch.cluster.now), watch.cluster.now, windows)
    assert seen.windows[QUARTER]["cluster"] == seen.windows[QUARTER + 1]["cluster"]


def test_rules_and_their_tuned_copies_say_what_is_read_in_which_window() -> None:
    queues, errors = a_rule(), a_rule("B", table="errors", reads={"errors": frozenset({"count"})}, window_s=QUARTER)
    assert windows_of([tuned(queues), tuned(errors)]) == {DEFAULT_WINDOW_S: {"queues"}, QUARTER: {"errors"}}
    assert windows_of([tuned(queues, a_rule(window_s=60.0))]) == {DEFAULT_WINDOW_S: {"queues"}, 60.0: {"queues"}}


def test_the_default_window_is_there_without_a_rule() -> None:
    assert set(windows_of([])) == {DEFAULT_WINDOW_S}


def test_a_conclusion_is_drawn_once_for_the_same_arguments() -> None:
    drawn: list[str] = []

    def conclude(_: Replies, name: str) -> str:
        drawn.append(name)
        return name.upper()

    replies, name, another = Replies(), "a-name", "another-name"
    assert [replies.once(conclude, name), replies.once(conclude, name), replies.once(conclude, another)] == [
        "A-NAME",
        "A-NAME",
        "ANOTHER-NAME",
    ]
    assert drawn == ["a-name", "another-name"]


def test_more_replies_draw_their_own_conclusions() -> None:
    def size(these: Replies) -> int:
        return len(these.answers)

    replies = Replies()
    more = replies.plus([(Ping(), Pong(1.0))])
    assert (replies.once(size), more.once(size), replies.once(size)) == (0, 1, 0)


def test_a_conclusion_of_some_kinds_of_queries_holds_until_more_of_these_are_answered() -> None:
    drawn: list[int] = []

    def pings(these: Replies) -> int:
        drawn.append(sum(isinstance(query, Ping) for query in these.answers))
        return drawn[-1]

    of = frozenset[type[Query]]((Ping,))
    first = Replies()
    second = first.plus([(ReadServer(), Gap("redis: refused"))])
    third = second.plus([(Ping(), Pong(1.0))])
    assert [these.once(pings, of=of) for these in (first, second, third, first)] == [0, 0, 1, 0]
    assert drawn == [0, 0, 1]
