"""Nobody can fill the audit log with what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from watchdog.core.actions.outcome import Word
from watchdog.core.actions.record import ActionRecord
from watchdog.store import Store
from watchdog.web.acting.refusals import HOUR_S, MOST_LINES, Refusals

NOW = 1_800_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "watchdog.db") as one:
        yield one


class Forger:
    """Sends what is refused, at any time."""

    def __init__(self, store: Store) -> None:
        self.store, self.now, self.sent = store, NOW, 0
        self.refusals = Refusals(store, lambda: self.now, most_persons=2)

    def forge(self, count: int, person: str = "ada (page)") -> list[str]:
        """What the audit log then says."""
        for _ in range(count):
            self.sent += 1
            record = ActionRecord(f"{self.sent:08}", self.now, person, "here", "purge", "prod", outcome=Word.REFUSED, text="no operator")
            self.refusals.write(record)
        return [one.text for one in self.store.actions(0.0)]


def test_a_few_are_written_as_they_are(store: Store) -> None:
    assert Forger(store).forge(MOST_LINES) == ["no operator"] * MOST_LINES


def test_the_rest_is_one_line_with_its_count(store: Store) -> None:
    said = Forger(store).forge(MOST_LINES + 40)
    assert said[MOST_LINES:] == ["no operator; at least 32 more within the hour, of which this is the first"]


def test_each_person_is_counted_by_themselves(store: Store) -> None:
    forger = Forger(store)
    forger.forge(MOST_LINES + 40)
    assert forger.forge(1, "grace (page)")[-1] == "no operator"


def test_the_next_hour_begins_anew(store: Store) -> None:
    forger = Forger(store)
    forger.forge(MOST_LINES + 1)
    forger.now += HOUR_S
    assert forger.forge(1)[-1] == "no operator"


def test_many_names_do_not_make_many_lines(store: Store) -> None:
    forger = Forger(store)
    said = [forger.forge(1, f"{number} (page)") for number in range(2 + MOST_LINES + 10)][-1]
    assert len(said) == 2 + MOST_LINES + 1
