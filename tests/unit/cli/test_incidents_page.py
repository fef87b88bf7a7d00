import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from watchdog.cli.database.incidents_page import incident_page, incidents_page, short_ids
from watchdog.cli.output.page import ByMedium, Entries, plain, text_of
from watchdog.core.incidents.lifecycle import Ended, Incident, State, Transition
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.model.severity import Severity
from watchdog.status.documents import incidents as documents
from watchdog.status.documents.text import json_text
from watchdog.store import IncidentShown, MessageShown, Watched

BEGAN = 1_763_802_900.0
INCIDENT = Incident(
    "01K0", "9f2c", "QueueBacklogHigh", "x", "prod", {"name": "indexing"}, State.FIRING, Severity.WARNING, BEGAN, fired_at=BEGAN + 60,
    values={"length": 60.0, "drain_s": float("inf")}, summary="indexing holds 60", runbook="1. Look.\n2. Mend.",
)  # fmt: skip
OVER = replace(INCIDENT, state=State.RESOLVED, ended=Ended.RECOVERED, resolved_at=BEGAN + 300)
SENT = MessageShown("M1", "ops", Event.FIRST, 1, "delivered", BEGAN, BEGAN, 2, BEGAN + 61, BEGAN + 61, None)
SHOWN = IncidentShown(INCIDENT, (Transition("01K0", BEGAN, "", "pending", "breach"),), (SENT,))


def incidents_document(*args: Any) -> dict[str, Any]:
    """The list, as its readers decode it."""
    return dict(json.loads(json_text(documents.incidents_document(*args))))


def incident_document(*args: Any) -> dict[str, Any]:
    """One incident, as its readers decode it."""
    return dict(json.loads(json_text(documents.incident_document(*args))))


def listed(*incidents: Incident) -> list[str]:
    return plain(incidents_page(incidents, "/var/lib/watchdog/watchdog.db", BEGAN + 90, Watched())).splitlines()


def test_an_open_incident_is_listed_with_how_long_it_lasts() -> None:
    row = listed(INCIDENT)[1].split(maxsplit=8)
    assert row == [
        "01K0",
        "warning",
        "firing",
        "QueueBacklogHigh",
        "prod",
        "name=indexing",
        "2025-11-22T09:15:00Z",
        "1m30s",
        "indexing holds 60",
    ]


CAUSE = replace(
    INCIDENT, id="01K9", rule="QueueStuck", inhibits=("QueueBacklogHigh",), summary="indexing is stuck", values={}, state=State.RECOVERING
)


BECAUSE = {"01K0": Reason(cause=CAUSE)}
SILENCE = Silence("01KSILENCE0000", parse_matchers("rule=QueueBacklogHigh"), BEGAN, BEGAN + 3600, "a big import")
SILENCED = {"01K0": Reason(silence=SILENCE)}


def lines_on_screen(quiet: dict[str, Reason]) -> list[str]:
    (listing, *_) = incidents_page([INCIDENT], "w.db", BEGAN + 90, Watched(), quiet)
    assert isinstance(listing, ByMedium)
    (entries,) = listing.on_screen
    assert isinstance(entries, Entries)
    return [text_of(line) for entry in entries.entries for line in entry.lines]


@pytest.mark.parametrize(
    ("quiet", "named"),
    [(BECAUSE, "QueueStuck (name=indexing)"), (SILENCED, "silence 01KSILENCE00 until 2025-11-22T10:15:00Z (a big import)")],
)
def test_one_that_is_held_back_says_by_what(quiet: dict[str, Reason], named: str) -> None:
    assert f"held back by {named}" in lines_on_screen(quiet)
    assert named in plain(incidents_page([INCIDENT], "w.db", BEGAN + 90, Watched(), quiet))
    assert f"held back by {named}" in plain(incident_page(SHOWN, "w.db", BEGAN + 90, Watched(), quiet["01K0"]))


@pytest.mark.parametrize(("verdict", "said"), [("unknown", "cannot be seen now"), ("none", "cannot be judged now")])
def test_one_that_cannot_be_seen_says_so_everywhere(verdict: str, said: str) -> None:
    unseen = replace(INCIDENT, verdict=verdict)
    listing = incidents_page([unseen], "w.db", BEGAN + 90, Watched())[0]
    assert isinstance(listing, ByMedium)
    (entries,) = listing.on_screen
    assert isinstance(entries, Entries)
    assert said in [text_of(line) for entry in entries.entries for line in entry.lines]
    assert said in listed(unseen)[1]
    assert said in plain(incident_page(replace(SHOWN, incident=unseen), "w.db", BEGAN + 90, Watched()))
    assert incidents_document([unseen], "w.db", Watched())["incidents"][0]["verdict"] == verdict


