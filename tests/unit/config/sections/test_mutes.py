"""`[[mute]]`: what a file may say, and the sentence for each thing that it may not."""

import zoneinfo
from datetime import UTC
from pathlib import Path

import pytest

from tests.unit.config.test_load import ONE_TARGET, Folder
from watchdog.app.receivers import build_receivers, build_recipients
from watchdog.config.sections.mutes import to_windows
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient

RECEIVER = '[[receiver]]\nname = "ops"\ntype = "console"\n'
NIGHTS = '[[mute]]\nname = "nights"\nfrom = "22:00"\nto = "07:00"\n'
HOUR_S = 3600


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def windows(folder: Folder, text: str) -> tuple[Window, ...]:
    folder.write(ONE_TARGET + text)
    return to_windows(folder.load().settings.mute)


def recipients(folder: Folder, text: str) -> dict[str, Recipient]:
    folder.write(ONE_TARGET + text)
    settings = folder.load().settings
    return {recipient.name: recipient for recipient in build_recipients(build_receivers(settings), settings)}


def test_without_a_zone_times_are_utc_and_without_days_every_day(folder: Folder) -> None:
    assert windows(folder, NIGHTS) == (Window("nights", (Span(frozenset(range(7)), 22 * HOUR_S, 7 * HOUR_S, UTC),)),)


DAYS = [
    ('"sat"', {5}),
    ('["sat", "sun"]', {5, 6}),
    ('"Mon-Fri"', {0, 1, 2, 3, 4}),
    ('["sat-mon", "wed"]', {5, 6, 0, 2}),
    ('"sun-sat"', set(range(7))),
]


@pytest.mark.parametrize(("written", "days"), DAYS)
def test_days_are_names_and_ranges_which_may_go_over_the_weekend(folder: Folder, written: str, days: set[int]) -> None:
    (window,) = windows(folder, f'[[mute]]\nname = "n"\ndays = {written}\nfrom = "09:00"\nto = "24:00"\ntimezone = "Europe/Berlin"\n')
    assert window.spans == (Span(frozenset(days), 9 * HOUR_S, 24 * HOUR_S, zoneinfo.ZoneInfo("Europe/Berlin")),)


def test_tables_of_one_name_add_up(folder: Folder) -> None:
    weekend = '[[mute]]\nname = "nights"\ndays = ["sat", "sun"]\ntimezone = "Asia/Tokyo"\n'
    (window,) = windows(folder, NIGHTS + weekend)
    assert [span.ends_s for span in window.spans] == [7 * HOUR_S, 24 * HOUR_S]


def test_a_receiver_is_muted_by_what_it_names_and_by_what_mutes_all(folder: Folder) -> None:
    found = recipients(
        folder,
        f'{RECEIVER}mute = "nights"\n{RECEIVER.replace("ops", "dev")}mute = []\n{NIGHTS}'
        '[[mute]]\nname = "weekend"\ndays = ["sat", "sun"]\nall_receivers = true\n',
    )
    assert {name: [window.name for window in one.terms.mutes] for name, one in found.items()} == {
        "ops": ["nights", "weekend"],
        "dev": ["weekend"],
    }


def test_an_included_file_may_hold_windows(folder: Folder) -> None:
    folder.write(NIGHTS, "team.toml")
    folder.write(f'include = ["team.toml"]\n{ONE_TARGET}{RECEIVER}mute = ["nights"]\n')
    assert [window.name for window in to_windows(folder.load().settings.mute)] == ["nights"]


EXPECTED_DAYS = 'expected days such as "mon-fri" or ["sat", "sun"]'
WRONG = [
    ('from = "22:00"\nto = "25:00"', 5, 'to: expected a time of day from "00:00" to "24:00", such as "07:30", found "25:00"'),
    ('from = "24:00"\nto = "07:00"', 4, 'from: expected a time of day from "00:00" to "23:59", such as "07:30", found "24:00"'),
    ('from = "10pm"\nto = "07:00"', 4, 'from: expected a time of day from "00:00" to "23:59", such as "07:30", found "10pm"'),
    ('days = "sat"\nfrom = 22:00:00', 5, "from: expected a text in quotes, found a date or time"),
    ('days = "sunday"', 4, f'days: {EXPECTED_DAYS}, found "sunday"; did you mean "sun"?'),
    ('days = "sat,sun"', 4, f'days: {EXPECTED_DAYS}, found "sat,sun"; did you mean "sun"?'),
    ('days = "mon-wed-fri"', 4, f'days: {EXPECTED_DAYS}, found "mon-wed-fri"'),
    ("days = 3", 4, "days: expected a list in [ ], found a whole number"),
    ('days = "sat"\nform = "22:00"', 5, 'form: unknown key; did you mean "from"?'),
]
ZONE = 'timezone: expected a time zone such as "Europe/Berlin" or "UTC", found'
WRONG_ZONES = [
    ("Berlin", f'{ZONE} "Berlin"; did you mean "Europe/Berlin"?'),
    ("new york", f'{ZONE} "new york"; did you mean "America/New_York"?'),
    ("Europe/Berlim", f'{ZONE} "Europe/Berlim"; did you mean "Europe/Berlin"?'),
    ("../etc/passwd", f'{ZONE} "../etc/passwd"'),
    ("Moon", f'{ZONE} "Moon"'),
]


