"""docs/coming-from/: what these pages name is there. Rules and tables are links, which test_pages.py follows."""

import re

import pytest

from tests.docs.pages import ROOT
from watchdog.core.actions.kinds import KINDS
from watchdog.tables import TABLES
from watchdog.web.metrics.naming import names_of

FOLDER = ROOT / "docs" / "coming-from"
EXPORTER = (FOLDER / "celery-exporter.md").read_text(encoding="utf-8")
SERVED = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "watchdog" / "web" / "metrics" / "celery_exporter").glob("*.py"))
OWN = {name.name for table in TABLES.values() for name in names_of(table).values()}
"""Every metric of a table."""


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(watchdog_\w+)`", EXPORTER))))
def test_a_metric_that_is_named_is_served(name: str) -> None:
    assert name in OWN


@pytest.mark.parametrize("name", sorted(set(re.findall(r'Family\("(celery_\w+)"', SERVED))))
def test_every_metric_of_celery_exporter_has_its_counterpart_named(name: str) -> None:
    assert f"`{name}" in EXPORTER


def test_a_column_that_is_named_beside_its_table_is_there() -> None:
    named = re.findall(r"((?:`\w+`(?:, )?)+) of \[(\w+)\]\(\.\./reference/tables\.md", EXPORTER)
    wrong = [f"{table}.{one}" for ones, table in named for one in re.findall(r"`(\w+)`", ones) if TABLES[table].column(one) is None]
    assert (len(named) > 4, wrong) == (True, [])


def test_every_action_of_flower_is_one_of_watchdogs() -> None:
    named = set(re.findall(r"`watchdog act ([\w-]+)", (FOLDER / "flower.md").read_text(encoding="utf-8")))
    assert (len(named) > 8, named - set(KINDS)) == (True, set())
