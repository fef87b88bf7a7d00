"""Which page of Flower a message links to, whatever is in a name, and whose address it begins with."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.cluster import healthy
from tests.builders.incidents import a_finding, a_rule
from tests.builders.looks import Watch
from watchdog.config.settings import Settings, TargetSettings, to_target
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.check_result import check_target
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.judging.links import LONGEST_LINK, PAGES, link_of
from watchdog.core.model.queries import Inspected, ReadEventCounters
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Cell, Reading
from watchdog.tables import TABLES
from watchdog.tables.tasks.names import NAMELESS

BASE = "https://flower.example.com"
ODD = "celery@a/b c%20?x=1&#é;'\"<b>+\\"
NOTHING = Seen({}, {}, {})


def finding(table: str, **cells: Cell) -> Finding:
    """A breach in a row of that table."""
    key = TABLES[table].key
    rule = a_rule(table=table, key=key, reads={table: frozenset(key)})
    return Finding(rule, tuple(str(cells.get(name, "")) for name in key), Verdict.BREACH, cells=cells)


def link(table: str, base: str | None = BASE, readings: Mapping[str, Reading] | None = None, **cells: Cell) -> str:
    return link_of(finding(table, **cells), base, readings or {})


# --- which page ---------------------------------------------------------------------------------------------------------


def test_every_table_of_a_cluster_has_a_page() -> None:
    assert set(PAGES) == {table.name for table in TABLES.values() if not table.own}


@pytest.mark.parametrize("table", PAGES)
def test_what_names_a_page_is_in_the_key_of_its_table(table: str) -> None:
    assert PAGES[table][0] in ("", *TABLES[table].key)


@pytest.mark.parametrize(
    ("table", "cells", "page"),
    [
        ("workers", {"name": "celery@gpu-1"}, "/worker/celery@gpu-1"),
        ("running", {"id": "ba1dcd6b", "name": "shop.pay"}, "/task/ba1dcd6b"),
        ("tasks", {"name": "shop.pay"}, "/tasks?name=shop.pay"),
        ("schedules", {"task": "shop.pay"}, "/tasks?name=shop.pay"),
        ("errors", {"task": "shop.pay", "exception": "KeyError"}, "/tasks?state=FAILURE&name=shop.pay"),
        ("queues", {"name": "indexing"}, "/broker#indexing"),
        ("broker", {}, "/broker"),
        ("cluster", {}, "/"),
        ("groups", {"pattern": "celery@gpu-*"}, "/"),
        ("blind", {"cause": "flower"}, "/"),
        ("sources", {"name": "redis"}, "/"),
    ],
)
def test_a_row_is_shown_on_its_page(table: str, cells: dict[str, Any], page: str) -> None:
    assert link(table, **cells) == BASE + page


def test_a_flower_that_does_not_answer_is_not_linked() -> None:
    assert link("sources", name="flower") == ""


def test_a_task_that_no_worker_registers_may_have_no_name_in_flower_and_is_found_by_its_state() -> None:
    assert link("errors", task="shop.new", exception="NotRegistered", category="unregistered") == f"{BASE}/tasks?state=FAILURE"


def test_tasks_without_a_name_are_not_searched_by_it() -> None:
    assert link("tasks", name=NAMELESS) == f"{BASE}/tasks"


def test_a_name_too_short_for_the_search_of_flower_is_not_searched() -> None:
    assert [link("tasks", name=name) for name in ("ab", "abc")] == [f"{BASE}/tasks", f"{BASE}/tasks?name=abc"]


def test_a_worker_that_flower_has_no_page_of_is_not_linked() -> None:
    gone = Reading(without_page=frozenset({("celery@gpu-1",)}))
    assert link("workers", readings={"workers": gone}, name="celery@gpu-1") == f"{BASE}/"
    assert link("workers", readings={"workers": gone}, name="celery@gpu-2") == f"{BASE}/worker/celery@gpu-2"


# --- queries ------------------------------------------------------------------------------------------------------------


def of_query(reads: Mapping[str, frozenset[str]], **cells: Cell) -> str:
    rule = a_rule(table=None, when=None, query="select …", key=tuple(cells), reads=reads)
    return link_of(Finding(rule, tuple(map(str, cells.values())), Verdict.BREACH, cells=cells), BASE, {})


def test_a_query_of_one_table_that_keeps_its_name_as_key_is_about_its_rows() -> None:
    assert of_query({"workers": frozenset({"name", "state"})}, name="celery@gpu-1") == f"{BASE}/worker/celery@gpu-1"


@pytest.mark.parametrize(
    ("reads", "key"),
    [
        ({"workers": frozenset({"name", "kind"})}, {"kind": "celery@gpu-*"}),
        ({"workers": frozenset({"kind"})}, {"name": "celery@gpu-*"}),
        ({"workers": frozenset({"name"}), "queues": frozenset({"name"})}, {"name": "celery@gpu-1"}),
    ],
    ids=["another key", "another column by that name", "two tables"],
)
def test_any_other_query_is_shown_on_the_dashboard(reads: Mapping[str, frozenset[str]], key: dict[str, str]) -> None:
    assert of_query(reads, **key) == f"{BASE}/"


# --- names --------------------------------------------------------------------------------------------------------------


def test_an_odd_worker_name_is_one_segment_of_the_path() -> None:
    parts = urlsplit(link("workers", name=ODD))
    assert (parts.path.count("/"), unquote(parts.path), parts.query, parts.fragment) == (2, f"/worker/{ODD}", "", "")


def test_an_odd_task_id_is_one_segment_of_the_path() -> None:
    parts = urlsplit(link("running", id=ODD))
    assert (parts.path.count("/"), unquote(parts.path), parts.query, parts.fragment) == (2, f"/task/{ODD}", "", "")


def test_an_odd_queue_name_is_the_anchor_of_its_row() -> None:
    assert unquote_plus(urlsplit(link("queues", name=ODD)).fragment) == ODD


def test_an_odd_task_name_is_one_quoted_term_of_the_search() -> None:
    parts = urlsplit(link("tasks", name='say "hi" \\ (twice)'))
    assert (parts.path, unquote(parts.query), parts.fragment) == ("/tasks", 'name="say \\"hi\\" \\\\ (twice)"', "")


@pytest.mark.parametrize("name", ["", ".", "..", "half\udc80"])
def test_a_name_that_no_url_can_hold_is_left_out(name: str) -> None:
    assert [link("workers", name=name), link("running", id=name), link("queues", name=name), link("tasks", name=name)] == [
        f"{BASE}/",
        f"{BASE}/tasks",
        f"{BASE}/broker",
        f"{BASE}/tasks",
    ]


def test_a_link_that_chats_would_cut_goes_to_the_dashboard() -> None:
    fits = LONGEST_LINK - len(f"{BASE}/worker/")
    assert [link("workers", name="w" * count) for count in (fits, fits + 1)] == [f"{BASE}/worker/{'w' * fits}", f"{BASE}/"]


# --- whose address ------------------------------------------------------------------------------------------------------


def base_of(**target: Any) -> str | None:
    settings = TargetSettings.model_validate({"name": "prod", **target})
    return to_target(Settings(), settings).link


def test_without_another_address_it_is_where_watchdog_asks() -> None:
    assert base_of(flower="http://flower:5555/prefix/") == "http://flower:5555/prefix"


def test_link_comes_before_the_address_that_watchdog_asks() -> None:
    assert base_of(flower="http://flower:5555", link="https://flower.example.com/shop/") == "https://flower.example.com/shop"


def test_no_links_are_wanted() -> None:
    assert base_of(flower="http://flower:5555", link="none") is None
    assert link("workers", base=None, name="celery@gpu-1") == ""


def test_without_flower_nothing_is_linked_unless_link_says_where_one_is() -> None:
    assert (base_of(redis="redis://r"), base_of(redis="redis://r", link=BASE)) == (None, BASE)


@pytest.mark.parametrize(
    "flower",
    [
        "http://ops:hunter2@flower:5555",
        "http://ops:hun%2Fter2@flower:5555/",
        {"url": "http://flower:5555", "username": "ops", "password": "hunter2"},
        {"url": "http://flower:5555", "headers": {"Authorization": "Bearer hunter2"}},
    ],
)
def test_credentials_never_reach_a_link(flower: object) -> None:
    assert base_of(flower=flower) == "http://flower:5555"


def test_a_password_that_looks_like_a_path_never_reaches_a_link() -> None:
    assert base_of(flower="http://ops:123/hunter2@flower:5555") is None


def test_what_markup_could_take_for_its_own_is_escaped_in_an_address() -> None:
    assert base_of(flower="http://flower:5555/a|b>c é") == "http://flower:5555/a%7Cb%3Ec%20%C3%A9"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("flower.example.com", "expected the address at which people open Flower"),
        ("redis://flower.example.com", "expected the address at which people open Flower"),
        ("https://", "expected the address at which people open Flower"),
        ("https://ops:hunter2@flower.example.com", "found an @"),
        ("https://flower.example.com/?token=1", "found a ? or #"),
        ("https://flower.example.com/#top", "found a ? or #"),
        ("https://flower.example.com:port", "host or port cannot be read"),
        ("https://flower.example.com/a|b", "expected at most 500 characters"),
        (f"https://flower.example.com/{'x' * 500}", "expected at most 500 characters"),
    ],
)
def test_an_address_that_cannot_be_linked_is_a_fault(given: str, says: str) -> None:
    with pytest.raises(ValueError, match="link") as caught:
        base_of(flower="http://flower:5555", link=given)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


# --- what an incident, a message and a look hold ------------------------------------------------------------------------

BREACH = a_finding(rule=a_rule(for_s=0.0))
"""Of queue `indexing`."""


def decided(found: Finding, *open_: Incident, base: str | None = BASE) -> Plan:
    situation = Situation(a_target(link=base), NOW, (Recipient("ops"),))
    return decide(situation, [Judgement(found.rule, (found,))], Loaded(open=open_, previous_cycle_at=NOW - 10), NOTHING)


def test_a_message_links_to_the_page_of_its_incident() -> None:
    plan = decided(BREACH)
    assert [n.link for m in plan.messages for n in m.notices] == [i.link for i in plan.incidents] == [f"{BASE}/broker#indexing"]


def test_where_link_has_changed_an_open_incident_links_there() -> None:
    (begun,) = decided(BREACH).incidents
    assert [i.link for i in decided(BREACH, begun, base="https://new.example.com").incidents] == ["https://new.example.com/broker#indexing"]


def test_an_incident_whose_link_stays_is_not_written_again() -> None:
    (begun,) = decided(BREACH).incidents
    assert decided(BREACH, begun).incidents == ()


def test_an_end_links_to_what_burnt() -> None:
    (begun,) = decided(BREACH).incidents
    out = replace(begun, state=State.RECOVERING, quiet_s=60.0)
    (over,) = decided(replace(BREACH, verdict=Verdict.CLEAR), out).incidents
    assert (over.state, over.link) == (State.RESOLVED, f"{BASE}/broker#indexing")


def test_a_single_look_has_the_link_too() -> None:
    assert [f.link for f in check_target("prod", [Judgement(BREACH.rule, (BREACH,))], {}, link=BASE).firing] == [f"{BASE}/broker#indexing"]


# --- what Flower has no page of -----------------------------------------------------------------------------------------


def a_death() -> Watch:
    """`celery@gpu-1` was seen, and is lost."""
    watch = Watch(healthy())
    watch.look(0)
    watch.cluster.dies("celery@gpu-1")
    watch.look()
    return watch


def test_a_dead_worker_keeps_its_page_until_flower_restarts() -> None:
    watch = a_death()
    before = watch.look()["workers"].without_page
    watch.cluster.restarts_flower()
    watch.cluster.add("celery@web-1")
    assert (before, watch.look()["workers"].without_page) == (frozenset(), frozenset({("celery@gpu-1",)}))


def test_a_dead_worker_keeps_its_page_though_the_list_at_hand_is_older_than_its_inspection() -> None:
    watch = a_death()
    watch.cluster.cache.pop("celery@gpu-1")
    assert watch.look()["workers"].without_page == frozenset()


def test_where_flower_does_not_tell_since_when_it_runs_its_list_decides() -> None:
    watch = a_death()
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    before = watch.look()["workers"].without_page
    watch.cluster.cache.pop("celery@gpu-1")
    assert (before, watch.look()["workers"].without_page) == (frozenset(), frozenset({("celery@gpu-1",)}))


def test_where_flower_lists_nothing_a_page_is_supposed_to_be_there() -> None:
    watch = a_death()
    watch.cluster.gaps |= {ReadEventCounters: "flower: 500", Inspected: "flower: 401"}
    assert watch.look()["workers"].without_page == frozenset()


def test_a_worker_that_was_expected_and_never_seen_has_no_page() -> None:
    watch = Watch(healthy(), a_target(expected_workers=("celery@web-9",)))
    assert watch.look(0)["workers"].without_page == frozenset({("celery@web-9",)})
