"""`[[target.objective]]`: the sentence for each thing that a file may not say."""

from pathlib import Path

import pytest

from tests.unit.config.test_load import Folder
from watchdog.config.settings import to_target
from watchdog.core.model.target import Objective

TARGET = '[[target]]\nname = "prod"\nflower = "http://localhost:5555"\n'
OBJECTIVE = "[[target.objective]]\n"
IN_TIME = OBJECTIVE + 'queue = "indexing"\nmax_wait = "5m"\nshare = 0.99\n'

FAULTS = {
    "nothing": ('share = 0.9\nmax_wait = "1m"', "expected queue or task, found none"),
    "both": ('queue = "a"\ntask = "b"\nshare = 0.9\nmax_wait = "1m"', "expected queue or task, found both"),
    "no wait": ('queue = "a"\nshare = 0.9', "expected max_wait and share together"),
    "no promise": ('queue = "a"', "expected max_wait with share, or success, found none"),
    "two promises": ('task = "a"\nshare = 0.9\nmax_wait = "1m"\nsuccess = 0.9', "found both"),
    "success of a queue": ('queue = "a"\nsuccess = 0.9', "expected task beside success"),
    "everything": ('task = "a"\nsuccess = 1.0', "objective[1].success: expected less than 1"),
    "a glob of queues": ('queue = "mail*"\nshare = 0.9\nmax_wait = "1m"', 'found the glob "mail*"'),
    "an hour": ('task = "a"\nsuccess = 0.9\nover = "1h"', 'expected a time from "1d" to "90d"'),
    "a misspelt key": ('task = "a"\nsucess = 0.9', 'did you mean "success"'),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_says_what_was_expected(tmp_path: Path, case: str) -> None:
    text, said = FAULTS[case]
    folder = Folder(tmp_path)
    folder.write(TARGET + OBJECTIVE + text)
    assert said in "\n".join(folder.faults())


def test_two_objectives_of_one_name_are_a_fault(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(TARGET + IN_TIME * 2)
    assert 'found several "indexing"; set name' in "\n".join(folder.faults())


def test_without_flower_and_events_of_tasks_nobody_knows_what_starts(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write('[[target]]\nname = "prod"\nredis = "redis://localhost"\nevents = "workers"\n' + IN_TIME)
    assert "expected flower, redis or celery beside objective" in "\n".join(folder.faults())


def test_an_objective_is_what_it_says(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(TARGET + IN_TIME)
    settings = folder.load().settings
    assert to_target(settings, settings.target[0]).objectives == (Objective("indexing", 0.99, queue="indexing", max_wait_s=300.0),)
