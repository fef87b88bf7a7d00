import pytest
from msgspec.structs import replace

from watchdog.core.model.rows import Column, Kind, Reading, Table
from watchdog.core.model.severity import Severity
from watchdog.core.rules.overrides import Tuned, check_overrides, rule_for_key, tune
from watchdog.core.rules.rule import Override, Rule

QUEUES = Table(
    "queues", "a queue", ("name",), tuple(Column(n, Kind.NUMBER, "") for n in ("name", "length", "consumers")),
    lambda _: (), lambda _: Reading(),
)  # fmt: skip
TABLES = {"queues": QUEUES}
BACKLOG = Rule(
    "QueueBacklogHigh", table="queues", when="length > :limit", key=("name",), columns=("length",), formerly=("Backlog",),
    params={"limit": 50.0, "kind": "slow", "strict": False}, labels={"team": "a"}, for_s=300.0,
)  # fmt: skip
CLUSTER = Rule("NoWorkersOnline", table="cluster", when="workers_online = 0")
RULES = (BACKLOG, CLUSTER)


def tuned(*overrides: Override, rule: Rule = BACKLOG, target: str = "prod") -> Tuned:
    return tune((rule,), overrides, target)[0]


def limit_of(tuned: Tuned, name: str) -> object:
    return rule_for_key(tuned, {"name": name}).params["limit"]


def limit(value: float | str, **match: tuple[str, ...]) -> Override:
    return Override("QueueBacklogHigh", params={"limit": value}, match=match)


def faults_of(*overrides: Override) -> list[str]:
    return [str(fault) for fault in check_overrides(overrides, RULES, TABLES)[0]]


def warnings_of(*overrides: Override) -> list[str]:
    return [str(fault) for fault in check_overrides(overrides, RULES, TABLES)[1]]


@pytest.mark.parametrize(
    "rule",
    [
        Rule("Spared", table="queues", when="not regexp(:spare, name)", key=("name",), params={"spare": "^$"}),
        Rule("Spared", query="select name, regexp(:spare, name) as breach from queues", key=("name",), params={"spare": "^$"}),
    ],
    ids=["condition", "query"],
)
def test_a_pattern_that_an_override_sets_is_checked_before_it_is_needed(rule: Rule) -> None:
    tables = {"queues": replace(QUEUES, columns=(Column("name", Kind.TEXT, ""),))}
    faults = [check_overrides((Override("Spared", params={"spare": pattern}),), (rule,), tables)[0] for pattern in ("[", "^train")]
    assert [len(some) for some in faults] == [1, 0]
    assert "params.spare: regexp: '[' is no regular expression" in str(faults[0][0])


def test_without_overrides_a_rule_holds_as_written() -> None:
    assert tuned() == Tuned(BACKLOG)


def test_a_rule_for_other_targets_does_not_hold() -> None:
    assert tune((Rule("A", targets=("stage-*",)),), (), "prod") == ()


@pytest.mark.parametrize("name", ["QueueBacklogHigh", "Queue*", "*", "Backlog"])
def test_an_override_means_a_rule_by_name_glob_or_former_name(name: str) -> None:
    assert tuned(Override(name, for_s=5.0)).rule.for_s == 5.0


@pytest.mark.parametrize("name", ["queuebackloghigh", "Worker*", "QueueBacklog"])
def test_an_override_of_another_rule_changes_nothing(name: str) -> None:
    assert tuned(Override(name, for_s=5.0)).rule == BACKLOG


@pytest.mark.parametrize(("pattern", "for_s"), [("prod", 5.0), ("pr*", 5.0), (None, 5.0), ("stage", 300.0)])
def test_an_override_can_mean_one_target(pattern: str | None, for_s: float) -> None:
    assert tuned(Override("*", target=pattern, for_s=5.0)).rule.for_s == for_s


def test_everything_an_override_sets_holds() -> None:
    rule = tuned(
        Override(
            "*", enabled=False, for_s=1.0, keep_firing_for_s=2.0, window_s=3.0, severity=Severity.INFO, labels={"x": "y"},
            params={"limit": 9.0}, deploy=True, summary="s", description="d", runbook="r",
        )
    ).rule  # fmt: skip
    assert (rule.enabled, rule.for_s, rule.keep_firing_for_s, rule.window_s, rule.severity, rule.labels, rule.params["limit"]) == (
        False, 1.0, 2.0, 3.0, Severity.INFO, {"team": "a", "x": "y"}, 9.0,
    )  # fmt: skip
    assert (rule.deploy, rule.summary, rule.description, rule.runbook) == (True, "s", "d", "r")


def test_the_last_match_wins_setting_by_setting() -> None:
    rule = tuned(limit(100.0), Override("*", for_s=1.0), limit(200.0)).rule
    assert (rule.params["limit"], rule.for_s) == (200.0, 1.0)


def test_a_param_written_as_a_duration_is_seconds() -> None:
    assert tuned(limit("10m")).rule.params["limit"] == 600.0


def test_a_text_param_stays_text() -> None:
    assert tuned(Override("*", params={"kind": "10m"})).rule.params["kind"] == "10m"


def test_a_param_that_a_rule_does_not_have_is_not_added() -> None:
    assert tuned(Override("*", params={"other": 1.0})).rule == BACKLOG


def test_a_new_text_adds_the_columns_it_reads() -> None:
    assert tuned(Override("*", summary="{{ name }} {{ consumers }} {{ limit }} {{ target }}")).rule.columns == ("length", "consumers")


# --- by key -------------------------------------------------------------------------------------------------------------


