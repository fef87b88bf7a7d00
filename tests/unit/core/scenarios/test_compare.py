"""What is not as expected is said with its line, what was found instead, and what to do."""

import pytest

from tests.builders.scenarios import differences_of, rules_from

RULES = rules_from("""
[[rule]]
name = "High"
from = "queues"
when = "length > 5"
for  = "1m"
summary = "{{ name }} holds {{ length }} messages"
labels = { team = "shop" }
inhibits = ["Stuck"]

[[rule]]
name = "Stuck"
from = "queues"
where = "consumers > 0"
when = "stuck_s > 60"
summary = "{{ name }} is stuck"

[[rule]]
name = "Off"
from = "queues"
when = "length > 1"
enabled = false

[[rule]]
name = "Elsewhere"
from = "queues"
when = "length > 1"
targets = ["shop"]
""")


def differences(expected: str, rows: str = '{ name = "a", length = 6 }', more: str = "", head: str = "") -> list[str]:
    """The rows are in line 4, what is expected begins in line 6."""
    text = f'[[scenario]]\nname = "x"\n[[scenario.rows]]\nqueues = [{rows}]\n{more}\n{expected}'
    return differences_of(text.replace('name = "x"', f'name = "x"{head}'), RULES)


FIRST = '[[scenario.expect]]\nat = "1m"\nrule = "High"'


@pytest.mark.parametrize(
    "more",
    [
        "",
        'key = "a"',
        'key = { name = "a" }',
        'severity = "warning"',
        'text = "a holds 6 messages"',
        'text = ["a", "6"]',
        'labels = { team = "shop" }',
    ],
)
def test_what_is_as_expected_is_no_difference(more: str) -> None:
    assert differences(f"{FIRST}\n{more}") == []


def test_a_message_at_another_time() -> None:
    assert differences(FIRST.replace("1m", "2m")) == [
        '6: at 1m: expected the message "first" of High at 2m, found it at 1m; write at = "1m", or look at the rule\'s `for`'
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('severity = "error"', '6: at 1m: expected severity error, found warning; write severity = "warning", or look at `escalate`'),
        ('text = ["a holds", "7"]', '6: at 1m: expected a text with "7", found "a holds 6 messages"'),
        ('labels = { team = "mail" }', '6: at 1m: expected the label team = "mail", found "shop"'),
        ('labels = { page = "x" }', '6: at 1m: expected the label page = "x", found no such label'),
    ],
)
def test_a_message_that_says_something_else(more: str, said: str) -> None:
    assert differences(f"{FIRST}\n{more}") == [said]


def test_all_that_is_wrong_with_a_message_is_said_at_once() -> None:
    assert len(differences(f'{FIRST.replace("1m", "2m")}\nseverity = "error"\ntext = "7"')) == 3


def test_a_message_that_nobody_expects() -> None:
    assert differences('[[scenario.expect]]\nat = "1m"\nrule = "High"\nstate = "firing"') == [
        '1: at 1m: expected nothing more, found the message "first" of High (name=a), warning: a holds 6 messages; '
        'if it is right, add [[scenario.expect]] at = "1m", rule = "High"'
    ]


def test_one_message_is_not_what_two_expect() -> None:
    assert differences(f"{FIRST}\n{FIRST}") == [
        '9: at 1m: expected the message "first" of High, found none by 1m; of High (name=a) were sent: first at 1m'
    ]


def test_an_expectation_takes_the_message_that_fits_it_best() -> None:
    both = '{ name = "a", length = 6 }, { name = "b", length = 7 }'
    assert differences(f'{FIRST}\ntext = "b holds"\n{FIRST}\ntext = "a holds"', both) == []


def test_a_message_of_another_key() -> None:
    assert [line for line in differences(f'{FIRST}\nkey = "b"') if line.startswith("6:")] == [
        '6: at 1m: expected the message "first" of High (name=b), found none by 1m; of High (name=a) were sent: first at 1m'
    ]


@pytest.mark.parametrize(
    ("rows", "more", "head", "said"),
    [
        ('{ name = "a", length = 5 }', "", "", "found its condition true of no row: length > 5"),
        ('{ name = "a", consumers = 5 }', "", "", "found nothing said of queues.length, which High reads; write them"),
        ('{ name = "a", length = { gap = "redis: timeout" } }', "", "", "found no verdict: redis: timeout"),
        ('{ name = "a", length = 6 }', '[[scenario.rows]]\nat = "30s"\nqueues = [{ name = "a", length = 0 }]', "",
         "found it pending, and over again at 30s, before its `for` of 1m; let the rows hold for longer"),
    ],
)  # fmt: skip
def test_a_message_that_does_not_come_says_why(rows: str, more: str, head: str, said: str) -> None:
    (difference,) = differences(FIRST, rows, more, head)
    assert said in difference


