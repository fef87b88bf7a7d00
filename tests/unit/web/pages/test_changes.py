"""What people change from the page: written as the commands would, with the name of who did it, and nothing without a form of ours."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from werkzeug.datastructures import MultiDict

from tests.unit.web.pages.builders import HERE, NOW, Browser, burning, store_with
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.quiet.silences import silenced_by

ONE = "/incidents/01INCIDENTA"
ADA: dict[str, Any] = {
    "user_header": "X-Forwarded-User",
    "trusted_proxies": ["127.0.0.1"],
    "headers": {"X-Forwarded-User": "ada"},
}


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    return Browser(tmp_path, store_with(tmp_path, burning()), **ADA)


def test_an_acknowledgement_is_written_with_who_and_why(browser: Browser) -> None:
    answer = browser.send(ONE, "/acknowledge", comment="the disk is on its way")
    given = browser.store.acknowledged()["01INCIDENTA"]
    assert (answer.status_code, answer.location) == (303, f"{ONE}?done=acknowledged")
    assert (given.author, given.comment, given.at) == ("ada", "the disk is on its way", NOW)


def test_the_page_says_what_was_done(browser: Browser) -> None:
    assert "Acknowledged. Nobody is reminded" in browser.text(f"{ONE}?done=acknowledged")


def test_what_was_done_is_no_text_of_the_address(browser: Browser) -> None:
    assert "evil" not in browser.text(f"{ONE}?done=evil")


def test_an_acknowledgement_can_be_taken_back(browser: Browser) -> None:
    browser.send(ONE, "/acknowledge", comment="")
    browser.send(ONE, "/unacknowledge")
    assert browser.store.acknowledged() == {}


def test_what_was_acknowledged_offers_to_take_it_back_and_not_to_do_it_again(browser: Browser) -> None:
    browser.send(ONE, "/acknowledge", comment="")
    page = browser.get(ONE).text
    assert "/unacknowledge" in page
    assert f'action="{ONE}/acknowledge"' not in page


def test_a_silence_has_the_labels_that_were_ticked_and_the_duration(browser: Browser) -> None:
    browser.send(ONE, "/silence", duration="1h30m", label=["rule", "name"], comment="maintenance")
    [silence] = browser.store.silences()
    assert [str(matcher) for matcher in silence.matchers] == ['rule="QueueBacklogHigh"', 'name="A"']
    assert (silence.starts_at, silence.ends_at, silence.author, silence.comment) == (NOW, NOW + 5400, "ada", "maintenance")


def test_a_silence_means_a_hostile_label_by_its_letters(tmp_path: Path) -> None:
    hostile = 'a", rule=~".*\\\n{x}'
    store = store_with(tmp_path, burning(key={"name": hostile}))
    Browser(tmp_path, store).send(ONE, "/silence", duration="1h", label="name", comment="")
    assert [(one.label, one.operator, one.value) for one in store.silences()[0].matchers] == [("name", "=", hostile)]


def test_a_silence_hides_its_incident(browser: Browser) -> None:
    browser.send(ONE, "/silence", duration="1h", label=["rule", "target"], comment="")
    assert silenced_by(browser.store.silences()).by(browser.store.show("01INCIDENTA").incident) is not None


def test_what_hides_an_incident_is_said_beside_why(browser: Browser) -> None:
    browser.send(ONE, "/silence", duration="1h", label="rule", comment="new disks")
    why = browser.text(ONE).partition("Why")[2].partition("History")[0]
    assert "held back by silence" in why
    assert "(new disks)" in why


def test_a_silence_can_be_ended_from_the_incident_that_it_hides(browser: Browser) -> None:
    browser.send(ONE, "/silence", duration="1h", label="rule", comment="")
    [silence] = browser.store.silences()
    browser.send(ONE, f"/silences/{silence.id}/end")
    assert browser.store.silences()[0].ends_at == NOW


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"duration": "soon", "label": "rule"}, "Expected a duration such as"),
        ({"duration": "0s", "label": "rule"}, "Expected a duration of more than nothing"),
        ({"duration": "2y", "label": "rule"}, "Expected a duration such as"),
        ({"duration": "100w", "label": "rule"}, "at most a year"),
        ({"duration": "1h"}, "Expected at least one label"),
        ({"duration": "1h", "label": "no such label"}, "Expected at least one label"),
        ({"duration": "1h", "label": "rule", "comment": "x" * 2001}, "Expected at most 2,000 characters"),
    ],
)
def test_a_silence_that_cannot_be_is_refused_and_what_was_typed_stays(browser: Browser, typed: dict[str, str], said: str) -> None:
    answer = browser.send(ONE, "/silence", **typed)
    assert answer.status_code == 409
    assert said in answer.text
    assert f'value="{typed["duration"]}"' in answer.text
    assert browser.store.silences() == ()


def test_what_is_in_breach_offers_no_closing(browser: Browser) -> None:
    assert "/close" not in browser.get(ONE).text


def test_what_is_no_longer_in_breach_can_be_closed(tmp_path: Path) -> None:
    store = store_with(tmp_path, replace(burning(), state=State.RECOVERING, verdict="clear"))
    Browser(tmp_path, store, **ADA).send(ONE, "/close", reason="the queue was\nretired")
    ended = store.show("01INCIDENTA").incident
    assert (ended.open, ended.closed_by, ended.closed_because) == (False, "ada", "the queue was retired")


def test_closing_needs_a_reason(tmp_path: Path) -> None:
    store = store_with(tmp_path, replace(burning(), state=State.RECOVERING, verdict="clear"))
    answer = Browser(tmp_path, store, **ADA).send(ONE, "/close", reason="  ")
    assert (answer.status_code, store.show("01INCIDENTA").incident.open) == (409, True)


def test_what_the_store_refuses_is_said_on_the_page(browser: Browser) -> None:
    page = browser.get(ONE).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    answer = browser.app.test_client().post(f"{ONE}/close", base_url=HERE, data={"csrf": token, "reason": "x"}, headers=ADA["headers"])
    assert answer.status_code == 409
    assert "in breach" in answer.text


@pytest.mark.parametrize("form", ["acknowledge", "unacknowledge", "close", "silence", "silences/x/end"])
@pytest.mark.parametrize("token", [{}, {"csrf": ""}, {"csrf": "forged"}])
def test_a_form_that_is_none_of_ours_changes_nothing(browser: Browser, form: str, token: dict[str, str]) -> None:
    data = MultiDict({**token, "comment": "x", "reason": "x", "duration": "1h", "label": "rule"})
    answer = browser.app.test_client().post(f"{ONE}/{form}", base_url=HERE, data=data, headers=ADA["headers"])
    assert answer.status_code == 403
    assert (browser.store.acknowledged(), browser.store.silences()) == ({}, ())


def test_a_form_for_an_incident_that_does_not_exist_is_not_found(browser: Browser) -> None:
    token = browser.get(ONE).text.partition('name="csrf" value="')[2].partition('"')[0]
    data = {"csrf": token, "comment": ""}
    answer = browser.app.test_client().post("/incidents/01NOTHING/acknowledge", base_url=HERE, data=data, headers=ADA["headers"])
    assert answer.status_code == 404
