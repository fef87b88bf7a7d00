"""`digest` of a receiver: what a file may say, and the sentence for each thing that it may not."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.config.test_load import ONE_TARGET, Folder
from watchdog.core.report.schedule import DigestTimes

RECEIVER = '[[receiver]]\nname = "ops"\ntype = "console"\n'
DAILY = frozenset(range(7))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def times(folder: Folder, text: str) -> DigestTimes | None:
    folder.write(ONE_TARGET + RECEIVER + text)
    [receiver] = folder.load().settings.receiver
    return receiver.digest_times


def fault(folder: Folder, text: str) -> str:
    folder.write(ONE_TARGET + RECEIVER + text)
    [found] = folder.faults()
    return found


def test_without_it_a_receiver_gets_none(folder: Folder) -> None:
    assert times(folder, "") is None


@pytest.mark.parametrize(
    ("written", "days"),
    [("08:00", DAILY), ("mon 08:00", {0}), ("mon-fri 08:00", {0, 1, 2, 3, 4}), ("Sat-Mon 08:00", {5, 6, 0}), (" mon  8:00 ", {0})],
)
def test_a_digest_comes_daily_or_on_some_days(folder: Folder, written: str, days: set[int]) -> None:
    found = times(folder, f'digest = "{written}"')
    assert found == DigestTimes(frozenset(days), 8 * 3600, UTC, f"{written} UTC")


def test_its_hour_is_that_of_its_zone(folder: Folder) -> None:
    found = times(folder, 'digest = "08:00"\ndigest_timezone = "Europe/Berlin"')
    assert found == DigestTimes(DAILY, 8 * 3600, ZoneInfo("Europe/Berlin"), "08:00 Europe/Berlin")


def test_it_changes_nothing_about_where_and_how_a_receiver_sends(folder: Folder) -> None:
    folder.write(ONE_TARGET + RECEIVER)
    before = folder.load().settings.receiver[0].fingerprint()
    folder.write(ONE_TARGET + RECEIVER + 'digest = "08:00"')
    assert folder.load().settings.receiver[0].fingerprint() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('digest = "mon 8am"', 'expected a time of day from "00:00" to "23:59", such as "07:30", found "8am"'),
        ('digest = "24:00"', 'expected a time of day from "00:00" to "23:59", such as "07:30", found "24:00"'),
        ('digest = "monday 08:00"', 'expected days such as "mon-fri" or ["sat", "sun"], found "monday"'),
        ('digest = "08:00"\ndigest_timezone = "Berlin"', 'did you mean "Europe/Berlin"?'),
        ('digest_timezone = "Europe/Berlin"', 'expected digest beside digest_timezone, found none; add for example digest = "08:00"'),
    ],
)
def test_what_it_may_not_be_is_said_with_what_was_expected(folder: Folder, text: str, said: str) -> None:
    assert said in fault(folder, text)
