"""What scenarios show is what the daemon's judging and deciding do: no clock, no delay and no silence of their own."""

from msgspec.structs import replace

from tests.builders.scenarios import played, rules_from, scenarios_of
from watchdog.core.incidents.quiet.flapping import NEVER_FLAPPING, Flapping
from watchdog.core.rules.rule import Override
from watchdog.core.scenarios.played import Played

RULES = """
[[rule]]
name = "High"
from = "queues"
when = "length > 5"
for  = "1m"
keep_firing_for = "2m"
escalate = [{ when = "length > 50", severity = "critical" }]
inhibits = ["Stuck"]

[[rule]]
name = "Stuck"
from = "queues"
when = "stuck_s > 60"
for  = "0s"

[[rule]]
name  = "Several"
query = "select count(*) as many, count(*) > 2 as breach from queues"
key   = []
"""
RULES_OF_IT = rules_from(RULES)
HEAD = '[[scenario]]\nname = "x"\nignore = ["*"]\nuntil = "{until}"\nquiet = ["{quiet}"]\n'


def told(rows: str, *, until: str = "10m", flapping: Flapping = NEVER_FLAPPING, quiet: str = "Several") -> list[tuple[float, str, str]]:
    """(seconds, event, rule) of each message."""
    (one,) = played(HEAD.format(until=until, quiet=quiet) + rows, RULES_OF_IT, flapping=flapping)
    return [(told.at_s, told.notice.event.value, told.notice.rule) for told in one.told]


def at(time: str, **cells: object) -> str:
    written = ", ".join(f"{name} = {value}" for name, value in cells.items())
    return f'[[scenario.rows]]\nat = "{time}"\nqueues = [{{ name = "a", {written} }}]\n'


def test_a_breach_is_told_once_it_has_held_for_its_time() -> None:
    assert told(at("0s", length=6)) == [(60.0, "first", "High")]


def test_an_end_is_told_once_it_has_been_quiet_for_its_time() -> None:
    assert told(at("0s", length=6) + at("3m", length=0)) == [(60.0, "first", "High"), (300.0, "resolved", "High")]


def test_what_is_over_before_its_time_is_never_told() -> None:
    assert told(at("0s", length=6) + at("50s", length=0)) == []


def test_what_gets_worse_is_told_at_once() -> None:
    assert told(at("0s", length=6) + at("2m", length=51)) == [(60.0, "first", "High"), (120.0, "escalated", "High")]


def test_what_stays_critical_is_told_again_after_an_hour() -> None:
    assert told(at("0s", length=51), until="62m") == [(60.0, "first", "High"), (3660.0, "reminder", "High")]


def test_what_cannot_be_seen_neither_fires_nor_ends() -> None:
    gap = '{ gap = "redis: timeout" }'
    assert told(at("0s", length=6) + at("30s", length=gap) + at("5m", length=6)) == [(330.0, "first", "High")]
    assert told(at("0s", length=6) + at("2m", length=gap)) == [(60.0, "first", "High")]


def test_a_table_that_is_not_read_ends_nothing() -> None:
    assert told(at("0s", length=6) + '[[scenario.rows]]\nat = "2m"\nunread = { queues = "redis: timeout" }') == [(60.0, "first", "High")]


def test_a_row_that_goes_is_the_end_of_its_incident() -> None:
    rows = at("0s", length=6) + '[[scenario.rows]]\nat = "2m"\ngone = { queues = ["a"] }'
    assert told(rows) == [(60.0, "first", "High"), (240.0, "resolved", "High")]


def test_a_row_that_is_missing_from_a_table_read_in_part_may_be_there() -> None:
    rows = at("0s", length=6) + '[[scenario.rows]]\nat = "2m"\ngone = { queues = ["a"] }\npartial = { queues = "redis: too many keys" }'
    assert told(rows) == [(60.0, "first", "High")]


def test_what_another_incident_explains_is_told_to_nobody() -> None:
    assert told(at("0s", length=6, stuck_s=99)) == [(60.0, "first", "High")]


def test_what_is_explained_no_more_is_told() -> None:
    assert told(at("0s", length=6, stuck_s=99) + at("2m", length=0, stuck_s=99))[-2:] == [
        (240.0, "resolved", "High"),
        (240.0, "first", "Stuck"),
    ]


def test_what_comes_and_goes_too_often_is_one_incident() -> None:
    rows = "".join(at(f"{minute}m", stuck_s=99 if minute % 3 == 0 else 0) for minute in range(15))
    often, flapping = told(rows, until="20m", quiet="Stuck"), told(rows, until="20m", quiet="Stuck", flapping=Flapping(1800.0, 900.0))
    assert (len(often), len(flapping)) == (10, 5)


