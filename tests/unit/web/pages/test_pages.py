"""Each page: what it says, and that what it does not know is not found or unknown."""

import re
from html import unescape
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.builders.incidents import a_rule
from tests.builders.outbox import over
from tests.builders.web import application, site
from tests.unit.cli.status.builders import shown_of
from tests.unit.web.pages.builders import HERE, NOW, Browser, burning, seen, store_with
from watchdog.core.history.series import Keeping, Slice
from watchdog.core.model.last_look import last_look_of
from watchdog.core.rules.overrides import Tuned
from watchdog.status.why.today import Today
from watchdog.store import Looked, Store
from watchdog.tables.history.kept import KEPT
from watchdog.web.application import OPEN

HOSTILE = "<script>alert(1)</script>"


def seen_now(store: Store, *, workers: int = 2, target: str = "prod") -> None:
    """The database holds a look at so many workers."""
    readings = dict(shown_of().readings)
    [row, *_] = readings["workers"].rows
    rows = tuple(replace(row, cells={**row.cells, "name": f"celery@w{nth:03}"}) for nth in range(workers))
    readings["workers"] = replace(readings["workers"], rows=rows)
    with store.cycle() as transaction:
        transaction.record(Looked(target, Slice(NOW - 4, {}), last_look_of(readings, NOW - 4, 10.0), None), Keeping(KEPT, 7200.0, 86400.0))


def test_the_overview_shows_every_target_and_what_fires(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, burning()), "prod", "staging")
    seen_now(browser.store)
    text = browser.text("/")
    assert text.count("1 of 2 targets in trouble") == 1
    assert "A holds 60 messages" in text
    assert "could not look: not seen yet" in text


def test_an_incident_about_watchdog_itself_is_on_the_overview(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, burning(target="watchdog")))
    assert "watchdog itself" in browser.text("/")


def test_all_incidents_about_watchdog_itself_are_listed_since_it_has_no_page_of_its_own(tmp_path: Path) -> None:
    many = [burning(f"N{nth}", target="watchdog") for nth in range(9)]
    text = Browser(tmp_path, store_with(tmp_path, *many)).text("/")
    assert text.count("holds 60 messages") == 9


def test_watchdog_itself_is_left_out_while_it_is_well(tmp_path: Path) -> None:
    assert "watchdog itself" not in Browser(tmp_path, store_with(tmp_path)).text("/")


def test_a_receiver_that_notifies_nobody_any_more_is_said_first(tmp_path: Path) -> None:
    deaf = replace(site(store_with(tmp_path)), delivering=lambda: False)
    page = application(tmp_path, deaf).test_client().get("/", base_url=HERE).text
    assert "thread has ended" in seen(page)


def test_a_target_has_every_panel(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, burning()))
    seen_now(browser.store)
    text = browser.text("/targets/prod")
    for title in ("overview", "incidents", "trend", "errors", "workers", "tasks in execution", "queues", "metrics"):
        assert title in text


def test_a_target_with_a_slash_has_a_page(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path), "staging/eu west")
    assert 'href="/targets/staging/eu%20west"' in browser.get("/").text
    assert browser.get("/targets/staging/eu%20west").status_code == 200


def test_many_rows_are_cut_until_all_are_asked_for(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path))
    seen_now(browser.store, workers=30)
    assert "Show all: 18 more" in browser.text("/targets/prod")
    assert browser.text("/targets/prod?all=workers").count("celery@w") == 30


def test_all_rows_of_a_panel_are_shown_a_page_at_a_time(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path))
    seen_now(browser.store, workers=250)
    pages = [browser.text(f"/targets/prod?all=workers&page={page}") for page in (1, 2, 3)]
    assert [page.count("celery@w") for page in pages] == [100, 100, 50]
    assert ["Next: 150 more" in pages[0], "Previous page 2" in pages[1], "Next" in pages[2]] == [True, True, False]


@pytest.mark.parametrize(("asked", "trigger"), [("?all=workers", "every 30s"), ("?all=nothing", "every 5s"), ("", "every 5s")])
def test_what_shows_all_is_updated_less_often_and_what_is_no_panel_asks_for_nothing(tmp_path: Path, asked: str, trigger: str) -> None:
    text = Browser(tmp_path, store_with(tmp_path)).get(f"/targets/prod{asked}").text
    assert (trigger in text, "all=nothing" in text) == (True, False)


@pytest.mark.parametrize("path", ["/targets/nowhere", "/incidents/01NOTHING", "/incidents/..%2f", "/nothing"])
def test_what_does_not_exist_is_not_found(tmp_path: Path, path: str) -> None:
    assert Browser(tmp_path, store_with(tmp_path)).get(path).status_code == 404


def test_the_list_has_open_incidents_first_and_then_ended_ones(tmp_path: Path) -> None:
    text = Browser(tmp_path, store_with(tmp_path, over(burning("B"), NOW - 60), burning("A"))).text("/incidents")
    assert text.index("A holds 60") < text.index("Ended") < text.index("B holds 60")


