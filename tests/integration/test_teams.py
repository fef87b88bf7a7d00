"""The Teams receiver against a look-alike of a workflow that enforces the limits of Teams' cards."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from tests.builders.outbox import T0, message, notice
from tests.builders.report import a_report
from tests.servers.receiver import Answer
from tests.servers.teams import Teams
from watchdog.core.incidents.messages import Event, Message, Notice
from watchdog.core.incidents.outcome import Delivered, Later, Outcome, Refused
from watchdog.core.model.severity import Severity
from watchdog.core.model.target import SELF
from watchdog.receivers.chat.teams import LARGEST_BODY, MEND, TeamsReceiver, TeamsSettings

PATH = "workflows/0123456789/triggers/manual/paths/invoke?api-version=1&sig=s3cretS1gnature"


@pytest.fixture
def there() -> Iterator[Teams]:
    with Teams() as teams:
        yield teams


@pytest.fixture
def to(there: Teams) -> Iterator[TeamsReceiver]:
    url = f"http://127.0.0.1:{there.port}/{PATH}"
    one = TeamsReceiver(TeamsSettings.model_validate({"type": "teams", "name": "ops", "url": url, "timeout": "5s"}))
    yield one
    one.close()


def send(to: TeamsReceiver, what: Message | None = None) -> Outcome:
    return to.send(to.render(what or message("1")), "01MESSAGE1", T0)


def test_an_incident_is_a_card_with_buttons(to: TeamsReceiver, there: Teams) -> None:
    burning = replace(notice(), link="https://flower.example.com/broker", runbook="https://wiki.example.com/backlog")
    assert send(to, message("1", burning)) == Delivered("202")
    assert there.texts[:2] == ["prod: Warning", "Warning: A holds 60 messages"]
    assert there.texts[2].startswith("rule QueueBacklogHigh · name A · length 60")
    assert [action["title"] for action in there.cards[0]["actions"]] == ["Runbook", "Open in Flower"]


@pytest.mark.parametrize(
    ("told", "colour", "what"),
    [
        (notice(severity=Severity.ERROR), "attention", "Error: "),
        (notice(event=Event.ESCALATED, severity=Severity.CRITICAL), "attention", "Escalated to critical: "),
        (notice(event=Event.RESOLVED), "good", "Resolved after 1m: "),
        (replace(notice(event=Event.RESOLVED), ended="rule removed"), "default", "Ended after 1m (rule removed): "),
    ],
)
def test_what_became_of_it_has_its_words_and_colour(told: Notice, colour: str, what: str, to: TeamsReceiver, there: Teams) -> None:
    send(to, message("1", told))
    run = there.cards[0]["body"][1]["inlines"][0]
    assert (run["text"], run["color"]) == (what, colour)


def test_a_group_of_fifty_is_one_card_the_most_urgent_first(to: TeamsReceiver, there: Teams) -> None:
    fires = [notice(f"q{number:02}") for number in range(49)]
    assert send(to, message("1", *fires, notice("worst", severity=Severity.CRITICAL))) == Delivered("202")
    assert there.texts[0].startswith("prod: 50 incidents")
    assert there.texts[1] == "Critical: worst holds 60 messages"
    told = sum(" holds 60 messages" in text for text in there.texts[1:])
    assert told == 50 or there.texts[-1] == f"… and {50 - told} more; watchdog incidents lists them"


def test_a_report_is_a_card(to: TeamsReceiver, there: Teams) -> None:
    assert send(to, Message("01DIGEST", "ops", SELF, T0, (), digest=a_report())) == Delivered("202")
    assert there.texts[0].startswith("Report of ")


HOSTILE = "**b** [x](http://evil) <at>all</at> \x1b[31m\u202e\udc80\n" + '😀"\\' * 3000


def test_texts_of_any_length_and_content_are_within_its_limit_and_never_in_a_block_with_markup(to: TeamsReceiver, there: Teams) -> None:
    loud = replace(
        notice(), summary=HOSTILE, rule=HOSTILE, key={HOSTILE: HOSTILE, "": ""}, values={HOSTILE: HOSTILE}, runbook=HOSTILE, link=HOSTILE
    )
    for count in (1, 3, 60):
        told = replace(message("1", *[replace(loud, incident=f"01{n}") for n in range(count)]), target=HOSTILE)
        assert send(to, told) == Delivered("202")
        assert "\x1b" not in "".join(there.texts)
    assert max(len(request.body) for request in there.requests) <= LARGEST_BODY
    assert there.texts[-1].startswith("… and ")


# --- what it answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", MEND)
def test_each_of_its_codes_says_what_to_mend(code: str, to: TeamsReceiver, there: Teams) -> None:
    there.refuses = [(404, code, "Nothing \x1b[31mthere.")]
    said = f"http://127.0.0.1:{there.port} answered 404: {code}: Nothing \\x1b[31mthere.; {MEND[code][0]}"
    assert send(to) == Refused(said, gone=MEND[code][1])


def test_while_it_is_busy_it_is_tried_again(to: TeamsReceiver, there: Teams) -> None:
    there.then(Answer(429, {"retry-after": "12"}))
    outcome = send(to)
    assert isinstance(outcome, Later)
    assert outcome.retry_after_s == 12.0


def test_no_secret_appears_in_any_outcome(to: TeamsReceiver, there: Teams) -> None:
    outcomes = []
    for status in (200, 302, 400, 401, 404, 429, 500):
        there.then(Answer(status, {"x": "y"}, f'{{"error": {{"code": "WorkflowNotFound", "message": "{PATH}"}}}}'.encode()))
        outcomes.append(send(to))
    assert "s3cretS1gnature" not in repr(outcomes)
