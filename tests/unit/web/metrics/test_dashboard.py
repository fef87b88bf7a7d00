"""The Grafana dashboard: a document as Grafana imports it, every expression of which names what is served."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.builders.dashboard import DASHBOARD, drawn, expressions
from tests.builders.incidents import an_incident
from tests.builders.metrics import looked_at, names
from tests.builders.web import NOW
from watchdog.core.model.rows import Reading
from watchdog.tables import TABLES
from watchdog.web.metrics.incidents import incident_families
from watchdog.web.metrics.naming import names_of
from watchdog.web.metrics.own import own_families
from watchdog.web.metrics.tables import table_families

WIDTH = 24
PANELS = list(drawn())
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def served(folder: Path) -> set[str]:
    """The name of every metric that can be scraped."""
    of_columns = {name.name + ("_total" if name.counter else "") for table in TABLES.values() for name in names_of(table).values()}
    site = looked_at(folder, {}, NOW)
    own = names(own_families(site, site.store.last_looks()))
    of_tables = names(table_families({"prod": {"queues": Reading()}}))
    return of_columns | own | of_tables | names(incident_families([an_incident()]))


def test_every_expression_names_metrics_that_are_served(tmp_path: Path) -> None:
    variables = [variable["query"]["query"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "query"]
    named = {name for expression in [*expressions(), *variables] for name in re.findall(r"\bwatchdog_\w+", expression)}
    assert named - served(tmp_path) == set()


@pytest.mark.parametrize("table", ["workers", "queues", "tasks", "errors", "cluster"])
def test_the_main_tables_are_shown(table: str) -> None:
    assert any(f"watchdog_{table}_" in expression for expression in expressions())


def test_the_data_source_is_chosen_by_a_variable() -> None:
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"] if variable["type"] == "datasource"] == ["datasource"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_the_chosen_data_source_for_something(panel: dict[str, Any]) -> None:
    assert [target["datasource"] for target in panel["targets"]] == [DATASOURCE] * max(len(panel["targets"]), 1)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")


def test_every_panel_has_an_id_of_its_own() -> None:
    assert [ident for ident, count in Counter(panel["id"] for panel in DASHBOARD["panels"]).items() if count > 1] == []


def test_panels_do_not_overlap_and_stay_within_the_grid() -> None:
    cells = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert [cell for cell, count in cells.items() if count > 1 or cell[0] >= WIDTH] == []


def test_it_belongs_to_no_organisation() -> None:
    """A dashboard with an id replaces whatever has that id where it is imported."""
    assert "id" not in DASHBOARD