def test_an_override_by_key_holds_for_its_keys_alone() -> None:
    tuning = tuned(limit(500.0, name=("training", "bulk-*")))
    assert [limit_of(tuning, n) for n in ("training", "bulk-1", "indexing")] == [500.0, 500.0, 50.0]


def test_for_a_key_all_overrides_that_fit_hold_in_order() -> None:
    tuning = tuned(
        limit(100.0, name=("bulk-*",)),
        Override("*", match={"name": ("*-7",)}, for_s=7.0),
        limit(200.0, name=("bulk-7",)),
    )
    rule = rule_for_key(tuning, {"name": "bulk-7"})
    assert (rule.params["limit"], rule.for_s) == (200.0, 7.0)


def test_a_later_override_for_all_wins_over_an_earlier_one_by_key() -> None:
    assert limit_of(tuned(limit(100.0, name=("bulk",)), limit(200.0)), "bulk") == 200.0


def test_an_override_by_a_column_that_is_no_key_does_not_hold() -> None:
    assert tuned(limit(1.0, length=("5",))) == Tuned(BACKLOG)


def test_a_rule_can_be_off_but_for_some_keys() -> None:
    tuning = tuned(Override("*", enabled=False), Override("*", enabled=True, match={"name": ("vip",)}))
    assert (tuning.rule.enabled, rule_for_key(tuning, {"name": "vip"}).enabled) == (False, True)


def test_overrides_of_keys_that_cannot_meet_make_one_variant_each() -> None:
    assert len(tuned(*(limit(float(n), name=(f"queue-{n}", f"bulk-{n}-*")) for n in range(40))).variants) == 40


# --- what is wrong ------------------------------------------------------------------------------------------------------


def test_a_rule_that_is_not_there_is_a_fault_with_a_suggestion() -> None:
    assert faults_of(Override("QueueBacklogHih", for_s=1.0, where_from="watchdog.toml:12")) == [
        'watchdog.toml:12: override of "QueueBacklogHih": there is no such rule; did you mean "QueueBacklogHigh"?'
    ]


def test_a_former_name_is_a_warning_with_the_new_one() -> None:
    assert warnings_of(Override("Backlog", for_s=1.0, where_from="w.toml:1")) == [
        'w.toml:1: override of "Backlog": this rule is called QueueBacklogHigh now'
    ]


def test_an_override_that_sets_nothing_is_a_warning() -> None:
    assert "it sets nothing" in warnings_of(Override("*"))[0]


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        (Override("QueueBacklogHigh", params={"limt": 5.0}), 'params.limt: no such param in QueueBacklogHigh; did you mean "limit"?'),
        (Override("QueueBacklogHigh", params={"x": 5.0}), "params.x: no such param in QueueBacklogHigh; there are kind, limit, strict"),
        (Override("NoWorkersOnline", params={"x": 5.0}), "params.x: no such param in NoWorkersOnline; it has none"),
        (limit("many"), 'params.limit: expected a number or a duration, as in QueueBacklogHigh, found "many"'),
        (Override("*", params={"kind": 5.0}), "params.kind: expected a text, as in QueueBacklogHigh, found the number 5.0"),
        (Override("*", params={"strict": 1.0}), "params.strict: expected true or false, as in QueueBacklogHigh, found the number 1.0"),
        (Override("*", params={"limit": True}), "params.limit: expected a number or a duration, as in QueueBacklogHigh, found true"),
        (limit(1.0, length=("5",)), "match.length: no key column of QueueBacklogHigh; match can name name"),
        (
            Override("NoWorkersOnline", match={"name": ("x",)}, for_s=1.0),
            "match.name: NoWorkersOnline has no key: it judges the target as a whole; leave match out",
        ),
        (
            Override("QueueBacklogHigh", labels={"name": "x"}),
            "labels.name: name is already part of every incident; give the label another name",
        ),
        (
            Override("QueueBacklogHigh", summary="{{ lenght }}"),
            'summary: no column or param "lenght" in queues; did you mean "length"?',
        ),
        (Override("*", window_s=0.0), "window: must be longer than 0"),
    ],
)
def test_every_wrong_override_is_a_fault(override: Override, fault: str) -> None:
    assert faults_of(override) == [f'override of "{override.rule}": {fault}']


@pytest.mark.parametrize(
    "override",
    [
        limit(5.0, name=("a",)),
        limit("5m"),
        Override("*", params={"limit": 5.0}),
        Override("*", match={"name": ("x",)}, for_s=1.0),
        Override("Queue*", summary="{{ limit }} {{ name }} {{ rule }}"),
    ],
)
def test_a_right_override_has_no_fault(override: Override) -> None:
    assert faults_of(override) == []


def test_too_many_overrides_that_overlap_are_a_fault() -> None:
    overrides = [limit(1.0, name=(f"*{n}*",)) for n in range(40)]
    assert faults_of(*overrides) == [
        'override of "QueueBacklogHigh": too many overrides of QueueBacklogHigh may fit one key together; use narrower patterns in match'
    ]


def test_an_override_puts_a_rule_or_some_of_its_keys_on_trial() -> None:
    assert tuned(Override("QueueBacklogHigh", trial=True)).rule.trial
    some = tuned(Override("QueueBacklogHigh", trial=True, match={"name": ("bulk-*",)}))
    assert [rule_for_key(some, {"name": name}).trial for name in ("bulk-1", "mail")] == [True, False]
    assert not tuned(Override("*", trial=True), Override("QueueBacklogHigh", trial=False)).rule.trial