def test_one_that_flaps_says_how_often_it_fired_and_since_when() -> None:
    flapping = replace(INCIDENT, flapping=True, fires=7, first_fire_at=BEGAN - 600)
    said = ", flapping: fired 7 times since 2025-11-22T09:05:00Z"
    listing = incidents_page([flapping], "w.db", BEGAN + 90, Watched())[0]
    assert isinstance(listing, ByMedium)
    (entries,) = listing.on_screen
    assert isinstance(entries, Entries)
    assert f"began 2025-11-22T09:15:00Z, lasts 1m30s{said}" in [text_of(line) for entry in entries.entries for line in entry.lines]
    assert f"2025-11-22T09:16:00Z{said}" in plain(incident_page(replace(SHOWN, incident=flapping), "w.db", BEGAN + 90, Watched()))
    shown = incidents_document([flapping], "w.db", Watched())["incidents"][0]
    assert (shown["flapping"], shown["fires"]) == (True, 7)


def test_one_that_ended_is_not_said_to_be_out_of_sight() -> None:
    over = replace(OVER, verdict="unknown")
    assert "cannot be" not in "".join(listed(over))
    assert incidents_document([over], "w.db", Watched())["incidents"][0]["verdict"] is None


def test_a_cause_that_is_pending_is_said_to_be() -> None:
    pending = {"01K0": Reason(cause=replace(CAUSE, state=State.PENDING))}
    assert "held back by QueueStuck (name=indexing), which is pending" in lines_on_screen(pending)


NIGHTS = Window("nights", (Span(frozenset(range(7)), 0, 7 * 3600, ZoneInfo("Europe/Berlin")),))
MUTED = {"01K0": Reason(window=NIGHTS, at=BEGAN - 8 * 3600)}


def test_one_that_is_muted_for_all_says_by_what_and_until_when_on_the_clock() -> None:
    assert "muted by nights until 07:00 CET" in lines_on_screen(MUTED)
    assert "nights until 07:00 CET" in plain(incidents_page([INCIDENT], "w.db", BEGAN + 90, Watched(), MUTED))
    assert "muted by     nights until 07:00 CET" in plain(incident_page(SHOWN, "w.db", BEGAN + 90, Watched(), MUTED["01K0"]))


def test_the_document_says_by_what_each_is_held_back() -> None:
    def of(quiet: dict[str, Reason]) -> object:
        return incidents_document([INCIDENT], "w.db", Watched(), quiet)["incidents"][0]["held_back_by"]

    assert of({}) is None
    assert of(BECAUSE) == {"incident": "01K9", "rule": "QueueStuck", "key": {"name": "indexing"}}
    assert of(MUTED) == {"mute": "nights", "until": "2025-11-22T06:00:00Z"}
    assert of(SILENCED) == {"silence": "01KSILENCE0000", "until": "2025-11-22T10:15:00Z", "comment": "a big import"}


def test_one_that_is_over_says_how_it_ended() -> None:
    assert "recovered" in listed(OVER)[1]


def test_the_database_is_named_even_where_nothing_is_open() -> None:
    assert listed() == ["0 open, 0 incidents listed · database /var/lib/watchdog/watchdog.db"]


def test_the_story_holds_history_messages_and_runbook() -> None:
    story = plain(incident_page(SHOWN, "w.db", BEGAN + 90, Watched()))
    assert all(part in story for part in ("breach", "ops", "delivered", "1. Look.", "length=60", "9f2c", "database w.db"))


def test_the_story_holds_the_link() -> None:
    linked = replace(SHOWN, incident=replace(INCIDENT, link="https://flower.example.com/broker#indexing"))
    assert "https://flower.example.com/broker#indexing" in plain(incident_page(linked, "w.db", BEGAN, Watched()))
    assert incident_document(linked, "w.db", Watched())["incident"]["link"] == "https://flower.example.com/broker#indexing"
    assert incident_document(SHOWN, "w.db", Watched())["incident"]["link"] is None