def test_a_rule_that_has_not_waited_yet_says_how_long_it_takes() -> None:
    (difference,) = differences(FIRST.replace("1m", "30s"))
    assert "found it pending since 0s (its `for` is 1m), and the scenario ends at 30s" in difference


def test_a_rule_that_another_holds_back_says_so() -> None:
    found = differences(
        f'{FIRST}\n[[scenario.expect]]\nat = "1m"\nrule = "Stuck"', '{ name = "a", length = 6, stuck_s = 99, consumers = 1 }'
    )
    assert found == [
        '9: at 1m: expected the message "first" of Stuck, found it firing since 0s, held back by High; '
        'write state = "firing" in place of message'
    ]


def test_what_is_held_back_must_be_expected_too() -> None:
    assert differences(FIRST, '{ name = "a", length = 6, stuck_s = 99, consumers = 1 }') == [
        "1: at 0s: expected nothing more, found Stuck (name=a) firing since 0s, held back by High; "
        'if it is right, add [[scenario.expect]] at = "0s", rule = "Stuck", state = "firing"'
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("Off", 'found it switched off; write switched_on = ["Off"]'),
        ("Elsewhere", 'found Elsewhere not among the rules of the target "prod"; write target = a name that its `targets` cover'),
    ],
)
def test_a_rule_that_is_not_judged_here_says_so(rule: str, said: str) -> None:
    found = differences(f'{FIRST}\n[[scenario.expect]]\nat = "1m"\nrule = "{rule}"')
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("at", "state"), [("0s", "pending"), ("59s", "firing"), ("1m", "firing"), ("2m", "recovering"), ("3m", "resolved"), ("3m", "none")]
)
def test_the_state_of_an_incident_at_a_time(at: str, state: str) -> None:
    over = '[[scenario.rows]]\nat = "2m"\nqueues = [{ name = "a", length = 0 }]'
    told = f'{FIRST}\n[[scenario.expect]]\nat = "3m"\nrule = "High"\nmessage = "resolved"'
    assert differences(f'{told}\n[[scenario.expect]]\nat = "{at}"\nrule = "High"\nstate = "{state}"', more=over) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('state = "firing"', "9: at 30s: expected High to be firing, found High (name=a) pending since 0s"),
        ('state = "none"', "9: at 30s: expected no open incident of High, found High (name=a) pending since 0s"),
        ('state = "pending"\nkey = "b"', "9: at 30s: expected High (name=b) to be pending, found its condition true of no row: length > 5"),
        ('state = "pending"\nseverity = "error"', "9: at 30s: expected severity error, found warning"),
        ('state = "pending"\nlabels = { team = "x" }', '9: at 30s: expected the label team = "x", found "shop"'),
    ],
)
def test_another_state_is_a_difference(more: str, said: str) -> None:
    assert differences(f'{FIRST}\n[[scenario.expect]]\nat = "30s"\nrule = "High"\n{more}') == [said]


def test_a_rule_that_should_be_quiet_and_fires() -> None:
    assert differences("", head='\nquiet = ["High"]') == [
        '3: at 1m: expected High to be quiet, found the message "first" of High (name=a), warning: a holds 6 messages'
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "found no row of queues that its `where` selects (consumers > 0)"),
        ('{ name = "a", consumers = 0, stuck_s = 9 }', "found no row of queues that its `where` selects (consumers > 0)"),
        ('{ name = "a", consumers = 1 }', "found nothing said of queues.stuck_s"),
        ('{ name = "a", consumers = { gap = "?" }, stuck_s = 9 }', "found no verdict: ?"),
    ],
)
def test_a_rule_is_not_quiet_if_there_is_nothing_to_be_quiet_about(rows: str, said: str) -> None:
    (difference,) = differences("", rows, head='\nquiet = ["Stuck"]')
    assert difference.startswith("3: expected Stuck to judge a row, ")
    assert said in difference


def test_what_is_ignored_is_not_looked_at() -> None:
    assert differences("", '{ name = "a", length = 6, stuck_s = 9, consumers = 1 }', head='\nquiet = ["Stuck"]\nignore = ["Hi*"]') == []


def test_what_is_expected_is_looked_at_though_it_is_ignored() -> None:
    assert differences(FIRST.replace("1m", "2m"), head='\nignore = ["*"]') != []