def test_an_incident_that_ended_long_ago_is_listed_if_all_are_asked_for(tmp_path: Path) -> None:
    old = over(replace(burning("B"), started_at=NOW - 30 * 86400), NOW - 29 * 86400)
    browser = Browser(tmp_path, store_with(tmp_path, old))
    assert "B holds 60" not in browser.text("/incidents")
    assert "B holds 60" in browser.text("/incidents?all=ended")


def test_all_that_ended_is_listed_in_pages_that_lead_to_each_other(tmp_path: Path) -> None:
    ended = [over(burning(f"Q{nth:03}"), NOW - 1000 + nth) for nth in range(120)]
    browser = Browser(tmp_path, store_with(tmp_path, burning("A"), *ended))
    path, listed, pages = "/incidents?all=ended", [], 0
    while path:
        page = browser.get(path).text
        listed += re.findall(r"Q\d{3}(?= holds)", page)
        pages += 1
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(found[1]) if found else ""
    assert (pages, listed) == (3, [f"Q{nth:03}" for nth in reversed(range(120))])


def test_what_is_open_has_pages_too(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, *(burning(f"Q{nth:03}") for nth in range(60))))
    assert "60 open" in (first := browser.text("/incidents"))
    assert "Show all: 10 more" in first
    assert (browser.text("/incidents?all=open").count(" holds "), browser.text("/incidents?all=open&page=2").count(" holds ")) == (50, 10)


@pytest.mark.parametrize("page", ["0", "-1", "two", "9" * 30, ""])
def test_a_page_that_cannot_be_is_the_first(tmp_path: Path, page: str) -> None:
    assert "A holds 60" in Browser(tmp_path, store_with(tmp_path, burning("A"))).text(f"/incidents?all=open&page={page}")


def test_a_page_behind_the_last_says_so_and_leads_back(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, burning("A")))
    assert "none on this page ← Previous page 7" in browser.text("/incidents?all=open&page=7")


def test_an_incident_shows_its_history_and_why(tmp_path: Path) -> None:
    text = Browser(tmp_path, store_with(tmp_path, burning())).text("/incidents/01INCIDENTA")
    assert "firing was pending" in text
    assert "ops" in text
    assert "Firing since" in text


def test_an_incident_shows_the_condition_of_its_rule(tmp_path: Path) -> None:
    rule = a_rule(when="length > :limit", params={"limit": 50.0})
    today = Today(tuned={"prod": {rule.name: Tuned(rule)}})
    text = Browser(tmp_path, store_with(tmp_path, burning()), today=today).text("/incidents/01INCIDENTA")
    assert "In breach when length > :limit with limit = 50" in text


def test_an_ended_incident_can_be_read_and_not_acted_upon(tmp_path: Path) -> None:
    page = Browser(tmp_path, store_with(tmp_path, over(burning(), NOW - 10))).get("/incidents/01INCIDENTA")
    assert page.status_code == 200
    assert "<form" not in page.text


def test_texts_from_outside_stay_texts(tmp_path: Path) -> None:
    evil = burning(summary=HOSTILE, description=HOSTILE, runbook=f"`{HOSTILE}`", key={"name": HOSTILE}, labels={"team": HOSTILE})
    browser = Browser(tmp_path, store_with(tmp_path, evil))
    for path in ("/", "/incidents", "/incidents/01INCIDENTA", "/targets/prod", f"/targets/{HOSTILE}", f"/incidents/{HOSTILE}"):
        page = browser.get(path).text
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page or path == f"/incidents/{HOSTILE}"


def test_a_link_that_is_none_of_the_web_is_not_linked(tmp_path: Path) -> None:
    page = Browser(tmp_path, store_with(tmp_path, burning(link="javascript:alert(1)"))).get("/incidents/01INCIDENTA").text
    assert 'href="javascript' not in page


def test_every_page_needs_authentication(tmp_path: Path) -> None:
    browser = Browser(tmp_path, store_with(tmp_path, burning()), token="a-token-of-24-characters")
    rules = [rule for rule in browser.app.url_map.iter_rules() if rule.endpoint not in OPEN]
    for rule in rules:
        path = rule.rule.replace("<named>", "01INCIDENTA").replace("<silence_named>", "x").replace("<path:name>", "prod")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        assert browser.app.test_client().open(path, method=method).status_code == 401, path


def test_addresses_stand_below_the_prefix(tmp_path: Path) -> None:
    app = Browser(tmp_path, store_with(tmp_path, burning()), prefix="/watchdog").app
    page = app.test_client().get("/", base_url="http://127.0.0.1:5556/watchdog").text
    assert 'href="/watchdog/targets/prod"' in page
    assert 'src="/watchdog/static/' in page
    assert 'href="/incidents' not in page


def test_a_page_loads_nothing_from_elsewhere_and_has_no_script_of_its_own(tmp_path: Path) -> None:
    page = Browser(tmp_path, store_with(tmp_path, burning())).get("/incidents/01INCIDENTA").text
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script>" not in page
    assert "style=" not in page
