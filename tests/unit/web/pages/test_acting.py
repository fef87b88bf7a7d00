"""Acting from the page, in memory: who is offered what, what a form does, and what hostile names become."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from werkzeug.test import TestResponse

from tests.builders.web import application, site
from tests.servers.waiting import until
from tests.unit.web.pages.builders import HERE, seen
from watchdog.config.sections.actions import ActionSettings
from watchdog.core.actions.outcome import Answer, Outcome, Word
from watchdog.core.actions.request import Cluster, Foreseen, QueueKnown, Request
from watchdog.store import Store
from watchdog.web.access import Access, Person

HOSTILE = "<img src=x onerror=alert(1)>"
PROXY: dict[str, Any] = {"user_header": "X-User", "trusted_proxies": ["127.0.0.1"], "roles": {"ada": "operator", "bob": "viewer"}}
QUEUE = "/actions?target=prod&on=queue&named=q"


class Deleting:
    """Sees three messages, and deletes them at once."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.done: list[Request] = []

    def look(self, request: Request, _: Callable[[str], None]) -> Cluster:
        self.asked.append(request)
        name = request.queue or ""
        return Cluster(queues={name: QueueKnown(name, {name: 3})})

    def perform(self, request: Request, _: Foreseen, __: Cluster, ___: Callable[[str], None]) -> Outcome:
        self.done.append(request)
        return Outcome(Word.DONE, {request.queue or "": Answer(worked=True, text="3 deleted")})


class Visitor:
    """Somebody before a page where purge and move are allowed, unless a test says otherwise."""

    def __init__(self, folder: Path, name: str = "ada", allow: tuple[str, ...] = ("purge", "move"), **http: Any) -> None:
        self.name, self.actor, self.store = name, Deleting(), Store.open(folder / "watchdog.db")
        served = site(self.store, actor=self.actor, actions=ActionSettings(allow=allow))
        self.app = application(folder, served, **(PROXY | http))
        self._client = self.app.test_client()

    def get(self, path: str) -> TestResponse:
        return self._client.get(path, base_url=HERE, headers={"X-User": self.name})

    def post(self, path: str, *, token: str | None = None, **typed: str) -> TestResponse:
        """Send a form; with this person's token, unless another one is given."""
        access: Access = self.app.extensions["access"]
        given = access.csrf(Person(self.name)) if token is None else token
        return self._client.post(path, base_url=HERE, headers={"X-User": self.name}, data={"csrf": given, **typed})

    def begun(self, queue: str = "q") -> str:
        """The address of a purge that was looked at."""
        sent = self.post("/actions", target="prod", kind="purge", queue=queue)
        assert sent.status_code == 303, sent.text
        until(lambda: "Do it" in self.get(sent.location).text, 20, "the look", every=0.005)
        return sent.location

    def logged(self) -> list[tuple[str, str, str]]:
        return [(one.author, one.action, one.outcome.value) for one in self.store.actions(0.0)]


# --- who is offered what ------------------------------------------------------------------------------------------------


def test_only_what_is_allowed_has_a_form(tmp_path: Path) -> None:
    assert re.findall(r'name="kind" value="([^"]+)"', Visitor(tmp_path).get("/actions?target=prod").text) == ["purge", "move"]


def test_what_belongs_to_something_else_has_no_form_here(tmp_path: Path) -> None:
    page = Visitor(tmp_path, allow=("purge", "shutdown")).get(QUEUE).text
    assert re.findall(r'name="kind" value="([^"]+)"', page) == ["purge"]


def test_a_subject_without_an_allowed_action_says_what_could_be_allowed(tmp_path: Path) -> None:
    answer = Visitor(tmp_path, allow=("shutdown",)).get(QUEUE)
    assert (answer.status_code, "allow of [actions]" in seen(answer.text)) == (403, True)


def test_the_target_offers_to_act_to_an_operator(tmp_path: Path) -> None:
    assert "/actions?target=prod" in Visitor(tmp_path).get("/targets/prod").text


@pytest.mark.parametrize("who", [{"name": "bob"}, {"allow": ()}])
def test_the_target_offers_nothing_to_a_viewer_and_nothing_where_nothing_is_allowed(tmp_path: Path, who: dict[str, Any]) -> None:
    assert "/actions" not in Visitor(tmp_path, **who).get("/targets/prod").text


@pytest.mark.parametrize("path", ["/actions?target=other", "/actions?target=prod&on=host&named=x", "/actions?target=prod&on=queue"])
def test_what_is_not_there_is_not_found(tmp_path: Path, path: str) -> None:
    assert Visitor(tmp_path).get(path).status_code == 404


def test_where_nobody_is_asked_who_they_are_nobody_acts(tmp_path: Path) -> None:
    anybody = Visitor(tmp_path, user_header=None, trusted_proxies=[], roles={})
    assert (anybody.get(QUEUE).status_code, anybody.actor.asked) == (403, [])


# --- what a form does ---------------------------------------------------------------------------------------------------