def test_a_query_is_asked_of_all_rows_of_a_look() -> None:
    rows = '[[scenario.rows]]\nqueues = [{ name = "a" }, { name = "b" }]\n[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "c" }]'
    assert told(rows) == [(60.0, "first", "Several")]


def test_a_rule_whose_columns_nobody_wrote_judges_nothing() -> None:
    assert told('[[scenario.rows]]\nqueues = [{ name = "a", consumers = 0 }]') == []


def test_the_pace_of_the_looks_is_that_of_the_scenario() -> None:
    rows = HEAD.format(until="10m", quiet="Several") + 'every = "45s"\n' + at("0s", length=6)
    assert [one.at_s for one in played(rows, RULES_OF_IT)[0].told] == [90.0]


def test_overrides_hold() -> None:
    text = (
        HEAD.format(until="10m", quiet="Several")
        + at("0s", length=6)
        + '[[scenario.rows]]\nat = "1m"\nqueues = [{ name = "b", length = 6 }]'
    )
    (one,) = played(text, RULES_OF_IT, overrides=(Override("High", match={"name": ("a",)}, for_s=300.0),))
    assert [(told.at_s, told.notice.key["name"]) for told in one.told] == [(120.0, "b"), (300.0, "a")]


def test_a_rule_that_is_off_is_on_where_the_scenario_says_so() -> None:
    off = tuple(replace(rule, enabled=False) for rule in RULES_OF_IT)
    text = HEAD.format(until="10m", quiet="Several") + at("0s", length=6)
    assert [len(one.told) for one in (*played(text, off), *played(text.replace("until", 'switched_on = ["High"]\nuntil'), off))] == [0, 1]


def test_each_scenario_begins_with_an_empty_memory() -> None:
    text = "".join(HEAD.format(until="10m", quiet="Several").replace('"x"', f'"{n}"') + at("0s", length=6) for n in range(3))
    assert [one.told[0].at_s for one in played(text, RULES_OF_IT)] == [60.0, 60.0, 60.0]


def test_scenarios_of_several_targets_are_judged_by_the_rules_of_each() -> None:
    rules = tuple(replace(rule, targets=("shop",)) if rule.name == "High" else rule for rule in RULES_OF_IT)
    text = "".join(
        HEAD.format(until="10m", quiet="Several").replace('"x"', f'"{target}"\ntarget = "{target}"') + at("0s", length=6)
        for target in ("shop", "mail", "shop2")
    )
    assert [len(one.told) for one in played(text, rules)] == [1, 0, 0]


def until(text: str) -> float:
    (one,) = played(text, RULES_OF_IT)
    return one.until_s


def test_a_scenario_lasts_until_its_quiet_rules_would_have_fired() -> None:
    assert until('[[scenario]]\nname = "x"\nquiet = ["High"]\n' + at("2m", length=0)) == 120 + 60 + 10


def test_a_scenario_lasts_until_the_last_time_that_is_named() -> None:
    assert until(f'[[scenario]]\nname = "x"\n{at("0s", length=6)}[[scenario.expect]]\nat = "7m"\nrule = "High"') == 420


def test_a_message_at_any_time_is_waited_for() -> None:
    assert until(f'[[scenario]]\nname = "x"\n{at("0s", length=6)}[[scenario.expect]]\nrule = "High"\nmessage = "resolved"') == 60 + 120 + 10


def test_a_time_between_two_looks_is_that_of_the_next_one() -> None:
    (scenario,) = scenarios_of('[[scenario]]\nname = "x"\nevery = "0.1s"\nquiet = ["High"]\n[[scenario.rows]]\nqueues = []', RULES_OF_IT)
    assert [scenario.at_look(at_s) for at_s in (0.0, 0.3, 0.31)] == [0.0, 0.30000000000000004, 0.4]


def without_verdict(rows: str) -> Played:
    return played(f'[[scenario]]\nname = "x"\nquiet = ["High"]\n{rows}', RULES_OF_IT)[0]


def test_it_is_known_which_quiet_rules_had_a_row_to_judge() -> None:
    assert without_verdict(at("0s", length=0)).covered == {"High"}
    assert without_verdict("[[scenario.rows]]\nqueues = []").covered == frozenset()
    assert without_verdict(at("0s", stuck_s=0)).covered == frozenset()


def test_it_is_known_why_a_rule_had_no_verdict() -> None:
    assert without_verdict(at("0s", length='{ gap = "redis: timeout" }')).without_verdict == {"High": "redis: timeout"}
