"""The page of `watchdog doctor`: which alerts have no verdict, and which only need the daemon."""

from watchdog.cli.check.doctor_page import doctor_page
from watchdog.cli.output.page import plain
from watchdog.core.judging.check_result import CheckResult, Idle, TargetChecked
from watchdog.core.model.target import HEARD_LATER


def page(*idle: tuple[str, str]) -> str:
    checked = TargetChecked(idle=tuple(Idle(rule, "prod", f"column: {why}") for rule, why in idle), target="prod")
    return plain(doctor_page(CheckResult(0.0, 10, (checked,)), (), "watchdog.toml"))


def test_what_only_the_daemon_hears_is_not_called_blind() -> None:
    shown = page(("TaskFailureRateHigh", HEARD_LATER), ("BrokerSlow", "RabbitMQ has no such figure"))
    blind, _, by_daemon = shown.partition("Judged by the daemon alone:")
    assert ("BrokerSlow" in blind, "TaskFailureRateHigh" in blind, "TaskFailureRateHigh" in by_daemon) == (True, False, True)


def test_it_is_not_counted_as_blind_either() -> None:
    assert "blind" not in page(("TaskFailureRateHigh", HEARD_LATER)).splitlines()[0]


def test_it_says_what_the_daemon_hears() -> None:
    checked = TargetChecked(target="prod")
    shown = plain(doctor_page(CheckResult(0.0, 10, (checked,)), (), "watchdog.toml", {"prod": "workers since 2h"}))
    assert "Events that the daemon hears, beside what was looked at here:\n  prod: workers since 2h" in shown
