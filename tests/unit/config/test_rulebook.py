from pathlib import Path

from watchdog.config.rulebook import read_rule_book
from watchdog.config.shipped import shipped_folder
from watchdog.tables import TABLES

MINE = '[[rule]]\nname = "Mine"\nfrom = "queues"\nwhen = "length > 5"\ninhibits = ["QueueBacklogHigh"]\n'


def test_the_shipped_rules_stand_beside_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    book = read_rule_book([tmp_path / "mine.toml"], TABLES)
    assert {"Mine", "QueueBacklogHigh"} <= {rule.name for rule in book.rules}
    assert (book.faults, book.warnings) == ((), ())


def test_a_shipped_file_that_the_user_names_too_counts_once() -> None:
    book = read_rule_book([shipped_folder() / "queues.toml"], TABLES)
    assert book.faults == ()
    assert len(book.rules) == len(read_rule_book([], TABLES).rules)


def test_a_file_that_cannot_be_read_is_a_fault_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    faults = read_rule_book([tmp_path / "latin.toml", tmp_path / "none.toml"], TABLES).faults
    assert ["not UTF-8 text" in faults[0], "none.toml" in faults[1]] == [True, True]


def test_without_the_shipped_rules_only_the_users_are_there(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    book = read_rule_book([tmp_path / "mine.toml"], TABLES, shipped=False)
    assert [rule.name for rule in book.rules] == ["Mine"]
    assert len(book.warnings) == 1
