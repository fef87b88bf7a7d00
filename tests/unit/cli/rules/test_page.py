from watchdog.cli.output.page import plain
from watchdog.cli.rules.page import Listed, rule_page, rules_page
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Escalation, Override, Rule

RULE = Rule(
    "QueueBacklogHigh", "queues", "length > :limit", key=("name",), params={"limit": 50.0}, for_s=300.0, labels={"team": "data"},
    escalate=(Escalation("length > 1000", Severity.CRITICAL),), summary="{{ name }} holds", runbook="1. Look.\n2. Mend.",
    file="rules/queues.toml", line=4, columns=("length",), reads={"queues": frozenset({"length"})},
)  # fmt: skip


def test_the_list_says_what_each_rule_is_about_and_why_it_is_idle() -> None:
    idle = {"prod": "needs Flower", "lab": "needs Flower"}
    assert plain(rules_page([Listed(RULE, idle)], "configuration w.toml")).splitlines() == [
        "rule              severity  from    for  targets  trial  idle",
        "QueueBacklogHigh  warning   queues  5m   *               prod, lab: needs Flower",
        "1 rule, 1 idle · configuration w.toml",
    ]


def test_a_rule_is_shown_with_all_that_holds() -> None:
    override = Override("QueueBacklogHigh", target="prod", match={"name": ("a", "b")}, where_from="w.toml:9")
    shown = plain(rule_page(RULE, ["prod"], [override], differs_by_key=True)).splitlines()
    assert shown[0] == "QueueBacklogHigh  warning  rules/queues.toml:4"
    facts = [line.split(maxsplit=1) for line in shown[1:]]
    assert ["when", "length > :limit"] in facts
    assert ["params", "limit = 50"] in facts
    assert ["for", "5m"] in facts
    assert ["escalate", "critical when length > 1000"] in facts
    assert "  override 1       w.toml:9 (target prod; name = a or b)" in shown
    assert any("--key COLUMN=VALUE" in line for line in shown)
    assert "    2. Mend." in shown


def test_what_is_not_set_is_not_shown() -> None:
    assert "where" not in plain(rule_page(RULE, ["prod"], [], differs_by_key=False))
