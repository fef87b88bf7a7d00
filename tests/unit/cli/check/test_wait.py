"""Waiting as a table of looks: no clock but the one that is handed in."""

import io
import os
from collections.abc import Iterator

import pytest

from watchdog.cli.check.wait import Patience, WaitProgress, look_until_good, still_wrong
from watchdog.cli.output.status_line import StatusLine
from watchdog.core.judging.check_result import CheckResult, Firing, TargetChecked, Unknown
from watchdog.core.judging.expectations import Answer
from watchdog.core.model.severity import Severity

EXPECT = "cluster: workers_online >= 3"


def a_look(code: int, reason: str = "workers_online=2") -> CheckResult:
    answers = {0: (), 1: (Answer(EXPECT, "prod", ok=False, reason=reason),), 3: (Answer(EXPECT, "prod", None, "flower: refused"),)}
    result = CheckResult(0.0, 1, (TargetChecked(expected=answers[code], target="prod"),))
    assert result.exit_code == code
    return result


class Looks:
    """Checks with programmed results, one after the other, each taking a second; the last one again and again."""

    def __init__(self, *codes: int, took_s: float = 1.0) -> None:
        self.codes, self.took_s = list(codes), took_s
        self.now, self.looked, self.told = 0.0, 0, list[tuple[float, float]]()

    def wait(self, wait_s: float, stable_s: float = 0.0, interval_s: float = 2.0) -> int:
        patience = Patience(wait_s, stable_s, self.now)
        return look_until_good(self._look, patience, interval_s, self._tell, lambda: self.now, self._sleep).exit_code

    def _look(self) -> CheckResult:
        self.looked += 1
        self.now += self.took_s
        return a_look(self.codes.pop(0) if len(self.codes) > 1 else self.codes[0])

    def _tell(self, _: CheckResult, left_s: float) -> None:
        self.told.append((self.now, left_s))

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("codes", "wait_s", "stable_s", "code", "ended_at"),
    [
        ((0,), 300, 0, 0, 1),
        ((1, 3, 0), 300, 0, 0, 5),
        ((1,), 10, 0, 1, 11),
        ((3,), 10, 0, 3, 11),
        ((1, 1, 1, 1, 1, 0), 10, 0, 0, 11),
        ((0,), 300, 30, 0, 31),
        ((0, 0, 1, 0), 300, 10, 0, 17),
        ((1, 0), 4, 10, 0, 13),
        ((1, 0, 0, 1), 4, 10, 1, 7),
        ((0, 0, 1), 0, 10, 1, 5),
        ((0,), 0, 0, 0, 1),
        ((1,), 0, 0, 1, 1),
    ],
)
def test_a_wait_ends_with_the_look_that_decides(codes: tuple[int, ...], wait_s: float, stable_s: float, code: int, ended_at: float) -> None:
    looks = Looks(*codes)
    assert (looks.wait(wait_s, stable_s), looks.now) == (code, ended_at)


def test_looks_are_an_interval_apart_however_long_they_take() -> None:
    looks = Looks(1, 1, 1, 0, took_s=1.5)
    looks.wait(60, interval_s=2.0)
    assert looks.now == 3 * 2.0 + 1.5


def test_how_long_is_left_is_told_after_each_look() -> None:
    looks = Looks(1, 1, 0, 0, 0)
    looks.wait(10, stable_s=3)
    assert looks.told == [(1, 9), (3, 7), (5, 3), (7, 1)]


# --- what is told ---


def lines(capsys: pytest.CaptureFixture[str], *looks: tuple[CheckResult, float]) -> list[str]:
    told = WaitProgress(StatusLine(io.StringIO()), terminal=False)
    for result, left_s in looks:
        told(result, left_s)
    return capsys.readouterr().err.splitlines()


def test_a_pipe_hears_one_line_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    looks = ((a_look(1), 300.0), (a_look(1, "workers_online=1"), 298.0), (a_look(3), 296.0), (a_look(0), 30.0), (a_look(0), 28.0))
    assert lines(capsys, *looks) == [
        "waiting, 5m left: cluster: workers_online >= 3 is false (workers_online=2)",
        "waiting, 4m56s left: cluster: workers_online >= 3 is not answered (flower: refused)",
        "good; to stay so for another 30s",
    ]


def test_a_terminal_hears_every_look_in_one_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Heard(StatusLine):
        def say(self, text: str) -> None:
            said.append(text)

    monkeypatch.setenv("COLUMNS", "40")
    told = WaitProgress(Heard(io.StringIO()), terminal=True)
    told(a_look(1), 300.0)
    told(a_look(1), 298.0)
    assert [text[:22] for text in said] == ["waiting, 5m left: clus", "waiting, 4m58s left: c"]
    assert {len(text) for text in said} == {28}
    assert os.environ["COLUMNS"] == "40"


def wrong(**parts: object) -> Iterator[str]:
    result = CheckResult(0.0, 1, (TargetChecked(target="prod", **parts), *([TargetChecked(target="lab")] if "expected" in parts else [])))  # type: ignore[arg-type]
    return (text for _, text in still_wrong(result))


def fires(rule: str, severity: Severity, **more: bool) -> Firing:
    return Firing(rule, "prod", severity, {"name": "a"}, {}, {}, "so it is", rule, **more)  # type: ignore[arg-type]


def test_what_fires_mildly_keeps_nobody_waiting() -> None:
    found = (fires("Mild", Severity.INFO), fires("Bad", Severity.ERROR), fires("Blind", Severity.INFO, blind=True))
    assert list(wrong(firing=found)) == ["Bad fires (name=a)", "Blind fires (name=a)"]


def test_a_reason_is_told_once_for_all_it_blinds() -> None:
    assert list(wrong(unknown=tuple(Unknown(rule, "prod", {}, "redis: refused") for rule in "ABC"))) == ["could not look: redis: refused"]


def test_of_several_targets_each_is_named() -> None:
    assert list(wrong(expected=(Answer("x: y", "prod", ok=False, reason="y=0"),))) == ["x: y is false in prod (y=0)"]
