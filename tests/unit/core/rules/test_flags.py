from typing import Any

import pytest

from tests.builders.incidents import a_rule
from watchdog.core.model.severity import Severity
from watchdog.core.rules.flags import RuleFlags, rule_flags
from watchdog.core.rules.overrides import check_overrides, tune
from watchdog.core.rules.rule import Override, Rule
from watchdog.tables import TABLES

RULES = (
    a_rule("QueueBacklogHigh", params={"limit": 50.0, "drain": 300.0}, formerly=("BacklogHigh",)),
    a_rule("QueueNoConsumers", params={"page": 50.0}),
    a_rule("WorkerLost", when="name like :name_like", table="workers", params={"name_like": "celery@%", "strict": False}),
)


def flags(only: tuple[str, ...] = (), skip: tuple[str, ...] = (), sets: tuple[str, ...] = ()) -> RuleFlags:
    return rule_flags(only, skip, sets, RULES)


def held(*earlier: Override, **given: Any) -> dict[str, Rule]:
    """The rules as they hold, after overrides of the configuration."""
    made = flags(**given)
    assert made.faults == ()
    assert check_overrides(made.overrides, RULES, TABLES) == ((), ())
    return {tuned.rule.name: tuned.rule for tuned in tune(RULES, (*earlier, *made.overrides), "prod") if tuned.rule.enabled}


def faults(**given: Any) -> list[str]:
    made = flags(**given)
    found, _ = check_overrides(made.overrides, RULES, TABLES)
    return [*made.faults, *map(str, found)]


def test_without_flags_everything_stays() -> None:
    assert flags() == RuleFlags((), (), ("QueueBacklogHigh", "QueueNoConsumers", "WorkerLost"))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"only": ("Queue*",)}, {"QueueBacklogHigh", "QueueNoConsumers"}),
        ({"only": ("WorkerLost", "QueueNoConsumers")}, {"WorkerLost", "QueueNoConsumers"}),
        ({"only": ("BacklogHigh",)}, {"QueueBacklogHigh"}),
        ({"skip": ("Queue*",)}, {"WorkerLost"}),
        ({"only": ("Queue*",), "skip": ("QueueNo*",)}, {"QueueBacklogHigh"}),
        ({"skip": ("*",)}, set()),
    ],
)
def test_only_and_skip_choose_by_name_former_name_or_glob(given: dict[str, tuple[str, ...]], names: set[str]) -> None:
    assert set(held(**given)) == names


def test_only_does_not_switch_on_what_the_configuration_switched_off() -> None:
    assert set(held(Override("QueueNoConsumers", enabled=False), only=("Queue*",))) == {"QueueBacklogHigh"}


@pytest.mark.parametrize(
    ("text", "param", "value"),
    [
        ("QueueBacklogHigh.limit=500", "limit", 500.0),
        ("QueueBacklogHigh.limit = 5e2", "limit", 500.0),
        ("QueueBacklogHigh.drain=10m", "drain", 600.0),
        ("BacklogHigh.limit=7", "limit", 7.0),
        ("Queue*.page=7", "page", 50.0),
    ],
)
def test_set_gives_a_number_its_value(text: str, param: str, value: float) -> None:
    assert held(sets=(text,))["QueueBacklogHigh"].params.get(param, 50.0) == value


@pytest.mark.parametrize(
    ("text", "param", "value"),
    [
        ("WorkerLost.name_like=50", "name_like", "50"),
        ("WorkerLost.name_like=a=b", "name_like", "a=b"),
        ("WorkerLost.strict=true", "strict", True),
    ],
)
def test_a_param_keeps_its_kind(text: str, param: str, value: object) -> None:
    assert held(sets=(text,))["WorkerLost"].params[param] == value


def test_set_comes_after_the_overrides_of_the_configuration() -> None:
    assert (
        held(Override("QueueBacklogHigh", params={"limit": 9.0}), sets=("QueueBacklogHigh.limit=8",))["QueueBacklogHigh"].params["limit"]
        == 8
    )


def test_set_changes_severity_and_window_of_every_rule_meant() -> None:
    rules = held(sets=("Queue*.severity=critical", "Queue*.window=10m"))
    assert {(r.severity, r.window_s) for r in rules.values() if r.name.startswith("Queue")} == {(Severity.CRITICAL, 600.0)}
    assert (rules["WorkerLost"].severity, rules["WorkerLost"].window_s) == (Severity.WARNING, 300.0)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"only": ("QueueBacklogHig",)}, '--only "QueueBacklogHig": there is no such rule; did you mean "QueueBacklogHigh"?'),
        ({"skip": ("worker*",)}, '--skip "worker*": there is no such rule; did you mean "WorkerLost"?'),
        ({"skip": ("Nothing*",)}, '--skip "Nothing*": there is no such rule; `watchdog rules list` lists them'),
        ({"sets": ("WorkerLst.strict=true",)}, '--set "WorkerLst": there is no such rule; did you mean "WorkerLost"?'),
        (
            {"sets": ("QueueBacklogHigh.limt=5",)},
            '--set QueueBacklogHigh.limt=5: no param "limt" in QueueBacklogHigh; did you mean "limit"?',
        ),
        (
            {"sets": ("QueueNoConsumers.zzz=5",)},
            '--set QueueNoConsumers.zzz=5: no param "zzz" in QueueNoConsumers; it can set page, severity, window',
        ),
        (
            {"sets": ("WorkerLost.severity=warn",)},
            '--set WorkerLost.severity=warn: expected info, warning, error or critical, found "warn"; did you mean "warning"?',
        ),
        ({"sets": ("WorkerLost.window=0",)}, '--set WorkerLost.window=0: override of "WorkerLost": window: must be longer than 0'),
        (
            {"sets": ("WorkerLost.for=5m",)},
            "--set WorkerLost.for=5m: a check does not wait, so for does nothing here; --wait and --stable are what waits",
        ),
        (
            {"sets": ("QueueBacklogHigh.limit=many",)},
            '--set QueueBacklogHigh.limit=many: override of "QueueBacklogHigh": params.limit: expected a number or a duration, '
            'as in QueueBacklogHigh, found "many"',
        ),
        (
            {"sets": ("WorkerLost.strict=1",)},
            '--set WorkerLost.strict=1: override of "WorkerLost": params.strict: expected true or false, as in WorkerLost, found "1"',
        ),
    ],
)
def test_a_flag_that_means_nothing_says_what_was_meant(given: dict[str, tuple[str, ...]], fault: str) -> None:
    assert faults(**given) == [fault]


@pytest.mark.parametrize("text", ["", "limit=5", "QueueBacklogHigh=5", "QueueBacklogHigh.limit", ".limit=5", "QueueBacklogHigh.=5"])
def test_set_has_one_form(text: str) -> None:
    assert faults(sets=(text,)) == [f'--set "{text}": expected RULE.param=value, such as QueueBacklogHigh.limit=500']


@pytest.mark.parametrize(
    ("flag", "override"),
    [
        ("WorkerLost.for=5m", Override("WorkerLost", for_s=300.0, where_from="--set WorkerLost.for=5m")),
        ("WorkerLost.keep_firing_for=0s", Override("WorkerLost", keep_firing_for_s=0.0, where_from="--set WorkerLost.keep_firing_for=0s")),
        ("WorkerLost.enabled=true", Override("WorkerLost", enabled=True, where_from="--set WorkerLost.enabled=true")),
    ],
)
def test_where_there_is_more_than_one_look_times_can_be_set(flag: str, override: Override) -> None:
    assert rule_flags((), (), (flag,), RULES, over_time=True).overrides == (override,)