def faults(folder: Folder, text: str) -> tuple[str, ...]:
    folder.write(text)
    return folder.faults()


@pytest.mark.parametrize(("keys", "line", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_line_and_what_was_expected(folder: Folder, keys: str, line: int, said: str) -> None:
    assert faults(folder, f'# a comment\n[[mute]]\nname = "n"\n{keys}\n{ONE_TARGET}') == (f'watchdog.toml:{line}: mute "n": {said}',)


@pytest.mark.parametrize(("zone", "said"), WRONG_ZONES)
def test_an_unknown_time_zone_is_a_fault_with_the_one_that_was_meant(folder: Folder, zone: str, said: str) -> None:
    assert faults(folder, f'{ONE_TARGET}[[mute]]\nname = "n"\ndays = "sat"\ntimezone = "{zone}"\n') == (
        f'watchdog.toml:7: mute "n": {said}',
    )


def test_without_time_zones_on_the_system_it_says_what_to_install(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    (fault,) = faults(folder, f'{ONE_TARGET}[[mute]]\nname = "n"\ndays = "sat"\ntimezone = "Europe/Berlin"\n')
    assert "pip install tzdata" in fault
    assert windows(folder, NIGHTS)  # UTC needs none


FOR_GOOD = "expected hours that end, found every day and the whole of it: it would mute for good"
LIMITS = [
    ('from = "22:00"', 'expected from and to together, found only from; add for example to = "07:00"'),
    ('to = "07:00"', 'expected from and to together, found only to; add for example from = "07:00"'),
    ('days = "mon-sun"', FOR_GOOD),
    ('from = "12:00"\nto = "12:00"', FOR_GOOD),
    ("", 'expected days, or from and to, found neither: it would mute for good; add for example days = ["sat", "sun"]'),
]


@pytest.mark.parametrize(("keys", "said"), LIMITS)
def test_a_window_without_limits_is_a_fault(folder: Folder, keys: str, said: str) -> None:
    assert faults(folder, f'{ONE_TARGET}[[mute]]\nname = "n"\n{keys}\n') == (f'watchdog.toml:4: mute "n": {said}',)


def several(*keys: str) -> str:
    return ONE_TARGET + "".join(f'[[mute]]\nname = "n"\n{of_one}\n' for of_one in keys)


@pytest.mark.parametrize(
    "keys",
    [
        ('days = "mon-fri"', 'days = "sat-sun"'),
        ('from = "08:00"\nto = "20:00"', 'from = "20:00"\nto = "08:00"'),
        ('from = "08:00"\nto = "20:00"', 'from = "19:00"\nto = "09:00"\ntimezone = "Etc/GMT-1"'),
    ],
)
def test_several_windows_of_one_name_that_leave_no_hour_are_a_fault(folder: Folder, keys: tuple[str, ...]) -> None:
    said = 'mute "n": together with watchdog.toml:4 it covers every hour of the week: it would mute for good'
    (fault,) = faults(folder, several(*keys))
    assert fault.partition(": ")[2] == said


@pytest.mark.parametrize(
    "keys",
    [
        ('days = "mon-fri"', 'days = "sat"'),
        ('from = "08:00"\nto = "20:00"', 'from = "20:00"\nto = "07:59"'),
        ('from = "08:00"\nto = "20:00"', 'from = "20:00"\nto = "08:00"\ntimezone = "Europe/Berlin"'),
    ],
)
def test_several_windows_of_one_name_that_leave_a_minute_are_none(folder: Folder, keys: tuple[str, ...]) -> None:
    assert windows(folder, several(*keys).removeprefix(ONE_TARGET))


EXPECTED = 'receiver "ops": mute: expected the name of a [[mute]], found'
UNKNOWN = [
    (NIGHTS, '"nigths"', f'{EXPECTED} "nigths"; did you mean "nights"?'),
    (NIGHTS, '["nights", "lunch"]', f'{EXPECTED} "lunch"; there are nights'),
    ("", '"nights"', f'{EXPECTED} "nights"; there is none'),
]


@pytest.mark.parametrize(("mutes", "named", "said"), UNKNOWN)
def test_a_receiver_that_names_an_unknown_window_is_a_fault(folder: Folder, mutes: str, named: str, said: str) -> None:
    assert faults(folder, f"{ONE_TARGET}{RECEIVER}mute = {named}\n{mutes}") == (f"watchdog.toml:7: {said}",)


def test_tables_of_one_name_must_agree_on_whom_they_mute(folder: Folder) -> None:
    (fault,) = faults(folder, f"{ONE_TARGET}{NIGHTS}{NIGHTS}all_receivers = true\n")
    assert fault.startswith('watchdog.toml:12: mute "nights": all_receivers differs from the [[mute]] of the same name at watchdog.toml:4')
