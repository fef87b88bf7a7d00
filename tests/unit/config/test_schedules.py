"""`[[target.schedule]]`: the sentence for each thing that a file may not say."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import Folder

TARGET = '[[target]]\nname = "prod"\nflower = "http://localhost:5555"\n'
SCHEDULE = '[[target.schedule]]\ntask = "reports.nightly"\n'


FAULTS = {
    "nothing": ("", "expected every, cron or by, found none"),
    "two kinds": ('every = "1h"\ncron = "0 * * * *"', "expected every or cron, found both"),
    "a deadline for what runs often": ('every = "1h"\nby = "07:00"', "expected by only for what runs once a day or less often"),
    "four fields": ('cron = "0 2 * *"', "found 4 of these 5 fields"),
    "a minute too high": ('cron = "61 * * * *"', "expected a cron as Celery's crontab reads it: Invalid end range: 61 > 59."),
    "a day that never comes": ('cron = "0 0 31 2 *"', "day_of_month '31' never occurs"),
    "an hour too high": ('by = "24:00"', 'expected a time of day from "00:00" to "23:59"'),
    "a zone": ('by = "07:00"\ntimezone = "Berlin"', 'did you mean "Europe/Berlin"'),
    "no interval": ('every = "0s"', "schedule[1].every"),
    "a misspelt key": ('evry = "1h"', 'did you mean "every"'),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_says_what_was_expected(tmp_path: Path, case: str) -> None:
    text, said = FAULTS[case]
    folder = Folder(tmp_path)
    folder.write(TARGET + SCHEDULE + text)
    assert said in "\n".join(folder.faults())


def test_two_schedules_of_one_task_are_a_fault(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(TARGET + (SCHEDULE + 'every = "1h"\n') * 2)
    assert 'found several for "reports.nightly"' in "\n".join(folder.faults())


def test_without_flower_nobody_knows_what_succeeds(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write('[[target]]\nname = "prod"\nredis = "redis://localhost"\n' + SCHEDULE + 'every = "1h"\n')
    assert "expected flower beside schedule" in "\n".join(folder.faults())
