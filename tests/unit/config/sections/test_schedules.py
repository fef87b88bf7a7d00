"""`[[target.schedule]]`: the sentence for each thing that a file may not say."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import Folder
from watchdog.config.settings import to_target
from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.target import Target

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


def test_without_flower_and_events_of_tasks_nobody_knows_what_succeeds(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write('[[target]]\nname = "prod"\nredis = "redis://localhost"\nevents = "off"\n' + SCHEDULE + 'every = "1h"\n')
    assert "expected flower, redis or celery beside schedule" in "\n".join(folder.faults())


SCHEDULERS = {
    "an unknown scheduler": ('[[target.schedule]]\nfrom = "cron"', "expected one of beat, redbeat"),
    "an unknown name alone": ('schedule = "beats"', "expected one of beat, redbeat"),
    "neither task nor scheduler": ('[[target.schedule]]\ngrace = "5m"', "found neither"),
    "both": ('[[target.schedule]]\ntask = "a"\nfrom = "beat"', "found both"),
    "a glob": ('[[target.schedule]]\ntask = "reports.*"\nevery = "1h"', 'found the glob "reports.*"'),
    "an interval for all": ('[[target.schedule]]\nfrom = "beat"\nevery = "5m"', "expected every only beside task"),
    "an exclusion from one task": (SCHEDULE + 'every = "1h"\nexclude = ["a"]', "expected exclude only beside from"),
    "a prefix of beat": ('[[target.schedule]]\nfrom = "beat"\nkey_prefix = "a"', 'expected key_prefix only beside from = "redbeat"'),
    "redbeat without Redis": ('schedule = "redbeat"', 'expected redis beside schedule = "redbeat"'),
    "twice": ('schedule = ["beat", "beat"]', 'found several for "beat"'),
}


@pytest.mark.parametrize("case", SCHEDULERS)
def test_a_fault_of_a_scheduler_says_what_was_expected(tmp_path: Path, case: str) -> None:
    text, said = SCHEDULERS[case]
    folder = Folder(tmp_path)
    folder.write(TARGET + text)
    assert said in "\n".join(folder.faults())


def target(tmp_path: Path, text: str) -> Target:
    folder = Folder(tmp_path)
    folder.write(TARGET + text)
    settings = folder.load().settings
    return to_target(settings, settings.target[0])


def test_a_name_alone_is_a_scheduler(tmp_path: Path) -> None:
    assert target(tmp_path, 'schedule = "beat"').schedulers == (Scheduler("beat", key_prefix="redbeat:"),)


def test_a_scheduler_and_tasks_stand_side_by_side(tmp_path: Path) -> None:
    both = target(tmp_path, 'schedule = ["beat", { task = "a", every = "1h" }]')
    assert ([one.kind for one in both.schedulers], [one.task for one in both.schedules]) == (["beat"], ["a"])


def test_the_zone_of_a_scheduler_is_unset_unless_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "unset").mkdir()
    given = target(tmp_path / "given", '[[target.schedule]]\nfrom = "beat"\ntimezone = "UTC"')
    assert (given.schedulers[0].zone, target(tmp_path / "unset", 'schedule = "beat"').schedulers[0].zone) == ("UTC", None)