def test_a_form_only_looks(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    page = ada.get(ada.begun()).text
    assert ("q: 3 messages deleted for good" in seen(page), ada.actor.done, ada.logged()) == (True, [], [])


def test_what_was_confirmed_is_done_and_says_what_came_back_and_who_did_it(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    address = ada.begun()
    ada.post(f"{address}/confirm")
    until(lambda: "What came back" in ada.get(address).text, 20, "the outcome", every=0.005)
    page = seen(ada.get(address).text)
    assert all(text in page for text in ("q done : 3 deleted", "who ada (page)", "what purge queue=q", "outcome done"))


def test_the_same_form_twice_is_done_once(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    address = ada.begun()
    statuses = [ada.post(f"{address}/confirm").status_code for _ in range(2)]
    until(lambda: "What came back" in ada.get(address).text, 20, "the outcome", every=0.005)
    assert (statuses, len(ada.actor.done), ada.logged()) == ([303, 303], 1, [("ada (page)", "purge", "done")])


def test_what_is_under_way_is_shown_again_without_javascript_and_what_is_over_is_not(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    assert "http-equiv" not in ada.get(ada.begun()).text


def test_what_was_typed_wrongly_is_said_and_stays(tmp_path: Path) -> None:
    answer = Visitor(tmp_path).post("/actions", target="prod", kind="move", queue="q", other="", only="shop.order")
    assert (answer.status_code, "To the queue: expected something, found nothing" in seen(answer.text)) == (400, True)
    assert 'value="shop.order"' in answer.text


# --- who may not --------------------------------------------------------------------------------------------------------


def test_a_viewer_is_refused_and_that_is_written_down(tmp_path: Path) -> None:
    bob = Visitor(tmp_path, "bob")
    answer = bob.post("/actions", target="prod", kind="purge", queue="q")
    assert (answer.status_code, bob.actor.asked, bob.logged()) == (403, [], [("bob (page)", "purge", "refused")])


def test_what_is_not_allowed_is_refused_and_that_is_written_down(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    answer = ada.post("/actions", target="prod", kind="shutdown", workers="w")
    assert (answer.status_code, ada.actor.asked, ada.logged()) == (403, [], [("ada (page)", "shutdown", "refused")])


@pytest.mark.parametrize("token", ["", "forged", "of bob"])
@pytest.mark.parametrize("path", ["/actions", "{attempt}/confirm", "{attempt}/leave"])
def test_without_a_token_of_theirs_nothing_is_done_nor_written(tmp_path: Path, token: str, path: str) -> None:
    ada = Visitor(tmp_path)
    access: Access = ada.app.extensions["access"]
    address, asked = ada.begun(), len(ada.actor.asked)
    given = access.csrf(Person("bob")) if token == "of bob" else token
    answer = ada.post(path.format(attempt=address), token=given, target="prod", kind="purge", queue="q")
    assert (answer.status_code, len(ada.actor.asked), ada.actor.done, ada.logged()) == (403, asked, [], [])


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer a-token-of-24-characters"}, {"Content-Type": "application/json"}])
def test_what_opens_the_api_opens_no_action(tmp_path: Path, headers: dict[str, str]) -> None:
    ada = Visitor(tmp_path, token="a-token-of-24-characters")
    data = {"target": "prod", "kind": "purge", "queue": "q"}
    given = {"json": data} if "Content-Type" in headers else {"data": data}
    answer = ada.app.test_client().post("/actions", base_url=HERE, headers={**headers, "X-User": ""}, **given)
    assert (answer.status_code in (401, 403), ada.actor.asked, ada.actor.done) == (True, [], [])


@pytest.mark.parametrize("path", ["/actions/{id}/confirm", "/actions/{id}/leave"])
def test_no_link_changes_anything(tmp_path: Path, path: str) -> None:
    ada = Visitor(tmp_path)
    named = ada.begun().rpartition("/")[2]
    assert (ada.get(path.format(id=named)).status_code, ada.actor.done) == (405, [])


def test_what_another_person_began_is_not_found(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    address = ada.begun()
    ada.name = "eve"
    assert ada.post(f"{address}/confirm").status_code == 404


def test_who_is_no_operator_any_more_confirms_nothing(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    address = ada.begun()
    served = ada.app.extensions["site"]
    later = application(tmp_path, served, **(PROXY | {"roles": {}}))
    token = later.extensions["access"].csrf(Person("ada"))
    answer = later.test_client().post(f"{address}/confirm", base_url=HERE, headers={"X-User": "ada"}, data={"csrf": token})
    assert (answer.status_code, ada.actor.done) == (403, [])


def test_what_is_not_allowed_any_more_is_not_done(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    address = ada.begun()
    served = ada.app.extensions["site"]
    stricter = replace(served, settings=served.settings.model_copy(update={"actions": ActionSettings(allow=("move",))}))
    ada.app.extensions["site"] = stricter
    assert (ada.post(f"{address}/confirm").status_code, ada.actor.done) == (403, [])


# --- texts from outside -------------------------------------------------------------------------------------------------


def test_a_hostile_name_is_a_name(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    page = ada.get(ada.begun(HOSTILE)).text
    assert ("<img src=x" in page, HOSTILE in unescape(page)) == (False, True)


def test_a_hostile_subject_of_an_address_is_a_name(tmp_path: Path) -> None:
    ada = Visitor(tmp_path)
    page = ada.app.test_client().get(
        "/actions", query_string={"target": "prod", "on": "queue", "named": HOSTILE}, headers={"X-User": "ada"}
    )
    assert ("<img src=x" in page.text, HOSTILE in unescape(page.text)) == (False, True)