def test_the_story_says_where_nobody_was_told() -> None:
    assert "Nobody was notified." in plain(incident_page(IncidentShown(INCIDENT, (), ()), "w.db", BEGAN, Watched()))


def test_the_document_of_the_list() -> None:
    document = incidents_document([INCIDENT], "w.db", Watched())
    assert document["database"] == "w.db"
    assert document["incidents"][0]["values"] == {"length": 60, "drain_s": None}
    assert document["incidents"][0]["fired_at"] == "2025-11-22T09:16:00Z"


def test_the_document_of_one_holds_its_history_and_messages() -> None:
    document = incident_document(SHOWN, "w.db", Watched())
    assert document["history"] == [{"at": "2025-11-22T09:15:00Z", "before": None, "after": "pending", "reason": "breach"}]
    assert document["messages"][0]["event"] == "first"


def on_screen(*incidents: Incident) -> list[str]:
    """The entries of the list, as a terminal shows them, each on one line."""
    block = incidents_page(incidents, "w.db", BEGAN + 90, Watched())[0]
    assert isinstance(block, ByMedium)
    (entries,) = block.on_screen
    assert isinstance(entries, Entries)
    return [" ".join(text_of(piece) for piece in (*entry.head, *entry.lines)) for entry in entries.entries]


def test_a_terminal_shows_the_worst_first_and_what_is_over_last() -> None:
    worse = replace(INCIDENT, id="01K1", severity=Severity.CRITICAL)
    pending = replace(worse, id="01K2", state=State.PENDING)
    shown = on_screen(replace(OVER, id="01K3", severity=Severity.CRITICAL), pending, INCIDENT, worse)
    assert [line.split(" · ")[0].rpartition(" ")[2] for line in shown] == ["01K1", "01K0", "01K2", "01K3"]


def test_a_short_id_is_no_longer_than_it_takes_to_tell_it_from_the_others() -> None:
    ids = ["01KAQ2Q5X8AAAAAAAAAAAAAAAA", "01KAQ2Q5X8AAABBBBBBBBBBBBB", "01KBQ2Q5X8AAAAAAAAAAAAAAAA"]
    assert short_ids(ids) == {ids[0]: "01KAQ2Q5X8AAAA", ids[1]: "01KAQ2Q5X8AAAB", ids[2]: "01KBQ2Q5X8AA"}


def test_a_lone_id_is_short() -> None:
    assert short_ids(["01KAQ2Q5X8AAAAAAAAAAAAAAAA"]) == {"01KAQ2Q5X8AAAAAAAAAAAAAAAA": "01KAQ2Q5X8AA"}


ALONE = Watched(now=False, last={"prod": BEGAN + 30})


def test_where_nobody_watches_it_says_since_when_and_lets_nothing_last_longer() -> None:
    first, _, row, *_ = plain(incidents_page([INCIDENT], "w.db", BEGAN + 3630, ALONE)).splitlines()
    assert (
        first == "Nothing is being watched: no `watchdog run` uses this database; what is open was last seen 2025-11-22T09:15:30Z, 1h ago"
    )
    assert "  30s  " in row


def test_a_story_says_so_too() -> None:
    assert plain(incident_page(SHOWN, "w.db", BEGAN + 3630, ALONE)).startswith("Nothing is being watched: ")


def test_of_what_is_over_it_does_not_matter_whether_somebody_watches() -> None:
    assert "Nothing is being watched" not in plain(incidents_page([OVER], "w.db", BEGAN + 3630, ALONE))


def test_where_the_lock_may_not_be_read_nothing_is_claimed() -> None:
    assert "Nothing is being watched" not in plain(incidents_page([INCIDENT], "w.db", BEGAN + 90, Watched(now=None)))


def test_machines_are_told_whether_somebody_watches() -> None:
    document = incidents_document([INCIDENT], "w.db", ALONE)
    assert (document["watched"], document["last_looks"]) == (False, {"prod": "2025-11-22T09:15:30Z"})


def test_what_is_over_lasted_and_what_is_open_lasts() -> None:
    over = replace(INCIDENT, state=State.RESOLVED, ended=Ended.RECOVERED, resolved_at=BEGAN + 60)
    assert ", lasted 1m" in plain(incident_page(replace(SHOWN, incident=over), "w.db", BEGAN + 90, Watched()))
    assert ", lasts 1m30s" in plain(incident_page(replace(SHOWN, incident=INCIDENT), "w.db", BEGAN + 90, Watched()))
