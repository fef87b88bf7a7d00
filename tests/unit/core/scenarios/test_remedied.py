"""Scenarios expect remedies."""

from tests.builders.scenarios import differences_of, faults_of, rules_from

RULES = rules_from("""
[[rule]]
name = "Stuck"
from = "queues"
when = "length > 5"
summary = "{{ name }} is stuck"
remedy = "restart-consumer"
after = "1m"
at_most = "1 per 1h"
when_still = "consumers > 0"
""")
FIRST = '[[scenario.expect]]\nat = "0s"\nrule = "Stuck"\n'
BEGUN = '[[scenario.expect]]\nat = "{at}"\nrule = "Stuck"\nkey = "mail"\nremedy = "restart-consumer"\n'
REMINDED = '[[scenario.expect]]\nrule = "Stuck"\nmessage = "reminder"\n'


def differences(*expected: str, consumers: str = "1", workers: str = '{ name = "w1", state = "online", queues = "mail" }') -> list[str]:
    rows = f'queues = [{{ name = "mail", length = 9, consumers = {consumers} }}]\nworkers = [{workers}]'
    text = f'[[scenario]]\nname = "x"\nuntil = "5m"\n[[scenario.rows]]\n{rows}\n' + "".join(expected)
    return differences_of(text, RULES)


def test_a_remedy_that_is_expected_is_fine_and_so_is_the_message_that_it_did_not_help() -> None:
    assert differences(FIRST, BEGUN.format(at="1m"), REMINDED) == []


def test_one_that_nobody_expects_is_a_fault_that_says_what_to_add() -> None:
    (said,) = differences(FIRST, REMINDED)
    assert 'found restart-consumer by Stuck on w1; if it is right, add [[scenario.expect]] at = "1m", rule = "Stuck", remedy =' in said


def test_at_another_time_it_is_said_when_it_was() -> None:
    said = differences(FIRST, BEGUN.format(at="2m"), REMINDED)
    assert "expected restart-consumer by Stuck (name=mail), found it at 1m" in said[1]


def test_one_that_is_missing_is_said_with_the_reason() -> None:
    (said,) = differences(FIRST, BEGUN.format(at="2m"), consumers="0")
    assert "restart-consumer is not done now: when_still does not hold" in said


def test_who_is_blind_does_nothing() -> None:
    (said,) = differences(FIRST, BEGUN.format(at="2m"), workers='{ name = "w1", state = "lost", queues = "mail" }')
    assert "no worker online is known to consume mail" in said


def test_a_remedy_and_a_message_are_two_expectations() -> None:
    text = (
        '[[scenario]]\nname = "x"\n[[scenario.rows]]\n[[scenario.expect]]\nrule = "Stuck"\nmessage = "first"\nremedy = "restart-consumer"\n'
    )
    assert faults_of(text, RULES) == [
        '6: scenario "x": expect[1].message: not together with remedy; write one [[scenario.expect]] for each'
    ]


def test_an_unknown_remedy_is_a_fault() -> None:
    text = '[[scenario]]\nname = "x"\n[[scenario.rows]]\n[[scenario.expect]]\nrule = "Stuck"\nremedy = "reboot"\n'
    assert faults_of(text, RULES) == ['6: scenario "x": expect[1].remedy: expected restart-consumer, found "reboot"']
