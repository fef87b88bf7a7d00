"""Recorded answers are played from answers to messages: tables, rules and incidents are those of a cycle."""

from itertools import islice
from time import perf_counter

from msgspec.structs import replace

from tests.builders.scenarios import rules_from, scenarios_of
from tests.recordings import looks
from watchdog.config.rulebook import RuleBook, rules_that_fit
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ListLengths, Ping
from watchdog.core.model.replies import Held
from watchdog.core.model.target import Target
from watchdog.core.scenarios.compare import differences
from watchdog.core.scenarios.recorded.recording import LookRecorded, Recording
from watchdog.core.scenarios.runner import Runner
from watchdog.tables import TABLES

RULES = """
[[rule]]
name = "Long"
from = "queues"
when = "length > 200"
for  = "30s"
summary = "{{ name }} holds {{ length | number }} messages"
"""
TARGET = Target("prod", frozenset({"flower", "redis"}), interval_s=10.0)
HEALTHY = tuple(LookRecorded(at, replies) for at, replies in islice(looks("healthy_hour.jsonl.gz"), 20))


def with_length(look: LookRecorded, length: int) -> LookRecorded:
    """The look, as if the queue mail had held so many messages."""
    return replace(
        look,
        replies=look.replies.plus(
            (query, replace(answer, found={**answer.found, "mail": length}))
            for query, answer in look.replies.answers.items()
            if isinstance(query, ListLengths) and isinstance(answer, Held) and "mail" in answer.asked
        ),
    )


FILLED = tuple(with_length(look, 900) if 5 <= number < 12 else look for number, look in enumerate(HEALTHY))


def wrong(text: str, recorded: tuple[LookRecorded, ...] = FILLED) -> list[str]:
    """What is not as expected, without lines."""
    rules = rules_from(RULES)
    (scenario,) = scenarios_of(f'[[scenario]]\nname = "a"\nanswers = "a.jsonl"\n{text}', rules)
    runner = Runner(TABLES, lambda target: rules_that_fit(RuleBook(rules), target, TABLES), flapping=NEVER_FLAPPING, stopwatch=perf_counter)
    try:
        return [str(one) for one in differences(runner.play_answers(scenario, Recording(TARGET, 10.0, recorded)))]
    finally:
        runner.close()


FIRST = '[[scenario.expect]]\nat = "1m20s"\nrule = "Long"\nkey = "mail"\ntext = "mail holds 900 messages"\n'
END = '[[scenario.expect]]\nat = "3m"\nrule = "Long"\nmessage = "resolved"\n'


def test_a_rule_fires_and_ends_on_answers() -> None:
    assert wrong(FIRST + END) == []


def test_what_nobody_expects_is_a_fault() -> None:
    assert [one.partition(": found")[0].partition(", found")[0] for one in wrong(FIRST)] == ["at 3m: expected nothing more"]


def test_a_rule_that_sees_rows_and_is_clear_is_quiet() -> None:
    assert wrong('quiet = ["Long"]', HEALTHY) == []


def test_a_rule_that_fires_is_not_quiet() -> None:
    assert wrong('quiet = ["Long"]')[0].startswith("at 1m20s: expected Long to be quiet, found the message")


def test_a_rule_without_an_answer_is_not_quiet_and_says_why() -> None:
    gone = tuple(
        replace(
            look, replies=look.replies.plus((query, Gap("redis: refused")) for query in look.replies.answers if query.source == "redis")
        )
        for look in HEALTHY
    )
    assert isinstance(gone[0].replies.answers[Ping()], Gap)
    (said,) = wrong('quiet = ["Long"]', gone)
    assert said.startswith("expected Long to judge a row, found no verdict: ")
