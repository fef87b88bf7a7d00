"""`[[route]]` and what may be wrong with it."""

from pathlib import Path

import pytest

from watchdog.app.receivers import build_routing
from watchdog.config.load import ConfigError, Loaded, load_settings
from watchdog.core.incidents.routing import Terms
from watchdog.core.model.severity import Severity

BASE = """\
[[target]]
name = "prod"
flower = "http://localhost:5555"
[[receiver]]
name = "chat"
type = "console"
repeat = "2h"
[[receiver]]
name = "pager"
type = "console"
"""


def load(tmp_path: Path, text: str) -> Loaded:
    path = tmp_path / "watchdog.toml"
    path.write_text(BASE + text)
    return load_settings(config=path, environ={}, flags={}, cwd=tmp_path)


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, text)
    return [fault.removeprefix(str(tmp_path) + "/") for fault in error.value.faults]


def test_what_a_route_does_not_set_is_as_around_it_and_else_as_in_the_receiver(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
[[route]]
receivers = ["chat"]
group_wait = "5s"
[[route.route]]
match = "team=data"
group_interval = "2m"
""",
    ).settings
    [outer] = build_routing(settings).routes
    [inner] = outer.routes
    assert outer.receivers == {"chat": Terms(repeat_s=7200.0, group_wait_s=5.0)}
    assert inner.receivers == {"chat": Terms(repeat_s=7200.0, group_wait_s=5.0, group_interval_s=120.0)}


def test_a_route_for_later_lets_the_next_ones_be_tried(tmp_path: Path) -> None:
    settings = load(tmp_path, '[[route]]\nreceivers = "pager"\nafter = "15m"\n[[route]]\nreceivers = "chat"\n').settings
    routing = build_routing(settings)
    assert [(way.receiver, way.terms.after_s) for way in routing.ways({}, Severity.INFO)] == [("pager", 900.0), ("chat", 0.0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[route]]\nreceivers = ["pagr"]\n',
            '12: route 1: receivers: expected the name of a receiver, found "pagr"; did you mean "pager"?',
        ),
        ('[[route]]\nreceivers = ["chat"]\nmatch = "team data"\n', "13: route 1: match: expected matchers such as"),
        ('[[route]]\nmatch = "team=data"\n', '11: route 1: leads to nobody: add receivers = ["…"], or []'),
        (
            '[[route]]\nreceivers = ["chat"]\nmatch = "team=data"\n',
            "11: route 1: nobody would be notified of incidents that none",
        ),
        ('[[route]]\nreceivers = ["chat"]\nafter = "1h"\n', "11: route 1: nobody would be notified of incidents that none"),
        ('[[route]]\nreceivers = ["chat"]\nmute = "nihgts"\n', '13: route 1: mute: expected the name of a [[mute]], found "nihgts"'),
        (
            '[[route]]\nreceivers = ["chat"]\nmin_severity = "criticl"\n',
            '13: route 1: min_severity: expected one of info, warning, error, critical, found "criticl"; did you mean "critical"?',
        ),
        ('[[route]]\nreceiver = ["chat"]\n', '12: route 1: receiver: unknown key; did you mean "receivers"?'),
        ('[[route]]\nreceivers = ["chat"]\ngroup_interval = "2h"\n', "13: route 1: group_interval: expected at most 1h, found 2h"),
        ('[[route]]\nreceivers = ["chat"]\ngroup_by = ["a b"]\n', "13: route 1: group_by[1]: expected a label"),
        (
            '[[route]]\nreceivers = []\n[[route.route]]\nreceivers = ["x"]\n',
            '14: route 1.1: receivers: expected the name of a receiver, found "x"; there are',
        ),
    ],
)
def test_a_fault_says_where_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    assert any(fault.startswith(f"watchdog.toml:{said}") for fault in faults(tmp_path, text)), faults(tmp_path, text)


def test_faults_are_reported_from_top_to_bottom_also_those_about_names(tmp_path: Path) -> None:
    text = '[[mute]]\nname = "nights"\ndays = "mon-fry"\n[[route]]\nrecievers = ["chat"]\n[[route]]\nreceivers = ["cat"]\n'
    lines = [int(fault.split(":")[1]) for fault in faults(tmp_path, text)]
    assert len(lines) >= 4
    assert lines == sorted(lines)
